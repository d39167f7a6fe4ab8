from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_rq
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from runs.api import health
from runs.models import StageName, Status
from tests.api.conftest import Api
from tests.builders import make_run


@pytest.fixture
def redis(valkey: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with Redis.from_url(valkey) as connection:
        monkeypatch.setattr(django_rq, "get_connection", lambda _name: connection)
        yield


def test_the_process_lives(anonymous: Api) -> None:
    answer = anonymous.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert anonymous.post("/healthz").status_code == 405


def test_all_is_there(anonymous: Api, redis: None, data_dir: Path) -> None:
    answer = anonymous.get("/readyz")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "redis": "ok",
        "data_folder": "ok",
    }
    assert anonymous.post("/readyz").status_code == 405


def test_redis_is_away(
    anonymous: Api, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    nobody = Redis(port=1)
    monkeypatch.setattr(django_rq, "get_connection", lambda _name: nobody)
    answer = anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["redis"]) == (503, "away")
    assert answer.json()["database"] == "ok"


def test_the_data_folder_is_away(
    anonymous: Api, redis: None, configure: Callable[..., None]
) -> None:
    configure(data_dir=Path("/nonexistent"))
    answer = anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["data_folder"]) == (503, "away")


def test_the_database_is_away(
    anonymous: Api, redis: None, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    class Gone:
        def cursor(self) -> Any:
            raise OperationalError("host db.internal is down")

    monkeypatch.setattr(health, "connection", Gone())
    answer = anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "away")
    assert "internal" not in answer.content.decode()


def figures(client: Client) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_figures(looks: Api, data_dir: Path) -> None:
    now = timezone.now()
    make_run(queued_at=now - timedelta(seconds=90))
    run = make_run(
        StageName.CSV,
        status=Status.COMPLETED,
        created_at=now - timedelta(seconds=30),
        started_at=now - timedelta(seconds=20),
    )
    run.stages.update(
        status="completed", started_at=now - timedelta(seconds=5), finished_at=now
    )
    found = figures(looks)
    assert found["vcbench_runs", "pending"] == 1
    assert found["vcbench_runs", "completed"] == 1
    assert found["vcbench_runs", "error"] == 0
    assert 90 <= found[("vcbench_queue_wait_seconds",)] < 100
    assert found[("vcbench_run_wait_seconds_sum",)] == pytest.approx(10)
    assert found["vcbench_stage_seconds_sum", "csv", "completed"] == pytest.approx(5)
    assert found["vcbench_stage_seconds_count", "csv", "completed"] == 1
    assert found[("vcbench_disk_free_bytes",)] > 0


def test_figures_cost_the_same_for_many_runs(
    looks: Api, data_dir: Path, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(5):
        make_run(StageName.CSV)
    figures(looks)
    with django_assert_num_queries(7):  # token, 2 permissions, 4 figures
        figures(looks)


def test_figures_are_for_administrators_and_tokens(
    administrator: User, viewer: User, anonymous: Api, not_allowed: Api, data_dir: Path
) -> None:
    client = Client()
    assert client.get("/metrics").status_code == 401
    assert not_allowed.get("/metrics").status_code == 403
    client.force_login(viewer)
    assert client.get("/metrics").status_code == 403
    client.force_login(administrator)
    assert client.get("/metrics").status_code == 200
    assert client.post("/metrics").status_code == 405
