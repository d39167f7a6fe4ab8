"""All files of a benchmark, written aside and put in place together."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.haplotypes.job import Job, Result
from benchmarks.haplotypes.outputs import tables
from benchmarks.haplotypes.outputs.vcf import write_vcf
from benchmarks.haplotypes.quantify import TYPES, TableRow
from benchmarks.haplotypes.rows import Rows, Side
from benchmarks.haplotypes.strata import Placement


@dataclass
class Content:
    """What the files say."""

    job: Job
    rows: Rows
    truth: Side
    query: Side
    placement: Placement | None
    table: list[TableRow]
    curves: Callable[[], list[TableRow]]
    timings: dict[str, float]
    result: Result


def write_all(
    content: Content, pool: ThreadPoolExecutor, threads: int
) -> dict[str, Path]:
    """Paths by name. Files of an earlier run under the same prefix are replaced."""
    prefix = content.job.out_prefix
    with tempfile.TemporaryDirectory(
        dir=prefix.parent, prefix=f".{prefix.name}."
    ) as folder:
        aside = Path(folder) / "made"
        with ThreadPoolExecutor(1) as beside:
            tables_made = beside.submit(_write_tables, content, aside)
            if content.job.write_vcf:
                write_vcf(
                    aside.with_name("made.vcf.gz"),
                    content.rows,
                    content.truth,
                    content.query,
                    placement=content.placement,
                    reference=str(content.job.reference),
                    pool=pool,
                    threads=threads,
                )
            tables_made.result()
        return _publish(Path(folder), prefix)


def _write_tables(content: Content, aside: Path) -> None:
    for name, write in _writers(content).items():
        write(aside.with_name(f"{aside.name}.{name}"))


def _publish(folder: Path, prefix: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for made in sorted(folder.iterdir()):
        suffix = made.name.removeprefix("made.")
        target = prefix.with_name(f"{prefix.name}.{suffix}")
        os.chmod(made, 0o666 & ~_umask())
        shutil.move(made, target)
        files[FILE_NAMES.get(suffix, suffix)] = target
    return files


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


FILE_NAMES = {
    "summary.csv": "summary",
    "extended.csv": "extended",
    "roc.all.csv.gz": "roc_all",
    "roc.Locations.SNP.csv.gz": "roc_snp",
    "roc.Locations.SNP.PASS.csv.gz": "roc_snp_pass",
    "roc.Locations.SNP.SEL.csv.gz": "roc_snp_sel",
    "roc.Locations.INDEL.csv.gz": "roc_indel",
    "roc.Locations.INDEL.PASS.csv.gz": "roc_indel_pass",
    "roc.Locations.INDEL.SEL.csv.gz": "roc_indel_sel",
    "metrics.json.gz": "metrics",
    "runinfo.json": "runinfo",
    "vcf.gz": "vcf",
    "vcf.gz.tbi": "vcf_index",
    "vcf.gz.csi": "vcf_index",
}
Write = Callable[[Path], None]


def _writers(content: Content) -> dict[str, Write]:
    job = content.job
    kept = [row for row in content.table if row.filter in ("ALL", "PASS")]
    header, cells = tables.extended_table(kept, job.roc, job.ci_alpha)
    summary = [tables.summary_cells(row) for row in content.result.summary
               if row.filter in ("ALL", "PASS")]  # fmt: skip
    _, curve_cells = tables.extended_table(content.curves(), job.roc, job.ci_alpha)
    _, table_cells = tables.extended_table(content.table, job.roc, job.ci_alpha)
    every = sorted([*table_cells, *curve_cells], key=_order)
    json_tables = [
        tables.metrics_table("summary.metrics", tables.SUMMARY, summary),
        tables.metrics_table("all.metrics", header, cells),
    ]
    writers: dict[str, Write] = {
        "summary.csv": lambda path: tables.write_csv(path, tables.SUMMARY, summary),
        "extended.csv": lambda path: tables.write_csv(path, header, cells),
        "roc.all.csv.gz": lambda path: tables.write_csv(path, header, every),
    }
    for type_ in TYPES:
        for filter_, suffix in (("ALL", ""), ("PASS", ".PASS"), ("SEL", ".SEL")):
            chosen = [
                cell
                for cell in curve_cells
                if cell[0] == type_ and cell[1] == "*" and cell[3] == filter_
            ]
            if filter_ == "SEL" and not job.roc_filter:
                continue
            name = f"roc.Locations.{type_}{suffix}"
            writers[f"{name}.csv.gz"] = _csv_writer(header, chosen)
            json_tables.append(tables.metrics_table(name, header, chosen))
    writers["metrics.json.gz"] = lambda path: tables.write_json(
        path, _metrics(json_tables)
    )
    writers["runinfo.json"] = lambda path: tables.write_text(path, _run_info(content))
    return writers


def _csv_writer(header: list[str], cells: list[list[str]]) -> Write:
    return lambda path: tables.write_csv(path, header, cells)


def _order(cells: list[str]) -> tuple[object, ...]:
    """hap.py's order: by the first six columns, all calls before the thresholds."""
    return (*cells[:6], -1.0e308 if cells[6] == "*" else float(cells[6]))


def _metrics(json_tables: list[dict[str, object]]) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "name": "hap.py.comparison",
        "timestamp": now.strftime("%a %b %d %X %Y"),
        "version": "vcbench",
        "runInfo": [{"key": "commandline", "value": " ".join(sys.argv)}],
        "metadata": {"required": {"id": "haplotypes", "version": "vcbench",
                                  "module": "vcbench", "description": "VCBench"}},
        "sampleInfo": [],
        "parameters": [],
        "metrics": json_tables,
    }  # fmt: skip


def _run_info(content: Content) -> str:
    arguments = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in asdict(content.job).items()
    }
    result = content.result
    info = {
        "engine": "vcbench builtin",
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "uname": " / ".join(platform.uname()),
        "final_args": arguments,
        "samples": {"truth": result.truth_sample, "query": result.query_sample},
        "skipped": result.skipped,
        "unsettled": [asdict(region) for region in result.unsettled],
        "warnings": result.warnings,
        "timings": content.timings,
    }
    return json.dumps(info, indent=1) + "\n"
