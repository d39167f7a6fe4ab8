"""Redis and PostgreSQL restarted in the middle of runs: do all of them complete?

    python benches/restart.py [--runs 20] [--workers 2]

First Valkey is killed, and comes back empty, three times while runs go on; then the
same with PostgreSQL, on a server of the bench's own. Prints one JSON line last, and
ends with 1 unless every run completed with a whole log.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches import postgres
from benches.kill import faults_of, numbers, order, undisturbed
from benches.laboratory import Laboratory, laboratory

TIMES = 3
PATIENCE = 1800.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--samples", type=int, default=2, help="of the laboratory")
    parser.add_argument("--what", choices=("redis", "postgresql"), required=True)
    options = parser.parse_args()
    if options.what == "redis":
        with laboratory(samples=options.samples) as lab:
            found = disturb(lab, options, lambda: kill_valkey(lab))
    else:
        with postgres.serving() as server:
            os.environ["VCBENCH_DATABASE_URL"] = server.url

            def restart() -> None:
                server.stop()
                time.sleep(2)
                server.start()

            with laboratory(
                samples=options.samples, VCBENCH_DATABASE_URL=server.url
            ) as lab:
                found = disturb(lab, options, restart)
    print(json.dumps({"restarted": options.what, **found}))
    sound = found["as_undisturbed"] == options.runs and not found["faults"]
    return 0 if sound else 1


def kill_valkey(lab: Laboratory) -> None:
    """SIGKILL; its keeper starts it again, empty, on the same port."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ours = f":{lab.portal.redis_url.rpartition(':')[2].split('/')[0]}".encode()
        if b"valkey-server" in command and ours in command:
            os.kill(int(path.name), signal.SIGKILL)


def disturb(
    lab: Laboratory, options: argparse.Namespace, restart: Callable[[], None]
) -> dict[str, Any]:
    from runs.database import steady
    from runs.models import Run

    for _ in range(options.workers):
        lab.portal.add_worker()
    for sample in lab.samples:
        undisturbed(sample)
    expected = {sample: undisturbed(sample).numbers for sample in lab.samples}
    began = time.monotonic()
    runs = [order(lab.samples[i % len(lab.samples)]) for i in range(options.runs)]
    keys = [run.pk for run in runs]

    @steady
    def ended() -> int:
        return Run.objects.ended().filter(pk__in=keys).count()

    pause, restarts, done = threading.Event(), 0, 0
    while done < options.runs and time.monotonic() - began < PATIENCE:
        due = (restarts + 1) * options.runs / (TIMES + 1)
        if restarts < TIMES and done >= due - 1:
            restart()
            restarts += 1
        pause.wait(0.3)
        done = ended()
    rows = list(Run.objects.filter(pk__in=keys).select_related("sample"))
    return {
        "runs": options.runs,
        "restarts": restarts,
        "as_undisturbed": sum(
            run.status == "completed" and numbers(run) == expected[run.sample.name]
            for run in rows
        ),
        "statuses": dict(Counter(run.status for run in rows)),
        "attempts": dict(Counter(run.attempt for run in rows)),
        "faults": [fault for run in rows for fault in faults_of(run)][:20],
        "seconds": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
