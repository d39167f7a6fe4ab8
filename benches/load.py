"""Many runs queued at once: do all end, and does memory stay flat?

    python benches/load.py [--runs 1000] [--workers 4]

Runs of the QC metrics alone, so that the queue and the pipeline are what is measured.
Memory (resident, MB) of the workers' parents and of the web process, which serves the
monitoring page every few seconds meanwhile, is taken over the first and the last fifth.
What the page and `/metrics` say is held against the rows. Prints one JSON line last;
ends with 1 if a run did not complete, a number is wrong, or memory grew by more than a
tenth.
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
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.laboratory import laboratory

LOOK_SECONDS = 2.0
"""How often the page and the memory are looked at."""
GROWTH = 1.1
"""How much more memory a process may hold in the end than in the beginning."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    options = parser.parse_args()
    with laboratory() as lab:
        lab.portal.serve()
        browser = Browser(lab.portal.address)
        for _ in range(options.workers):
            lab.portal.add_worker()
        keys = order_all(options.runs, lab.samples)
        began = time.monotonic()
        memory = follow(lab.portal.folder, keys, browser)
        seconds = time.monotonic() - began
        found = summary(keys) | {
            "seconds": round(seconds, 1),
            "runs_per_minute": round(60 * options.runs / seconds, 1),
            "memory_mb": memory,
            "page": browser.held_against_rows(),
        }
    print(json.dumps(found))
    grown = [kind for kind, mb in memory.items() if mb["last"] > GROWTH * mb["first"]]
    wrong = [name for name, (said, true) in found["page"].items() if said != true]
    done = found["statuses"] == {"completed": options.runs}
    return 0 if done and not grown and not wrong else 1


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


def follow(
    folder: Path, keys: list[int], browser: Browser
) -> dict[str, dict[str, float]]:
    """Wait for all; memory by kind of process over the first and the last fifth."""
    from runs.models import Run

    samples: dict[str, list[tuple[float, float]]] = {"web": [], "worker": []}
    pause, done = threading.Event(), 0
    while done < len(keys):
        pause.wait(LOOK_SECONDS)
        browser.get("/monitoring/?part=1")
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


class Browser:
    """Somebody signed in who looks at the monitoring page."""

    def __init__(self, address: str) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        client = Client()
        client.force_login(User.objects.create_superuser("bench"))
        self.address = address.rstrip("/")
        self.cookie = f"sessionid={client.cookies['sessionid'].value}"

    def get(self, path: str) -> str:
        address = self.address + path
        request = Request(address, headers={"Cookie": self.cookie})  # noqa: S310
        with urlopen(request) as answer:  # noqa: S310  our own server
            return str(answer.read().decode())

    def held_against_rows(self) -> dict[str, tuple[float, float]]:
        """What page and `/metrics` say, and what the rows say."""
        from runs.models import Run

        page, told = self.get("/monitoring/?part=1"), self.get("/metrics")
        waits = [
            (run.started_at - run.created_at).total_seconds()
            for run in Run.objects.filter(started_at__isnull=False)
        ]
        completed = Run.objects.filter(status="completed").count()
        failed = Run.objects.filter(status="error").count()
        return {
            "completed in 14 days": (completed_in(page, "days-table"), completed),
            "completed in 24 hours": (completed_in(page, "hours-table"), completed),
            "failed": (figure(page, "Failed in 24 h"), failed),
            "queued": (figure(page, "Queued"), 0),
            "waits": (metric(told, "vcbench_run_wait_seconds_count"), len(waits)),
            "seconds waited": (
                round(metric(told, "vcbench_run_wait_seconds_sum"), 2),
                round(sum(waits), 2),
            ),
        }


def figure(page: str, title: str) -> int:
    """The number below that title of the page."""
    found = re.search(rf"<dt>{title}</dt><dd>([\d,]+)", page)
    return whole(found[1]) if found else -1


def completed_in(page: str, table: str) -> int:
    """The sum over the bars of a chart, by the table of its numbers."""
    text = page.partition(f'id="{table}"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>\s*([\d,]+)\s*</td>", row) for row in rows]
    return sum(whole(some[0]) for some in cells if some)


def whole(text: str) -> int:
    """A whole number as the page writes it in English: 1,000."""
    return int(text.replace(",", ""))


def metric(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else -1.0


if __name__ == "__main__":
    sys.exit(main())
