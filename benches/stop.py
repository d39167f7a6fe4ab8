"""Runs that are told to stop: how long until they have, and what is left?

    python benches/stop.py [--times 3]

A run is cancelled in each stage (as often as asked), and a worker is told to end
(SIGTERM) in the middle of a run, which has to go on at once elsewhere. Prints the
seconds from the word to the end as one JSON line last; ends with 1 if one took more
than five seconds or left a process behind.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.kill import order, orphans, parent_of, wait
from benches.laboratory import Laboratory, laboratory

STAGES = ("download", "reference", "happy", "truvari")
LIMIT = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with laboratory(samples=1) as lab:
        lab.portal.add_worker()
        lab.portal.add_worker()
        wait([order(lab.samples[0]).pk])
        cancels = {
            stage: [cancel_in(lab, stage) for _ in range(options.times)]
            for stage in STAGES
        }
        handed = [shut_down(lab) for _ in range(options.times)]
        left = orphans(lab.portal.folder)
    found = {"cancel_seconds": cancels, "shutdown_seconds": handed, "orphans": left}
    print(json.dumps(found))
    times = [seconds for some in cancels.values() for seconds in some if seconds]
    return 0 if max(times + handed) <= LIMIT and not left else 1


def reached(run: Any, stage: str) -> bool:
    """Wait for the stage; False when the run was quicker than the look."""
    pause = threading.Event()
    while run.is_active and run.stage != stage:
        pause.wait(0.005)
        run.refresh_from_db()
    return bool(run.is_active)


def cancel_in(lab: Laboratory, stage: str) -> float | None:
    """Seconds from the word to the end; None when the stage could not be caught."""
    from runs import lifecycle

    run = order(lab.samples[0])
    if not reached(run, stage):
        return None
    began = time.monotonic()
    try:
        lifecycle.cancel(run, by="bench")
    except lifecycle.Refused:
        return None
    wait_fast(run)
    return round(time.monotonic() - began, 2) if run.status == "cancelled" else None


def wait_fast(run: Any) -> None:
    pause = threading.Event()
    while run.is_active:
        pause.wait(0.02)
        run.refresh_from_db()


def shut_down(lab: Laboratory) -> float:
    """Seconds from SIGTERM until another worker has the run."""
    run = order(lab.samples[0])
    reached(run, "happy")
    began = time.monotonic()
    os.kill(parent_of(int(run.worker.rpartition("/")[2])), signal.SIGTERM)
    pause = threading.Event()
    while not (run.attempt == 2 and run.status == "running") and run.is_active:
        pause.wait(0.02)
        run.refresh_from_db()
    taken = time.monotonic() - began
    wait_fast(run)
    return round(taken, 2)


if __name__ == "__main__":
    sys.exit(main())
