"""The benches of reliability at a small count: real processes, killed and restarted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.services,
    pytest.mark.xdist_group("reliability"),
    pytest.mark.skipif(
        "postgres" in os.environ.get("VCBENCH_DATABASE_URL", ""),
        reason="the benches bring their own database; run with the suite on SQLite",
    ),
]
SOON = {"VCBENCH_BEAT_SECONDS": "1", "VCBENCH_LOST_SECONDS": "6"}
"""The reaper's patience; the default is a minute."""


def bench(name: str, *arguments: str) -> dict[str, Any]:
    """What the bench found, by the JSON line that it prints last."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VCBENCH_")}
    done = subprocess.run(
        [sys.executable, f"benches/{name}.py", *arguments],
        cwd=ROOT,
        env={**clean, **SOON},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_runs_whose_workers_are_killed() -> None:
    found = bench("kill", "--runs", "4", "--samples", "1", "--seed", "3")
    assert found["faults"] == []
    assert found["orphans"] == 0
    assert found["as_undisturbed"] == found["runs"]
    assert sum(found["killed"].values()) == 4


def test_runs_while_valkey_is_killed() -> None:
    found = bench("restart", "--what", "redis", "--runs", "4", "--samples", "1")
    assert (found["faults"], found["restarts"]) == ([], 3)
    assert found["as_undisturbed"] == 4


def test_one_worker_of_many_and_none_past_its_claim() -> None:
    found = bench("freeze")
    assert found["doubled"]["begun"] == 1
    assert found["frozen"]["faults"] == []
    assert not found["frozen"]["changed"]
    assert found["frozen"]["attempt"] == 2
    assert found["frozen"]["sleeper_ended"]


@pytest.mark.skipif(
    not list(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")),
    reason="no PostgreSQL server programs (Debian: postgresql)",
)
def test_runs_while_postgresql_is_restarted() -> None:
    found = bench("restart", "--what", "postgresql", "--runs", "4", "--samples", "1")
    assert (found["faults"], found["restarts"]) == ([], 3)
    assert found["as_undisturbed"] == 4


def test_runs_that_are_told_to_stop() -> None:
    found = bench("stop", "--times", "1")
    assert found["orphans"] == 0
    assert found["cancel_seconds"]["happy"][0] < 5
    assert found["shutdown_seconds"][0] < 5
