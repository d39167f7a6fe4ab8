"""RQ workers, which carry out runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from vcbench_site.embedded.processes import Child, Children

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


def start(
    children: Children,
    log: Path,
    environment: Mapping[str, str],
    *,
    reaper: bool = True,
) -> Child:
    """One worker; the first of a portal brings the reaper."""
    extra = [] if reaper else ["--no-reaper"]
    return children.add(
        Child(
            "A worker",
            [sys.executable, str(MANAGE), "worker", *extra],
            environment=environment,
            log=log,
        )
    )
