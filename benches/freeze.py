"""Two workers at the same attempt, and a worker that sleeps past its claim.

    python benches/freeze.py

The same job is put into the queue several times while several workers wait: one may
carry it out. Then the worker of a run is stopped (SIGSTOP) until the run has been
completed by another, and woken: it may write nothing more. On SQLite it is stopped
between two writes: whoever stops in the middle of one holds the lock of the database,
and nobody can take the run over until he goes on or is killed. (PostgreSQL ends such a
transaction by itself.) One JSON line last; ends with 1 unless both hold.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.kill import faults_of, numbers, order, parent_of, wait
from benches.laboratory import Laboratory, laboratory

COPIES = 6


def main() -> int:
    with laboratory() as lab:
        lab.portal.add_worker()
        lab.portal.add_worker()
        found = {"doubled": doubled(lab), "frozen": frozen(lab)}
    print(json.dumps(found))
    sound = found["doubled"]["begun"] == 1 and not found["frozen"]["changed"]
    return 0 if sound and not found["frozen"]["faults"] else 1


def doubled(lab: Laboratory) -> dict[str, Any]:
    """One run, its job in the queue many times."""
    import django_rq

    from runs import queue

    run = order(lab.samples[0])
    carrier = django_rq.get_queue("default", commit_mode="auto")
    for copy in range(COPIES):
        carrier.enqueue_call(queue.JOB, (run.pk, 1), job_id=f"copy-{copy}", timeout=-1)
    wait([run.pk])
    run.refresh_from_db()
    begun = run.log_entries.filter(message__contains="begins").count()
    return {"copies": COPIES + 1, "begun": begun, "status": run.status}


def frozen(lab: Laboratory) -> dict[str, Any]:
    run = order(lab.samples[0])
    pause = threading.Event()
    until = time.monotonic() + 120
    while run.stage != "happy" and time.monotonic() < until:
        pause.wait(0.02)
        run.refresh_from_db()
    sleeper = int(run.worker.rpartition("/")[2])
    sleepers = [sleeper, parent_of(sleeper)]
    stops = stop_between_writes(run, sleepers)
    wait([run.pk])
    run.refresh_from_db()
    before = state(run)
    for process in sleepers:
        os.kill(process, signal.SIGCONT)
    while Path(f"/proc/{sleeper}").exists() and time.monotonic() < until + 120:
        pause.wait(0.1)
    run.refresh_from_db()
    return {
        "status": run.status,
        "attempt": run.attempt,
        "changed": state(run) != before,
        "faults": faults_of(run),
        "sleeper_ended": not Path(f"/proc/{sleeper}").exists(),
        "stops": stops,
    }


def stop_between_writes(run: Any, processes: list[int]) -> int:
    """How often they were stopped until they held no lock that nobody takes away."""
    pause = threading.Event()
    for stops in range(1, 50):
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        if can_write(run):
            return stops
        for process in processes:
            os.kill(process, signal.SIGCONT)
        pause.wait(0.02)
    raise SystemExit("Whenever the worker was stopped, it was amid a write.")


def can_write(run: Any) -> bool:
    """Whether the run's row can be written, at once or in a minute."""
    from django.db import OperationalError, connection
    from django.db.models import F

    if connection.vendor == "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=500")
    try:
        type(run).objects.filter(pk=run.pk).update(stage=F("stage"))
    except OperationalError:
        return False
    else:
        return True
    finally:
        connection.close()  # the next one waits as long as ever


def state(run: Any) -> Any:
    """All that the sleeper might write: row, stages, lines, files, numbers."""
    return (
        {k: v for k, v in vars(run).items() if not k.startswith("_")},
        list(run.stages.values()),
        run.log_entries.count(),
        list(run.artifacts.values()),
        numbers(run),
    )


if __name__ == "__main__":
    sys.exit(main())
