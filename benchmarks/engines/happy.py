"""hap.py, from PATH or out of a container, with vcfeval as its comparison."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.engines import calls, containers, outside
from benchmarks.engines.base import (
    Availability,
    EngineContext,
    EngineResult,
    SmallVariantJob,
)
from benchmarks.engines.files import check_inputs, result_of, with_suffix
from benchmarks.engines.tools import Stream, ToolError

# "2019-01-01 12:00:00,000 INFO     Comparing …": how its logging writes
LINE = re.compile(r"^[\d-]+ [\d:,]+ (?P<level>[A-Z]+)\s+(?P<text>.*)$")
TABLE = re.compile(r"^(?:Benchmarking Summary|\s*Type\b|\s*(?:INDEL|SNP)\b)")
GIVEN_UP = "Evaluation too complex"
"""How vcfeval names a region that it leaves out of all counts."""
TOOL = outside.Tool(
    title="hap.py",
    program="hap.py",
    asked="--version",
    version=re.compile(r"Hap\.py v?(\S+)"),
    setting="VCBENCH_HAPPY_COMMAND",
    remedy="Set VCBENCH_HAPPY_COMMAND, for instance to 'docker run --rm "
    "jmcdani20/hap.py:v0.3.12 /opt/hap.py/bin/hap.py'. The built-in engine gives the "
    "same verdicts without it.",
)


class HappyEngine:
    """`command` is the program, or the container command of the settings."""

    name = "happy"

    def __init__(self, command: tuple[str, ...] = ()) -> None:
        self._command = command

    def probe(self) -> Availability:
        return TOOL.probe(self._command)

    def run(self, job: SmallVariantJob, context: EngineContext) -> EngineResult:
        """Raises EngineError with hap.py's own words."""
        check_inputs(job)
        probed = outside.must(self.probe())
        with tempfile.TemporaryDirectory(
            dir=job.out_prefix.parent, prefix=".happy."
        ) as name:
            scratch = Path(name)
            ready = replace(
                job,
                truth=calls.prepare(job.truth, job.truth_sample, scratch, "truth"),
                query=calls.prepare(job.query, job.query_sample, scratch, "query"),
            )
            command = self._prepared(probed.command, ready, scratch)
            argv = (*command.argv, *arguments(ready, scratch))
            self._call(argv, command, context, java_memory(job))
        # kept by --verbose only: the curves once more, uncompressed
        with_suffix(job.out_prefix, "roc.tsv").unlink(missing_ok=True)
        return result_of(job, self.name, {"hap.py": probed.version}, (argv,))

    def _prepared(
        self, template: tuple[str, ...], job: SmallVariantJob, scratch: Path
    ) -> containers.Command:
        paths = [job.truth, job.query, job.reference, job.out_prefix.parent, scratch]
        paths += [
            path
            for path in (job.confident, job.targets, job.stratification, job.sdf)
            if path is not None
        ]
        paths += strata_folders(job.stratification)
        return containers.prepare(
            template,
            paths,
            memory=job.memory_bytes,
            env={"TMPDIR": str(scratch), "HOME": str(scratch), **java_memory(job)},
        )

    def _call(
        self,
        argv: tuple[str, ...],
        command: containers.Command,
        context: EngineContext,
        env: dict[str, str],
    ) -> None:
        lines = _Lines(context)
        try:
            outside.call(command, argv, context, lines, env)
        except ToolError as error:
            said = lines.errors[0] if lines.errors else ""
            raise outside.failure(error, said, "hap.py") from error


def arguments(job: SmallVariantJob, scratch: Path) -> tuple[str, ...]:
    """hap.py's arguments for a job, as version 0.3.15 understands them."""
    given = [str(job.truth), str(job.query)]
    given += ["-r", str(job.reference), "-o", str(job.out_prefix)]
    for option, value in (
        ("-f", job.confident),
        ("-T", job.targets),
        ("--stratification", job.stratification),
        ("--engine-vcfeval-template", job.sdf),
    ):
        if value is not None:
            given += [option, str(value)]
    given += ["--engine=vcfeval", "--roc", job.roc]
    given += ["--ci-alpha", str(job.ci_alpha)] if job.ci_alpha else []
    given += ["--threads", str(job.threads), "--gender", job.sex]
    given += ["--scratch-prefix", str(scratch), "--verbose"]
    given += ["--pass-only"] if job.pass_only else []
    # on a plain VCF this option would delete every variant of one allele
    given += ["--convert-gvcf-query"] if job.is_gvcf else []
    return tuple(given)


def strata_folders(listing: Path | None) -> list[Path]:
    """The BED files that a stratification list names, so that a container sees them."""
    if listing is None:
        return []
    named = [
        Path(line.partition("\t")[2].strip())
        for line in listing.read_text().splitlines()
        if "\t" in line
    ]
    return [path if path.exists() else listing.parent / path for path in named]


def java_memory(job: SmallVariantJob) -> dict[str, str]:
    """RTG takes 90 % of the machine's memory unless it is told otherwise."""
    if job.memory_bytes is None:
        return {}
    return {"RTG_MEM": f"{max(job.memory_bytes // 2**20 * 3 // 4, 512)}m"}


class _Lines:
    """hap.py's log lines as ours."""

    def __init__(self, context: EngineContext) -> None:
        self.context = context
        self.errors: list[str] = []

    def __call__(self, _stream: Stream, line: str) -> None:
        matched = LINE.match(line)
        if matched is None:
            if line.startswith(GIVEN_UP):
                self.context.log("warning", line)
            elif TABLE.match(line):
                self.context.log("info", line)
            return
        match matched["level"]:
            case "ERROR" | "CRITICAL":
                self.errors.append(matched["text"])
                self.context.log("error", matched["text"])
            case "WARNING":
                self.context.log("warning", matched["text"])
            case _:
                self.context.log("info", matched["text"])
