"""`manage.py reap` and what it does daily."""

from __future__ import annotations

import dataclasses
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from runs import lifecycle, log, logstore
from runs.database import AWAY
from runs.models import Artifact, Level, Run, StageName, Status
from tests.builders import claim_of, make_run

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
