"""Runs whose worker is killed at a random moment: does each end as it should?

    python benches/kill.py [--runs 100] [--workers 4] [--seed 1]

Each run has its worker killed once by SIGKILL: the process that carries it out, its
parent, or both at once (as when a machine dies; only the reaper can notice that).
A stage is drawn, and a moment over its length in an undisturbed run, so that kills
fall into every stage, into tools and into writes; for a run that ended before its
moment another one is ordered. Prints what it found as one JSON line last, and ends
with 1 if a run is not as an undisturbed one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches.laboratory import Laboratory, laboratory

HOW = ("process", "parent", "machine")
PATIENCE = 3600.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--samples", type=int, default=2, help="of the laboratory")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with laboratory(samples=options.samples) as lab:
        found = disturb(lab, options.runs, options.workers, options.seed)
    print(json.dumps(found))
    sound = found["as_undisturbed"] == found["runs"] and not found["orphans"]
    return 0 if sound and not found["faults"] else 1


def disturb(lab: Laboratory, count: int, workers: int, seed: int) -> dict[str, Any]:
    from runs.models import Run

    for _ in range(workers):
        lab.portal.add_worker()
    for sample in lab.samples:
        undisturbed(sample)  # fetches the references, fills the caches
    expected = {sample: undisturbed(sample) for sample in lab.samples}
    seconds = max(run.seconds for run in expected.values())
    print(f"undisturbed: {seconds:.1f} s", flush=True)
    began = time.monotonic()
    crowd = max(1.0, workers / (os.cpu_count() or 1))
    longest: dict[str, float] = {}
    for run in expected.values():
        for stage, took in run.stages.items():
            longest[stage] = max(crowd * took, longest.get(stage, 0))
    killer = Killer(random.Random(seed), longest)
    killer.start()
    keys = order_until_killed(lab.samples, count, killer)
    killer.end.set()
    killer.join()
    rows = Run.objects.filter(pk__in=keys)
    faults = [fault for run in rows for fault in faults_of(run)]
    as_undisturbed = sum(
        run.status == "completed" and numbers(run) == expected[run.sample.name].numbers
        for run in rows.select_related("sample")
    )
    return {
        "runs": len(keys),
        "as_undisturbed": as_undisturbed,
        "killed": dict(Counter(how for how, _stage in killer.killed.values())),
        "in_stage": dict(Counter(stage for _how, stage in killer.killed.values())),
        "detection_seconds": killer.detection(),
        "orphans": orphans(lab.portal.folder),
        "faults": faults[:20],
        "statuses": dict(Counter(run.status for run in rows)),
        "seconds": round(time.monotonic() - began, 1),
        "undisturbed_seconds": round(seconds, 1),
        "database": os.environ.get("VCBENCH_DATABASE_URL", "sqlite").split(":")[0],
    }


def order_until_killed(samples: list[str], count: int, killer: Killer) -> list[int]:
    """So many runs and one more for each that escaped; returns when all have ended."""
    from runs.models import Run

    keys: list[int] = []
    pause, until = threading.Event(), time.monotonic() + PATIENCE
    while True:
        ended = Run.objects.ended().filter(pk__in=keys).values_list("pk", flat=True)
        escaped = set(ended) - killer.killed.keys()
        for _ in range(count + len(escaped) - len(keys)):
            keys.append(order(samples[len(keys) % len(samples)]).pk)
        if not (left := Run.objects.active().filter(pk__in=keys).count()):
            return keys
        if time.monotonic() > until:
            raise SystemExit(f"{left} runs did not end in {PATIENCE:.0f} s.")
        pause.wait(0.5)


def order(sample: str) -> Any:
    from runs import lifecycle
    from runs.models import Source

    return lifecycle.create(
        lifecycle.Order(sample_id=sample, source=Source.S3, join=False), user=None
    )


@dataclass(frozen=True)
class Undisturbed:
    numbers: Any
    seconds: float
    stages: dict[str, float]
    """Seconds that each stage took, of those that applied."""


def undisturbed(sample: str) -> Undisturbed:
    run = order(sample)
    wait([run.pk])
    run.refresh_from_db()
    if run.status != "completed":
        raise SystemExit(f"An undisturbed run ended in {run.status}: {run.reason}")
    stages = {
        stage.name: (stage.finished_at - stage.started_at).total_seconds()
        for stage in run.stages.filter(status="completed")
    }
    seconds = (run.finished_at - run.started_at).total_seconds()
    return Undisturbed(numbers(run), seconds, stages)


def wait(keys: list[int]) -> None:
    from runs.models import Run

    pause, until = threading.Event(), time.monotonic() + PATIENCE
    while left := Run.objects.active().filter(pk__in=keys).count():
        if time.monotonic() > until:
            raise SystemExit(f"{left} runs did not end in {PATIENCE} s.")
        pause.wait(0.5)


def numbers(run: Any) -> Any:
    """Every metric of the run, by its place in the tables."""
    leave = {"id", "run_id", "run"}
    return [
        [
            {name: value for name, value in row.items() if name not in leave}
            for row in related.order_by("pk").values()
        ]
        for related in (
            run.small_variant_metrics,
            run.structural_variant_metrics,
            run.qc_metrics,
        )
    ]


def faults_of(run: Any) -> list[str]:
    """What is wrong with the run's log and files; empty when nothing is."""
    lines = list(run.log_entries.order_by("sequence"))
    faults = []
    if [line.sequence for line in lines] != list(range(1, run.last_sequence + 1)):
        faults.append(f"{run.uuid}: sequences have gaps or doubles")
    for stage in run.stages.all():
        ends = [line for line in lines if line.stage == stage.name]
        done = sum(line.level == "success" for line in ends)
        kept = sum("found done; keeping" in line.message for line in ends)
        if done - kept > 1:
            faults.append(f"{run.uuid}: {stage.name} ran {done - kept} times")
    known = {stage.name for stage in run.stages.all()}
    stray = [path.name for path in run.folder.iterdir() if path.name not in known]
    stray += [str(path) for path in run.folder.rglob("*.part*")]
    return faults + [f"{run.uuid}: stray file {name}" for name in stray]


