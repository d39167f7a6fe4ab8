"""RQ workers, which carry out runs, and the reaper, which notices that one is gone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from vcbench_site.embedded.processes import Child, Children

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


def start(children: Children, log: Path, environment: Mapping[str, str]) -> Child:
    return _start(children, log, environment, "A worker", "worker", "--no-reaper")


def start_reaper(
    children: Children, log: Path, environment: Mapping[str, str]
) -> Child:
    """One for all workers, and none of their children: it is there when they die."""
    return _start(children, log, environment, "The reaper", "reap")


def _start(
    children: Children, log: Path, environment: Mapping[str, str], name: str, *what: str
) -> Child:
    command = [sys.executable, str(MANAGE), *what]
    return children.add(Child(name, command, environment=environment, log=log))
