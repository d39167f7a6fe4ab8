"""The one exception that leaves the engine."""

from __future__ import annotations


class BenchmarkError(Exception):
    """What keeps a benchmark from being made; `faults` holds one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
