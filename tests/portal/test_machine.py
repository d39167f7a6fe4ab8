"""What is said of the machine when parts of it are away or come and go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from runs.views import machine
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
CONNECTION = "runs.views.machine.django_rq.get_connection"


@pytest.mark.parametrize("address", ["/", "/monitoring/"])
def test_a_data_folder_that_has_gone_away(
    looks: Browser,
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    address: str,
) -> None:
    monkeypatch.setattr("runs.views.monitoring.workers", list)
    configure(data_dir=tmp_path / "unmounted")

    page = looks.page(address)

    assert page.status == 200
    assert page.facts(".figures")["Disk free"] == "– The data folder does not answer"


def test_workers_that_come_and_go_meanwhile(
    valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has left its name behind, one has told its beat and nothing else."""
    monkeypatch.setattr(CONNECTION, lambda _name: Redis.from_url(valkey))
    with Redis.from_url(valkey) as redis:
        redis.sadd("rq:workers", "rq:worker:gone", "rq:worker:new")
        redis.hset("rq:worker:new", "last_heartbeat", "2026-01-02T03:04:05.000000Z")

    [found] = machine.workers() or []

    assert (found.name, found.label, found.queues) == ("new", "?", "")
    assert found.beat_at is not None


def test_a_question_leaves_no_connection_behind(
    valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []

    def connection(_name: str) -> Redis:
        kept.append(Redis.from_url(valkey))
        return kept[-1]

    monkeypatch.setattr(CONNECTION, connection)

    for _ in range(5):
        assert machine.workers() is not None

    with Redis.from_url(valkey) as redis:
        assert len(redis.client_list()) == 1
