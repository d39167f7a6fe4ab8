"""A database of its own for a portal under test, where PostgreSQL is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg


@contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """The setting that names the database; nothing for SQLite in the data folder."""
    server = os.environ.get("VCBENCH_DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield {}
        return
    name = f"vcbench_e2e_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            url = urlsplit(server)._replace(path=f"/{name}").geturl()
            yield {"VCBENCH_DATABASE_URL": url}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
