"""RTG vcfeval by itself: its verdicts, counted by VCBench as hap.py would count them.

The reference is converted to RTG's own format (SDF) once and kept.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.engines import calls, containers, outside
from benchmarks.engines.base import (
    Availability,
    EngineContext,
    EngineError,
    EngineResult,
    Level,
    SmallVariantJob,
)
from benchmarks.engines.builtin import child_values, run_child
from benchmarks.engines.files import check_inputs, result_of
from benchmarks.engines.happy import GIVEN_UP, java_memory
from benchmarks.engines.tools import Stream, ToolError

TOOL = outside.Tool(
    title="RTG",
    program="rtg",
    asked="version",
    version=re.compile(r"RTG Tools (\S+)|Version: (?:RTG \w+ )?(\S+)"),
    setting="VCBENCH_RTG_COMMAND",
    remedy="Install RTG Tools (it needs Java), or set VCBENCH_RTG_COMMAND to a "
    "container command that ends with rtg. The built-in engine gives the same verdicts "
    "without it.",
)
LOOSE_DISTANCE = 30
"""Bases within which a call counts as a local match, as hap.py asks for it."""


class VcfevalEngine:
    """`command` is the program `rtg`, or the container command of the settings."""

    name = "vcfeval"

    def __init__(self, command: tuple[str, ...] = ()) -> None:
        self._command = command

    def probe(self) -> Availability:
        return TOOL.probe(self._command)

    def run(self, job: SmallVariantJob, context: EngineContext) -> EngineResult:
        """Raises EngineError with RTG's own words."""
        check_inputs(job)
        probed = outside.must(self.probe())
        rtg = Rtg(probed.command, job, context)
        with tempfile.TemporaryDirectory(
            dir=job.out_prefix.parent, prefix=".vcfeval."
        ) as name:
            scratch = Path(name)
            ready = replace(
                job,
                truth=calls.prepare(job.truth, job.truth_sample, scratch, "truth"),
                query=calls.prepare(job.query, job.query_sample, scratch, "query"),
                truth_sample=None,
                query_sample=None,
                sdf=rtg.template(scratch),
            )
            out = scratch / "eval"
            rtg.call(arguments(ready, out), [ready.truth, ready.query, scratch])
            self._quantify(ready, out / "output.vcf.gz", context)
        return result_of(
            job, self.name, {"rtg-tools": probed.version}, tuple(rtg.commands)
        )

    def _quantify(
        self, job: SmallVariantJob, annotated: Path, context: EngineContext
    ) -> None:
        """Count RTG's verdicts in a child process, as the built-in engine counts."""
        if not annotated.is_file():
            raise EngineError(f"rtg vcfeval ended well but left no {annotated.name}.")
        # what RTG compared are the records as they are
        values = {**child_values(job), "leftshift": False, "decompose": False}
        module = "benchmarks.engines.vcfeval_child"
        run_child(
            [sys.executable, "-P", "-m", module, json.dumps(values), str(annotated)],
            context,
        )


def arguments(job: SmallVariantJob, out: Path) -> tuple[str, ...]:
    """`rtg vcfeval` as hap.py calls it. No regions: they are applied when counting."""
    given = ["vcfeval", "-b", str(job.truth), "-c", str(job.query)]
    given += ["-t", str(job.sdf), "-o", str(out), "-T", str(job.threads)]
    given += ["-m", "ga4gh", "--ref-overlap", "-f", job.roc]
    given += [f"--Xloose-match-distance={LOOSE_DISTANCE}"]
    return tuple(given) if job.pass_only else (*given, "--all-records")


class Rtg:
    """RTG's commands for one job."""

    def __init__(
        self, command: tuple[str, ...], job: SmallVariantJob, context: EngineContext
    ) -> None:
        self.command = command
        self.job = job
        self.context = context
        self.commands: list[tuple[str, ...]] = []

    def template(self, scratch: Path) -> Path:
        """The reference as SDF: given, kept from an earlier run, or made now."""
        if self.job.sdf is not None:
            return self.job.sdf
        folder = self.job.cache_dir or scratch
        kept = folder / f"{self.job.reference.name}.sdf"
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f".{kept.name}.lock"):
            if not _fits(kept, self.job.reference):
                self._make_template(kept)
        return kept

    def _make_template(self, kept: Path) -> None:
        self.context.log("info", f"Converting {self.job.reference.name} for RTG, once.")
        fresh = kept.with_name(f".{kept.name}.new")
        for old in (fresh, kept):
            shutil.rmtree(old, ignore_errors=True)
        self.call(
            ("format", "-o", str(fresh), str(self.job.reference)),
            [self.job.reference, kept.parent],
        )
        (fresh / "made-from.json").write_text(json.dumps(_mark(self.job.reference)))
        fresh.rename(kept)

    def call(self, given: tuple[str, ...], paths: list[Path]) -> None:
        memory = java_memory(self.job)
        sdf = [self.job.cache_dir] if self.job.cache_dir else []
        command = containers.prepare(
            self.command,
            [*paths, *sdf, *([self.job.sdf] if self.job.sdf else [])],
            memory=self.job.memory_bytes,
            env=memory,
        )
        argv = (*command.argv, *given)
        self.commands.append(argv)
        lines = _Lines(self.context)
        try:
            outside.call(command, argv, self.context, lines, memory)
        except ToolError as error:
            raise outside.failure(error, lines.error, f"rtg {given[0]}") from error


class _Lines:
    """RTG's lines as ours; 'Error: …' is where it says what is wrong."""

    def __init__(self, context: EngineContext) -> None:
        self.context = context
        self.error = ""

    def __call__(self, _stream: Stream, line: str) -> None:
        levels: dict[str, Level] = {"Error": "error", "Warning": "warning"}
        start, _, text = line.partition(": ")
        if start == "Error" and not self.error:
            self.error = text
        level = "warning" if line.startswith(GIVEN_UP) else levels.get(start, "info")
        self.context.log(level, line)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time makes a template; the others wait and find it made."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mark(reference: Path) -> dict[str, int | str]:
    found = reference.stat()
    return {
        "name": reference.name,
        "bytes": found.st_size,
        "modified": found.st_mtime_ns,
    }


def _fits(kept: Path, reference: Path) -> bool:
    """Whether a kept template was made whole, and from this very file."""
    try:
        return bool(
            json.loads((kept / "made-from.json").read_text()) == _mark(reference)
        )
    except (OSError, ValueError):
        return False
