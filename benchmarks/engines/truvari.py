"""Truvari as the engine of structural variants, run as a child process.

Its parameters are named presets, so that a run can say which it was made with.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import outside
from benchmarks.engines.base import (
    Availability,
    EngineCancelledError,
    EngineContext,
    EngineError,
    Level,
    StructuralVariantJob,
    StructuralVariantResult,
)
from benchmarks.engines.tools import Limits, Stream, ToolError, ToolOutcome, ToolRunner
from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.truvari import (
    LEVEL,
    read_bench,
    read_log,
    read_params,
    read_refined,
)

REFINE = Path(__file__).with_name("refine.py")
FILES = {
    "summary": "summary.json",
    "params": "params.json",
    "log": "log.txt",
    "candidates": "candidate.refine.bed",
    "tp_base": "tp-base.vcf.gz",
    "tp_base_index": "tp-base.vcf.gz.tbi",
    "tp_comp": "tp-comp.vcf.gz",
    "tp_comp_index": "tp-comp.vcf.gz.tbi",
    "fp": "fp.vcf.gz",
    "fp_index": "fp.vcf.gz.tbi",
    "fn": "fn.vcf.gz",
    "fn_index": "fn.vcf.gz.tbi",
    "refined_summary": "refine.variant_summary.json",
    "refined_regions": "refine.regions.txt",
    "refined_region_summary": "refine.region_summary.json",
    "refined_log": "refine.log.txt",
    "refined_base": "refine.base.vcf.gz",
    "refined_base_index": "refine.base.vcf.gz.tbi",
    "refined_comp": "refine.comp.vcf.gz",
    "refined_comp_index": "refine.comp.vcf.gz.tbi",
}


@dataclass(frozen=True, slots=True)
class Preset:
    """Named parameters; `title` is fit to be shown, `refine` adds harmonisation."""

    name: str
    title: str
    arguments: tuple[str, ...] = ()
    refine: bool = False


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("default", "Truvari's own defaults"),
        Preset(
            "q100",
            "NIST's parameters for the T2T-Q100 truth set, with refinement",
            ("--pick", "ac", "--passonly", "-r", "2000", "-C", "5000"),
            refine=True,
        ),
        Preset(
            "dragen",
            "PASS calls only, duplications compared as insertions",
            ("--passonly", "--dup-to-ins"),
        ),
    )
}


# How Truvari complains before it has set up its log.
EARLY = re.compile(r"^(?P<level>WARNING|ERROR|CRITICAL):[^:]*:(?P<text>.*)$")
NOTHING_TO_REFINE = "No regions to be refined"


class TruvariEngine:
    """`truvari bench` and, where the preset says so, `truvari refine`."""

    name = "truvari"

    def __init__(self, command: tuple[str, ...] = ()) -> None:
        self._command = command

    def probe(self) -> Availability:
        command = self._find()
        if not command:
            return Availability(
                available=False,
                reason="The Python package truvari is not installed here.",
                remedy="Install a C compiler and run the set-up again; three of "
                "Truvari's dependencies are built from source.",
            )
        outcome = ToolRunner().capture([*command, "version"], seconds=60)
        if not outcome.ok:
            return Availability(
                available=False,
                reason=f"Truvari is installed but does not start: {outcome.words}",
                remedy="Look at its last lines and install it anew: "
                f"{' / '.join(outcome.tail[-3:]) or 'it wrote nothing'}",
                command=command,
            )
        version = outcome.stdout.strip().removeprefix("Truvari v")
        return Availability(available=True, version=version, command=command)

    def run(
        self, job: StructuralVariantJob, context: EngineContext
    ) -> StructuralVariantResult:
        """Raises EngineError with Truvari's own words on bad input."""
        preset = self._checked(job)
        command = self._find()
        if not command:
            raise EngineError(f"Truvari cannot run here: {self.probe().reason}")
        commands = [bench_command(command, job, preset)]
        self._call(commands[0], job, context)
        notes: list[str] = []
        if preset.refine:
            refined, note = refine_command(command, job)
            notes += [note] if note else []
            commands.append(refined)
            notes += self._refined(refined, job, context)
        return self._result(job, commands, notes)

    def _checked(self, job: StructuralVariantJob) -> Preset:
        """All faults of a job at once."""
        faults = [
            f"The {what} {path} is missing."
            for what, path in (
                ("truth VCF", job.truth),
                ("query VCF", job.query),
                ("reference", job.reference),
                ("BED of confident regions", job.confident),
            )
            if path is not None and not path.is_file()
        ]
        for path in (job.truth, job.query):
            if path.is_file() and not _indexed(path):
                faults.append(f"{path} has no index; make one with tabix -p vcf.")
        if job.out_dir.exists():
            faults.append(f"The folder {job.out_dir} exists already.")
        if job.preset not in PRESETS:
            known = ", ".join(PRESETS)
            faults.append(f"There is no preset {job.preset!r}; there are {known}.")
        if faults:
            raise EngineError(" ".join(faults), tuple(faults))
        return PRESETS[job.preset]

    def _call(
        self,
        command: tuple[str, ...],
        job: StructuralVariantJob,
        context: EngineContext,
    ) -> ToolOutcome:
        context.log("info", " ".join(command))
        limits = context.tools.limits
        if job.memory_bytes is not None:
            limits = Limits(
                limits.seconds, limits.silence, job.memory_bytes, limits.grace
            )
        lines = _Lines(context)
        try:
            return context.tools.check(command, on_line=lines, limits=limits)
        except ToolError as error:
            said = lines.errors[0] if lines.errors else ""
            raise outside.failure(error, said) from error

    def _refined(
        self,
        command: tuple[str, ...],
        job: StructuralVariantJob,
        context: EngineContext,
    ) -> list[str]:
        """What went wrong; the result of bench stands whatever becomes of refine."""
        try:
            self._call(command, job, context)
        except EngineCancelledError:
            raise
        except EngineError as error:
            note = f"Without refinement, which failed: {error}"
            context.log("error", note)
            return [note]
        if read_refined(job.out_dir) is None:
            return [_why_not_refined(job.out_dir)]
        return []

    def _result(
        self,
        job: StructuralVariantJob,
        commands: list[tuple[str, ...]],
        notes: list[str],
    ) -> StructuralVariantResult:
        try:
            summary, refined = read_bench(job.out_dir), read_refined(job.out_dir)
            parameters = read_params(job.out_dir / "params.json")
            log = read_log(job.out_dir / "log.txt")
        except ParseError as error:
            raise EngineError(f"Truvari's result cannot be read. {error}") from error
        if summary.base_count == 0:
            notes.append("No variant of the truth set was compared.")
        if summary.comp_count == 0:
            notes.append("No variant of the query was compared.")
        return StructuralVariantResult(
            engine=self.name,
            versions={"truvari": log.version},
            summary=summary,
            refined=refined,
            parameters=parameters,
            commands=tuple(commands),
            files={
                name: path
                for name, file in FILES.items()
                if (path := job.out_dir / file).is_file()
            },
            notes=(*log.warnings, *notes),
        )

    def _find(self) -> tuple[str, ...]:
        """This interpreter's truvari, else one on PATH, else nothing."""
        if self._command:
            return self._command
        if importlib.util.find_spec("truvari") is not None:
            return (sys.executable, "-m", "truvari")
        found = shutil.which("truvari")
        return (found,) if found else ()


