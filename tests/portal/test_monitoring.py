"""The page of how the portal fares."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from redis.exceptions import ConnectionError as NoRedis

from runs.views import machine, monitoring
from runs.views.machine import WorkerState
from tests.portal.builders import completed, failed, make_run, running
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
PAGE = "/monitoring/"


@pytest.fixture(autouse=True)
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "workers", list)


def test_counts_and_names(looks: Browser) -> None:
    now = timezone.now()
    running(worker="host/7", stage="happy", beat_at=now - timedelta(seconds=5))
    make_run("NA24385_waits", queued_at=now - timedelta(minutes=3))
    failed("NA12878_failed")

    page = looks.page(PAGE)

    row = page.row("[aria-labelledby=running-title] tbody tr")
    assert row[1:3] == ["Small variants", "host/7"]
    assert page.row("[aria-labelledby=queued-title] tbody tr")[0] == "NA24385_waits"
    assert page.texts("[aria-labelledby=failed-title] tbody th") == ["NA12878_failed"]
    assert page.facts(".figures")["Queued"].startswith("1 longest wait 3 min")


def test_a_run_that_waits_for_a_fault_to_pass_says_until_when(looks: Browser) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    make_run(queued_at=soon)

    page = looks.page(PAGE)

    row = page.row("[aria-labelledby=queued-title] tbody tr")
    assert row[-1] == f"until {soon:%H:%M:%S}"


def test_more_runs_than_the_page_shows_are_counted(
    looks: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "SHOWN", 1)
    for _ in range(3):
        make_run()
        failed()

    page = looks.page(PAGE)

    assert page.facts(".figures")["Queued"].startswith("3 ")
    assert page.facts(".figures")["Failed in 24 h"] == "3"
    assert len(page.all("[aria-labelledby=queued-title] tbody tr")) == 1


def test_throughput_by_hour_and_day(looks: Browser) -> None:
    now = timezone.now()
    completed(finished_at=now)
    completed(finished_at=now)
    failed(finished_at=now)
    completed(finished_at=now - timedelta(days=5))
    completed(finished_at=now - timedelta(days=50))

    page = looks.page(PAGE)

    assert len(page.all("#hours-table tbody tr")) == 24
    assert page.row("#hours-table tbody tr:last-child")[1:] == ["2", "1"]
    days = [row.css("td")[0].text() for row in page.all("#days-table tbody tr")]
    assert days == ["0"] * 8 + ["1"] + ["0"] * 4 + ["2"]


def test_no_worker_is_a_warning(looks: Browser) -> None:
    assert "manage.py worker" in looks.page(PAGE).text(".note-warning p")


def test_workers_are_shown_with_their_beat(
    looks: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = timezone.now() - timedelta(minutes=2)
    states = [WorkerState("1ab2", "bench-1, 42", "busy", "high, default", beat)]
    monkeypatch.setattr(monitoring, "workers", lambda: states)

    page = looks.page(PAGE)

    row = page.row("[aria-labelledby=workers-title] tbody tr")
    assert row[:3] == ["bench-1, 42 1ab2", "working", "high, default"]
    assert row[3].startswith("2 min 0")
    assert not page.has(".note-warning")


def test_a_queue_that_does_not_answer_is_an_error_not_an_empty_list(
    looks: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_args: object) -> None:
        raise NoRedis

    monkeypatch.setattr("runs.views.machine.django_rq.get_connection", gone)
    monkeypatch.setattr(monitoring, "workers", machine.workers)

    page = looks.page(PAGE)

    assert "VCBENCH_REDIS_URL" in page.text(".note-error p")
    assert page.facts(".figures")["Workers"] == "–"


def test_the_part_that_renews_is_without_the_frame(looks: Browser) -> None:
    page = looks.page(PAGE, part="1")

    assert page.one("#monitoring").attributes["data-renew"] == "10"
    assert not page.has("nav")


def test_costs_the_same_for_many_runs(
    looks: Browser, operator: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        make_run(f"NA24143_{number}", operator)
        failed(f"NA24143_{number}")

    with django_assert_max_num_queries(12):
        looks.get(PAGE)
