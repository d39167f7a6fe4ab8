from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from runs.log import RunLog
from runs.models import Run, Status
from tests.builders import claim_of, make_run
from tests.conftest import person, signed_in
from vcbench_site.embedded import ports, valkey, waiting, web
from vcbench_site.embedded.processes import Child, Children

if TYPE_CHECKING:
    from pytest_django import Settings


@dataclass
class Broker:
    """A Valkey whose port stays the same when it is killed and started again."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(valkey.program(), "--port", str(self.port), "--save", ""),
                *("--bind", "127.0.0.1", "--dir", str(self.folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        with Redis.from_url(self.url, socket_timeout=2) as client:
            until(lambda: answers(client))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except (OSError, RedisError):
        return False


def until(met: Callable[[], bool]) -> None:
    waiting.until(met, ALWAYS, seconds=20)


class _Always(Child):
    def __init__(self) -> None:
        self.name, self.log = "It", Path(os.devnull)

    @property
    def alive(self) -> bool:
        return True


ALWAYS = _Always()


@dataclass
class Site:
    """A daphne that serves the test database."""

    address: str
    broker: Broker
    sockets: ExitStack = field(default_factory=ExitStack)

    def socket(
        self,
        path: str,
        user: User | None = None,
        *,
        key: str = "",
        host: str = "127.0.0.1",
        **more: Any,
    ) -> Follower:
        """A client as that user, or with that token; `host` is what it calls us."""
        headers = {}
        if user is not None:
            cookie = signed_in(user).cookies["sessionid"].value
            headers["Cookie"] = f"sessionid={cookie}"
        if key:
            headers["Authorization"] = f"Bearer {key}"
        port = int(self.address.rpartition(":")[2])
        more.setdefault("origin", f"http://{host}:{port}")
        return Follower(
            self.sockets.enter_context(
                connect(
                    f"ws://{host}:{port}{path}",
                    sock=socket.create_connection(("127.0.0.1", port)),
                    additional_headers=headers,
                    max_size=None,
                    **more,
                )
            )
        )


class Follower:
    """A WebSocket client that keeps what it is told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.entries: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.end: dict[str, Any] | None = None
        self.code: int | None = None

    def take(self, timeout: float = 10) -> dict[str, Any] | None:
        """The next frame; None when the socket is closed."""
        try:
            frame: dict[str, Any] = json.loads(self.socket.recv(timeout))
        except ConnectionClosed:
            self.code = self.socket.close_code
            return None
        match frame["type"]:
            case "log":
                self.entries += frame["entries"]
            case "status":
                self.statuses.append(frame)
            case "end":
                self.end = frame
        return frame

    def until(self, sequence: int) -> None:
        while not self.entries or self.entries[-1]["sequence"] < sequence:
            assert self.take() is not None, f"closed with {self.code}"

    def to_the_end(self) -> Follower:
        while self.take() is not None:
            pass
        return self

    @property
    def sequences(self) -> list[int]:
        return [entry["sequence"] for entry in self.entries]

    def close(self) -> None:
        self.socket.close()


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    login = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    place = f"{database['HOST']}:{database['PORT'] or 5432}"
    return f"postgres://{login}@{place}/{database['NAME']}"


def end_sessions() -> None:
    """PostgreSQL notices a moment late that a process has gone; the test database
    cannot be dropped before."""
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        own = connection.connection
        url = database_url().rpartition("/")[0] + "/postgres"
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND pid <> %s",
                [name, own.info.backend_pid if own else 0],
            )


@pytest.fixture(scope="session")
def _site(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with Children() as children, ports.listen("127.0.0.1", 0) as server:
        broker = Broker(folder, ports.free_port())
        broker.start()
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "vcbench_site.settings",
            "VCBENCH_DATABASE_URL": database_url(),
            "VCBENCH_REDIS_URL": broker.url,
        }
        try:
            web.start(children, server, folder / "web.log", environment)
            yield Site(web.address_of(server), broker)
        finally:
            broker.kill()
    end_sessions()


@pytest.fixture
def site(_site: Site, transactional_db: None, settings: Settings) -> Iterator[Site]:
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [_site.broker.url], "prefix": "vcbench"},
        }
    }
    with ExitStack() as sockets:
        yield replace(_site, sockets=sockets)


@pytest.fixture
def watcher(transactional_db: None) -> User:
    """Somebody who may see runs."""
    return person("watcher", "Viewers")


@pytest.fixture
def run(transactional_db: None) -> Run:
    return make_run(status=Status.RUNNING)


@pytest.fixture
def log(run: Run) -> Iterator[RunLog]:
    with RunLog(claim_of(run)) as log:
        yield log
