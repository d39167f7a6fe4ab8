"""`manage.py reap` and what it does daily."""

from __future__ import annotations

import dataclasses
import io
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from runs import compaction, lifecycle, log, logstore, uploads
from runs.database import AWAY
from runs.management.commands import reap, worker
from runs.models import (
    Artifact,
    Level,
    Priority,
    Run,
    Source,
    StageName,
    Status,
)
from tests.builders import claim_of, make_run
from tests.embedded.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def test_gives_a_silent_run_to_the_next_worker(sent: list[tuple[int, int]]) -> None:
    beat = timezone.now() - timedelta(minutes=2)
    run = make_run(status=Status.RUNNING, beat_at=beat)
    call_command("reap", "--once")
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("pending", 2)
    assert sent == [(run.pk, 2)]


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a rule of PostgreSQL's connections"
)
def test_a_worker_that_stops_inside_a_transaction_loses_its_locks_and_its_run(
    sent: list[tuple[int, int]],
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    beat = timezone.now() - timedelta(minutes=2)
    run = make_run(status=Status.RUNNING, beat_at=beat)
    stopped = connections["default"].copy()
    with stopped.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 200")
        cursor.execute("BEGIN")
        cursor.execute("UPDATE runs_run SET stage = 'qc' WHERE id = %s", [run.pk])
        call_command("reap", "--once")
        with pytest.raises(AWAY, match="idle-in-transaction"):
            cursor.execute("COMMIT")
    stopped.close()
    run.refresh_from_db()
    assert (run.status, run.attempt, run.stage) == ("pending", 2, "")
    assert sent == [(run.pk, 2)]


def test_queues_a_run_that_redis_forgot(sent: list[tuple[int, int]]) -> None:
    run = make_run(queued_at=timezone.now() - timedelta(minutes=1))
    call_command("reap", "--once")
    assert sent == [(run.pk, 1)]


def test_leaves_a_run_whose_job_waits(sent: list[tuple[int, int]]) -> None:
    run = make_run(queued_at=timezone.now() - timedelta(minutes=1))
    sent.append((run.pk, 1))
    call_command("reap", "--once")
    assert len(sent) == 1


def test_queues_no_more_of_a_person_than_may_start(
    sent: list[tuple[int, int]], operator: User, settings: Any
) -> None:
    """Hundreds of jobs that find no room would keep all others from the workers."""
    settings.VCBENCH = dataclasses.replace(settings.VCBENCH, runs_per_user=3)
    long_ago = timezone.now() - timedelta(minutes=1)
    make_run(status=Status.RUNNING, created_by=operator, beat_at=timezone.now())
    later = make_run(created_by=operator, queued_at=long_ago, priority=Priority.LOW)
    mine = [make_run(created_by=operator, queued_at=long_ago) for _ in range(4)]
    urgent = make_run(created_by=operator, queued_at=long_ago, priority=Priority.HIGH)
    other = make_run(queued_at=long_ago)
    sent.append((later.pk, 1))
    call_command("reap", "--once")
    assert sent == [(later.pk, 1), (urgent.pk, 1), (mine[0].pk, 1), (other.pk, 1)]


def test_queues_a_run_that_has_waited_for_a_fault_to_pass(
    sent: list[tuple[int, int]],
) -> None:
    run = make_run(status=Status.RUNNING)
    lifecycle.put_off(claim_of(run), "The store is busy.")
    call_command("reap", "--once")
    assert sent == []
    long_ago = timezone.now() - timedelta(minutes=1)
    Run.objects.update(queued_at=long_ago)
    call_command("reap", "--once")
    assert sent == [(run.pk, 2)]


@pytest.mark.parametrize("error", AWAY)
def test_outlives_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away(_self: reap.Sweep) -> None:
        raise error("host db.internal is down")

    told = io.StringIO()
    monkeypatch.setattr(reap.Sweep, "__call__", away)
    call_command("reap", "--once", stderr=told)
    assert "host db.internal is down" in told.getvalue()


def test_after_an_outage_workers_beat_before_one_is_called_lost(
    sent: list[tuple[int, int]],
) -> None:
    times = iter([0.0, 100.0, 105.0, 119.0, 121.0])
    sweep = reap.Sweep(5.0, clock=lambda: next(times))
    beat = timezone.now() - timedelta(minutes=2)
    run = make_run(status=Status.RUNNING, beat_at=beat)
    states = []
    for _ in range(4):
        sweep()
        run.refresh_from_db()
        states.append(run.status)
    assert states == ["running", "running", "running", "pending"]
    assert sent == [(run.pk, 2)]


def test_a_sweep_in_its_time_is_no_outage(configure: Callable[..., None]) -> None:
    """Whatever the settings: here workers are lost sooner than sweeps come."""
    configure(lost_seconds=4, beat_seconds=1)
    times = iter([0.0, 5.1])
    run = make_run(status=Status.RUNNING, beat_at=timezone.now() - timedelta(seconds=5))
    reap.Sweep(5.0, clock=lambda: next(times))()
    run.refresh_from_db()
    assert run.status == "pending"


def test_a_worker_that_has_beaten_since_it_was_looked_at_is_not_lost() -> None:
    run = make_run(status=Status.RUNNING, beat_at=timezone.now())
    before = timezone.now() - timedelta(minutes=1)
    assert not lifecycle.lost(run.pk, 1, "Silent.", before)
    assert lifecycle.lost(run.pk, 1, "Ended by SIGKILL.")


def test_a_reaper_that_a_fault_has_ended_is_started_again() -> None:
    reaper = worker.Reaper([sys.executable, "-c", "raise SystemExit(1)"], pause=0)
    eventually(lambda: reaper.started >= 3)
    reaper.end()
    started = reaper.started
    assert not reaper._thread.is_alive()
    assert reaper._process.returncode is not None
    assert reaper.started == started


def test_a_reaper_ends_with_its_worker() -> None:
    reaper = worker.Reaper([sys.executable, "-c", "import time; time.sleep(600)"])
    reaper.end()
    assert (reaper.started, reaper._process.returncode) == (1, -signal.SIGTERM)


def test_what_is_done_daily_fails_by_itself(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    """A fault of the one neither ends the reaper nor keeps back the other."""

    def broken(_before: object) -> list[Run]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(compaction, "to_compact", broken)
    left = data_dir / "uploads" / "left.zip"
    left.parent.mkdir()
    left.touch()
    os.utime(left, (0, 0))
    told = io.StringIO()
    reap.Command(stderr=told).tidy()
    assert "Input/output error" in told.getvalue()
    assert not left.exists()


def test_an_upload_that_becomes_an_archive_is_no_old_one(data_dir: Path) -> None:
    store = uploads.in_parts()
    upload = store.create("S1.zip", 3, owner="1")
    store.append(upload.id, 0, [b"abc"], owner="1")
    os.utime(store.folder / f"{upload.id}.part", (0, 0))
    with store.taken(upload.id, uploads.new_place(), owner="1") as archive:
        uploads.tidy()
        assert archive.exists()


def test_only_uploads_that_nobody_needs_go(data_dir: Path) -> None:
    folder = data_dir / "uploads"
    store = uploads.in_parts()
    given_up, fresh = (store.create("S1.zip", 3, owner=who) for who in "12")
    store.append(fresh.id, 0, [b"abc"], owner="2")
    for name in ("of-a-run.zip", "left.zip", "coming.zip", "parts/x.json.new"):
        (folder / name).touch()
    make_run(source=Source.ZIP, location={"archive": "uploads/of-a-run.zip"})
    old = [folder / "of-a-run.zip", folder / "left.zip"]
    old += [path for path in store.folder.iterdir() if path.stem != fresh.id]
    for path in [*old, store.folder / f"{fresh.id}.json"]:
        os.utime(path, (0, 0))
    assert uploads.tidy() == 4
    assert sorted(path.name for path in folder.glob("*.zip")) == [
        "coming.zip",
        "of-a-run.zip",
    ]
    assert store.all() == [dataclasses.replace(fresh, offset=3)]
    assert given_up.id not in {path.stem for path in store.folder.iterdir()}


@pytest.mark.parametrize(("days", "kept"), [(0, True), (30, False), (90, True)])
def test_retention_takes_the_files_and_the_log(
    data_dir: Path, settings: Any, days: int, kept: bool
) -> None:
    settings.VCBENCH = dataclasses.replace(settings.VCBENCH, retention_days=days)
    run = make_run(
        status=Status.COMPLETED, finished_at=timezone.now() - timedelta(days=60)
    )
    log.say(run, Level.INFO, "Done.")
    file = run.folder / "happy" / "x.csv"
    file.parent.mkdir(parents=True)
    file.write_text("1")
    Artifact.objects.create(
        run=run,
        stage=StageName.HAPPY,
        role="result",
        name="happy/x.csv",
        path=str(file.relative_to(data_dir)),
        size=1,
    )
    call_command("compact_logs", stdout=io.StringIO())
    assert file.exists() is kept
    assert bool(logstore.read(run)) is kept
