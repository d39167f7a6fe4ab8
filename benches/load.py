"""Many runs queued at once: do all end, and does memory stay flat?

    python benches/load.py [--runs 1000] [--workers 4]

Runs of the QC metrics alone, so that the queue and the pipeline are what is measured.
Memory (resident, MB) of the workers' parents and of the web process is taken at the
first and at the last tenth; the monitoring page is held against the rows. Prints one
JSON line last.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.laboratory import laboratory


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    options = parser.parse_args()
    with laboratory() as lab:
        lab.portal.serve()
        for number in range(options.workers):
            lab.portal.add_worker(reaper=number == 0)
        keys = order_all(options.runs, lab.samples)
        began = time.monotonic()
        memory = follow(lab.portal.folder, keys)
        seconds = time.monotonic() - began
        found = summary(keys) | {
            "seconds": round(seconds, 1),
            "runs_per_minute": round(60 * options.runs / seconds, 1),
            "memory_mb": memory,
            "page": page(),
        }
    print(json.dumps(found))
    return 0 if found["statuses"] == {"completed": options.runs} else 1


def order_all(count: int, samples: list[str]) -> list[int]:
    from runs import lifecycle
    from runs.models import Source, StageName

    return [
        lifecycle.create(
            lifecycle.Order(
                sample_id=samples[number % len(samples)],
                source=Source.S3,
                stages=[StageName.CSV],
                join=False,
            ),
            user=None,
        ).pk
        for number in range(count)
    ]


def follow(folder: Path, keys: list[int]) -> dict[str, dict[str, float]]:
    """Wait for all; memory by kind of process at the first and the last tenth."""
    from runs.models import Run

    samples: dict[str, list[tuple[float, float]]] = {"web": [], "worker": []}
    pause, done = threading.Event(), 0
    while done < len(keys):
        pause.wait(1)
        done = Run.objects.ended().filter(pk__gte=keys[0]).count()
        for kind, megabytes in resident(folder):
            samples[kind].append((done / len(keys), megabytes))
    return {
        kind: {
            "first": round(median([mb for at, mb in some if at < 0.2] or [0]), 1),
            "last": round(median([mb for at, mb in some if at > 0.8] or [0]), 1),
        }
        for kind, some in samples.items()
    }


def resident(folder: Path) -> list[tuple[str, float]]:
    """The portal's long-lived processes: web, and the workers' parents."""
    found = []
    wanted = f"VCBENCH_DATA_DIR={folder}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if wanted not in (path / "environ").read_bytes().split(b"\0"):
                continue
            command = (path / "cmdline").read_bytes()
            status = (path / "status").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        size = re.search(r"VmRSS:\s+(\d+) kB", status)
        kind = "worker" if b"\0worker" in command else "web"
        if size and (b"daphne" in command or b"\0worker" in command):
            found.append((kind, int(size[1]) / 1024))
    return found


def summary(keys: list[int]) -> dict[str, Any]:
    from runs.models import Run

    rows = Run.objects.filter(pk__gte=keys[0])
    waits = sorted(
        (run.started_at - run.queued_at).total_seconds()
        for run in rows
        if run.started_at
    )
    return {
        "runs": len(keys),
        "statuses": dict(Counter(rows.values_list("status", flat=True))),
        "attempts": dict(Counter(rows.values_list("attempt", flat=True))),
        "wait_seconds": {"median": round(median(waits), 1), "max": round(waits[-1], 1)},
        "lines": sum(rows.values_list("last_sequence", flat=True)),
    }


def page() -> dict[str, int]:
    """What the monitoring page says has come through in 24 hours."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.test.utils import setup_test_environment

    setup_test_environment()  # which keeps the context of a page

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    context = client.get("/monitoring/").context
    return {
        "completed": sum(bar.completed for bar in context["hours"]),
        **context["counts"],
    }


if __name__ == "__main__":
    sys.exit(main())
