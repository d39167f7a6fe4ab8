"""The names of hap.py's output files, the same for every small-variant engine."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.engines.base import EngineError, EngineResult, SmallVariantJob
from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.happy import SummaryRow, read_summary

SUFFIXES = {
    "summary": "summary.csv",
    "extended": "extended.csv",
    "roc_all": "roc.all.csv.gz",
    "roc_snp": "roc.Locations.SNP.csv.gz",
    "roc_snp_pass": "roc.Locations.SNP.PASS.csv.gz",
    "roc_indel": "roc.Locations.INDEL.csv.gz",
    "roc_indel_pass": "roc.Locations.INDEL.PASS.csv.gz",
    "metrics": "metrics.json.gz",
    "runinfo": "runinfo.json",
    "vcf": "vcf.gz",
    "vcf_index": "vcf.gz.tbi",
}


def with_suffix(prefix: Path, suffix: str) -> Path:
    """`prefix` + `.` + `suffix`; a dot within the prefix stays."""
    return prefix.with_name(f"{prefix.name}.{suffix}")


def produced(prefix: Path) -> dict[str, Path]:
    """The files that are there."""
    return {
        name: path
        for name, suffix in SUFFIXES.items()
        if (path := with_suffix(prefix, suffix)).is_file()
    }


def summary_of(prefix: Path, tool: str) -> tuple[SummaryRow, ...]:
    """Raises EngineError where a tool that ended well left no readable summary."""
    try:
        rows = tuple(read_summary(with_suffix(prefix, SUFFIXES["summary"])))
    except ParseError as error:
        raise EngineError(
            f"{tool} left no summary that can be read. {error}"
        ) from error
    if not rows:
        raise EngineError(
            f"{tool} left an empty summary: it has compared nothing. Check that truth, "
            "query, regions and reference are of the same genome build."
        )
    return rows


def unsettled_regions(prefix: Path) -> list[dict[str, object]]:
    """Regions that the built-in engine names in its run info; none of other engines."""
    try:
        info = json.loads(with_suffix(prefix, SUFFIXES["runinfo"]).read_text())
    except (OSError, ValueError):
        return []
    return list(info.get("unsettled", []))


def result_of(
    job: SmallVariantJob,
    engine: str,
    versions: dict[str, str],
    commands: tuple[tuple[str, ...], ...],
    notes: tuple[str, ...] = (),
) -> EngineResult:
    """The result, read from the files that a tool has written."""
    return EngineResult(
        engine=engine,
        versions=versions,
        commands=commands,
        files=produced(job.out_prefix),
        notes=notes,
        rows=summary_of(job.out_prefix, engine),
    )


def check_inputs(job: SmallVariantJob) -> None:
    """Raises EngineError with every input file that is missing."""
    faults = [
        f"The {what} {path} is missing."
        for what, path in (
            ("truth VCF", job.truth),
            ("query VCF", job.query),
            ("reference", job.reference),
            ("BED of confident regions", job.confident),
            ("BED of target regions", job.targets),
            ("stratification list", job.stratification),
        )
        if path is not None and not path.is_file()
    ]
    if not job.out_prefix.parent.is_dir():
        faults.append(f"The folder {job.out_prefix.parent} for the results is missing.")
    if faults:
        raise EngineError(" ".join(faults), tuple(faults))
