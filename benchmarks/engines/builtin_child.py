"""The built-in engine in a process of its own: `-m benchmarks.engines.builtin_child`.

So it can be cancelled at once, its memory is given back, and a crash of compiled
code takes no worker with it. The job comes as JSON in the only argument; what it has
to say goes to standard output, one JSON object a line, under one of the keys
`log` (level, sentence), `progress` (a fraction of 1), `result` or `faults`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.memory import expect_large_arrays
from benchmarks.haplotypes.run import BenchmarkError, Comparer, Job, benchmark

PATHS = {
    "truth",
    "query",
    "reference",
    "out_prefix",
    "confident",
    "stratification",
    "targets",
}
BAD_INPUT = 2


def main(arguments: list[str]) -> int:
    expect_large_arrays()
    return carry_out(json.loads(arguments[0]))


def carry_out(values: dict[str, Any], comparer: Comparer = compare) -> int:
    """Benchmark and say how it goes; the exit code."""
    try:
        result = benchmark(
            job_of(values),
            log=lambda level, sentence: say("log", [level, sentence]),
            progress=lambda done: say("progress", done),
            comparer=comparer,
        )
    except BenchmarkError as error:
        say("faults", error.faults)
        return BAD_INPUT
    say(
        "result",
        {
            "skipped": result.skipped,
            "timings": result.timings,
            "unsettled": len(result.unsettled),
        },
    )
    return 0


def job_of(values: dict[str, Any]) -> Job:
    """Names that the engine does not know are an error, so that none is lost."""
    known = {part.name for part in fields(Job)}
    unknown = set(values) - known
    if unknown:
        raise TypeError(f"the engine has no options {', '.join(sorted(unknown))}")
    options: dict[str, Any] = {
        name: Path(value) if name in PATHS and value is not None else value
        for name, value in values.items()
    }
    return Job(**options)


def say(kind: str, what: object) -> None:
    sys.stdout.write(json.dumps({kind: what}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
