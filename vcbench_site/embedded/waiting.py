"""Waiting until a part answers."""

from __future__ import annotations

import time
from collections.abc import Callable

from vcbench_site.embedded.processes import Child, StartFailed

SECONDS = 60.0


def until(
    answers: Callable[[], bool], child: Child, *, seconds: float = SECONDS
) -> None:
    """Wait until the child answers; raise `StartFailed` when it ends or is silent."""
    end = time.monotonic() + seconds
    while not answers():
        if not child.alive:
            raise StartFailed(
                f"{child.name} ended at its start. It wrote last ({child.log}):\n"
                f"{child.last_lines()}"
            )
        if time.monotonic() > end:
            raise StartFailed(
                f"{child.name} did not answer in {seconds:.0f} s. It wrote last "
                f"({child.log}):\n{child.last_lines()}"
            )
        time.sleep(0.05)
