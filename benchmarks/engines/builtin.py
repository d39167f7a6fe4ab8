"""The engine that VCBench brings along: `benchmarks.haplotypes`, as a child process."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from benchmarks.engines.base import (
    Availability,
    EngineCancelledError,
    EngineContext,
    EngineError,
    EngineResult,
    SmallVariantJob,
)
from benchmarks.engines.files import check_inputs, result_of
from benchmarks.engines.tools import Stream, ToolOutcome

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("numpy", "numba")
STEPS = 1000


class BuiltinEngine:
    """Needs nothing but Python packages."""

    name = "builtin"

    def probe(self) -> Availability:
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            return Availability(
                available=False,
                reason=f"The Python packages {', '.join(missing)} are not installed.",
                remedy="Run the set-up again: pip install -r requirements/base.txt.",
            )
        return Availability(available=True, version=vcbench_version())

    def run(self, job: SmallVariantJob, context: EngineContext) -> EngineResult:
        """Raises EngineError with every fault of the inputs."""
        check_inputs(job)
        run_child(child_command(job), context)
        return result_of(
            job,
            self.name,
            self._versions(),
            (equivalent_command(job),),
        )

    def _versions(self) -> dict[str, str]:
        packages = {name: importlib.metadata.version(name) for name in NEEDED}
        return {"builtin": vcbench_version(), **packages}


def vcbench_version() -> str:
    """As pyproject.toml has it."""
    try:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    except (OSError, KeyError):
        return "unknown"
    return str(project["version"])


def run_child(command: list[str], context: EngineContext) -> None:
    """Run a child that speaks as `builtin_child` does. Raises EngineError."""
    said = _Said(context)
    outcome = context.tools.run(command, on_line=said, env={"PYTHONPATH": str(ROOT)})
    if outcome.ending == "cancelled":
        raise EngineCancelledError(outcome.words)
    if not outcome.ok:
        raise _failed(said, outcome)


def child_command(job: SmallVariantJob) -> list[str]:
    """How the engine is started; the job as JSON."""
    module = "benchmarks.engines.builtin_child"
    return [sys.executable, "-P", "-m", module, json.dumps(child_values(job))]


def child_values(job: SmallVariantJob) -> dict[str, Any]:
    """The job by the names of `benchmarks.haplotypes.job.Job`."""
    return {
        "truth": str(job.truth),
        "query": str(job.query),
        "reference": str(job.reference),
        "out_prefix": str(job.out_prefix),
        "confident": _text(job.confident),
        "targets": _text(job.targets),
        "stratification": _text(job.stratification),
        "roc": job.roc,
        "pass_only": job.pass_only,
        "ci_alpha": job.ci_alpha,
        "threads": job.threads,
        "truth_sample": job.truth_sample,
        "query_sample": job.query_sample,
        "sex": job.sex,
    }


def equivalent_command(job: SmallVariantJob) -> tuple[str, ...]:
    """The command line that makes the same files, for the record of a run."""
    command = ["manage.py", "happy", str(job.truth), str(job.query)]
    command += ["-r", str(job.reference), "-o", str(job.out_prefix)]
    for option, value in (
        ("-f", job.confident),
        ("-T", job.targets),
        ("--stratification", job.stratification),
        ("--roc", job.roc),
        ("--ci-alpha", job.ci_alpha),
        ("--threads", job.threads),
        ("--gender", job.sex),
    ):
        if value is not None:
            command += [option, str(value)]
    if job.truth_sample is not None or job.query_sample is not None:
        command += ["--sample", f"{job.truth_sample or ''},{job.query_sample or ''}"]
    return (*command, "--pass-only") if job.pass_only else tuple(command)


class _Said:
    """What the child says, passed on as it comes."""

    def __init__(self, context: EngineContext) -> None:
        self.context = context
        self.faults: list[str] = []

    def __call__(self, stream: Stream, line: str) -> None:
        message = _message(line) if stream == "stdout" else None
        match message:
            case {"log": [level, sentence]}:
                self.context.log(level, sentence)
            case {"progress": int() | float() as done}:
                self.context.progress(round(done * STEPS), STEPS)
            case {"faults": list() as faults}:
                self.faults += map(str, faults)


def _message(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _failed(said: _Said, outcome: ToolOutcome) -> EngineError:
    if said.faults:
        return EngineError(" ".join(said.faults), tuple(said.faults))
    last = next((line for line in reversed(outcome.tail) if _message(line) is None), "")
    words = outcome.words.replace(Path(outcome.argv[0]).name, "The built-in engine", 1)
    return EngineError(f"{words}{f' It said: {last}' if last else ''}", outcome.tail)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