def bench_command(
    command: tuple[str, ...], job: StructuralVariantJob, preset: Preset
) -> tuple[str, ...]:
    """The argument list of `truvari bench`."""
    arguments = [*command, "bench", "-b", str(job.truth), "-c", str(job.query)]
    arguments += ["-f", str(job.reference), "-o", str(job.out_dir)]
    if job.confident is not None:
        arguments += ["--includebed", str(job.confident)]
    if job.truth_sample is not None:
        arguments += ["--bSample", job.truth_sample]
    if job.query_sample is not None:
        arguments += ["--cSample", job.query_sample]
    return (*arguments, *preset.arguments, *job.extra)


def refine_command(
    command: tuple[str, ...], job: StructuralVariantJob
) -> tuple[tuple[str, ...], str]:
    """The argument list of `truvari refine`, and what is to be noted of it.

    Truvari's default aligner, poa, is documented as not deterministic: a repeated
    run could give other numbers. mafft is NIST's choice; wfa comes with Truvari.
    """
    aligner = "mafft" if shutil.which("mafft") else "wfa"
    note = (
        ""
        if aligner == "mafft"
        else "Refined with the aligner wfa, because mafft is not installed here; the "
        "numbers can differ a little from NIST's."
    )
    # This interpreter's truvari is started by way of a repair, see there. -P: beside
    # the script lies a module that is called truvari as well.
    own = command[:1] == (sys.executable,)
    program = (sys.executable, "-P", str(REFINE)) if own else (*command, "refine")
    return (
        *program,
        "-a",
        aligner,
        "-t",
        str(job.threads),
        "-f",
        str(job.reference),
        str(job.out_dir),
    ), note


class _Lines:
    """Truvari's log lines as ours; the JSON that it writes between them is left out."""

    def __init__(self, context: EngineContext) -> None:
        self.context = context
        self.errors: list[str] = []

    def __call__(self, _stream: Stream, line: str) -> None:
        matched = LEVEL.match(line) or EARLY.match(line)
        if matched is None:
            return
        level, text = matched["level"], matched["text"]
        levels: dict[str, Level] = {"WARNING": "warning", "ERROR": "error"}
        if level in ("ERROR", "CRITICAL"):
            self.errors.append(text)
        if not text.startswith(("Params", "Stats", "Command ")):
            self.context.log(levels.get(level, "info"), text)


def _why_not_refined(folder: Path) -> str:
    """refine ends with code 0 and without a summary where it has nothing to do."""
    try:
        log = read_log(folder / "refine.log.txt")
    except ParseError as error:
        return f"Without refinement, which left no log: {error}"
    if any(line.startswith(NOTHING_TO_REFINE) for line in log.errors):
        return "No region needed refinement; the numbers of bench stand."
    return "Without refinement, which ended without a summary."


def _indexed(path: Path) -> bool:
    return any(path.with_name(path.name + end).is_file() for end in (".tbi", ".csi"))