class Killer(threading.Thread):
    """Kills the worker of every run once, and watches when that is noticed."""

    def __init__(self, chance: random.Random, seconds: dict[str, float]) -> None:
        super().__init__(name="killer", daemon=True)
        self.chance = chance
        self.seconds = seconds
        self.end = threading.Event()
        self.stage: dict[int, str] = {}
        self.due: dict[int, float] = {}
        self.killed: dict[int, tuple[str, str]] = {}
        self.at: dict[int, float] = {}
        self.noticed: dict[int, float] = {}

    def run(self) -> None:
        from django.db import connection
        from django.db.models import Q

        from runs.models import Run

        try:
            while not self.end.wait(0.02):
                alive = Q(status="running", attempt=1)
                unnoticed = Q(pk__in=self.at.keys() - self.noticed.keys())
                for run in Run.objects.filter(alive | unnoticed):
                    self.look(run)
        finally:
            connection.close()

    def look(self, run: Any) -> None:
        now = time.monotonic()
        if run.pk in self.at:
            if run.attempt > 1 or run.status == "pending":
                self.noticed[run.pk] = now - self.at[run.pk]
        elif run.status == "running" and run.attempt == 1 and self.is_due(run, now):
            self.kill(run, int(run.worker.rpartition("/")[2]))

    def is_due(self, run: Any, now: float) -> bool:
        drawn = self.stage.setdefault(run.pk, self.chance.choice(list(self.seconds)))
        if run.pk not in self.due and run.stage == drawn:
            self.due[run.pk] = now + self.chance.uniform(0, self.seconds[drawn])
        return run.pk in self.due and now >= self.due[run.pk]

    def kill(self, run: Any, process: int) -> None:
        how = self.chance.choice(HOW)
        try:
            parent = parent_of(process)
            if how in ("parent", "machine"):
                os.kill(parent, signal.SIGKILL)
            if how in ("process", "machine"):
                os.kill(process, signal.SIGKILL)
        except (ProcessLookupError, FileNotFoundError):
            return
        self.killed[run.pk] = (how, run.stage or "between")
        self.at[run.pk] = time.monotonic()

    def detection(self) -> dict[str, dict[str, float]]:
        """By how it was killed: median and longest time until the run waits anew."""
        times: dict[str, list[float]] = {}
        for key, seconds in self.noticed.items():
            times.setdefault(self.killed[key][0], []).append(seconds)
        return {
            how: {
                "median": round(statistics.median(some), 1),
                "max": round(max(some), 1),
            }
            for how, some in times.items()
        }


def parent_of(process: int) -> int:
    status = Path(f"/proc/{process}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


def orphans(folder: Path) -> int:
    """Processes of the data folder that belong to no worker."""
    found = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            parent = parent_of(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += parent == 1 and str(folder).encode() in command
    return found


if __name__ == "__main__":
    sys.exit(main())
