"""Says what works on this machine, and what to do about what does not."""

from __future__ import annotations

import json
import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from benchmarks import catalog
from benchmarks.engines import registry
from benchmarks.engines.base import EngineError

LEAST_FREE = 10 * 2**30
"""Bytes: less than one sample with its truth set and reference takes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed`: without it no run can be carried out."""

    name: str
    works: bool
    needed: bool
    details: str
    remedy: str = ""


class Command(BaseCommand):
    help = (
        "Say which engines work here and why not, and whether data folder, catalogue, "
        "database and Redis can be used. Exit code 0: runs can be carried out; 1: "
        "something needed does not work."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="write the findings as JSON"
        )

    def handle(self, *_: object, **options: Any) -> None:
        findings = list(look_around())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(found) for found in findings]))
        else:
            for found in findings:
                self._tell(found)
        if any(found.needed and not found.works for found in findings):
            sys.exit(1)

    def _tell(self, found: Finding) -> None:
        if found.works:
            mark = self.style.SUCCESS("works")
        elif found.needed:
            mark = self.style.ERROR("fails")
        else:
            mark = self.style.WARNING("  -  ")
        self.stdout.write(f"{mark}  {found.name:<22} {found.details}")
        if found.remedy:
            self.stdout.write(f"{'':<30}-> {found.remedy}")


def look_around() -> Iterator[Finding]:
    """All findings, one after the other; none of them raises."""
    yield from engines()
    looks: tuple[Callable[[], Finding], ...] = (
        data_folder,
        giab_catalogue,
        database,
        redis_server,
    )
    for look in looks:
        yield look()


def engines() -> Iterator[Finding]:
    """Only the engine that the settings choose is needed."""
    chosen = str(settings.VCBENCH.engine)
    try:
        probed = registry.probe_all()
    except EngineError as error:
        yield Finding("engines", works=False, needed=True, details=str(error))
        return
    for name, found in probed.items():
        words = f"version {found.version}" if found.available else found.reason
        yield Finding(
            name=f"engine {name}{' (default)' if name == chosen else ''}",
            works=found.available,
            needed=name == chosen,
            details=words,
            remedy=found.remedy,
        )


def data_folder() -> Finding:
    folder = Path(settings.VCBENCH.data_dir)
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Finding(
            "data folder",
            works=False,
            needed=True,
            details=f"{folder} cannot be written.",
            remedy="Set VCBENCH_DATA_DIR to a folder that this user can write.",
        )
    free = shutil.disk_usage(nearest).free
    low = free < LEAST_FREE
    return Finding(
        "data folder",
        works=True,
        needed=True,
        details=f"{folder}, {free / 2**30:.1f} GiB free",
        remedy="Make room: a whole genome with its reference takes more."
        if low
        else "",
    )


def giab_catalogue() -> Finding:
    try:
        loaded = catalog.current()
    except catalog.CatalogError as error:
        return Finding(
            "catalogue",
            works=False,
            needed=True,
            details=str(error),
            remedy="Correct the file that VCBENCH_CATALOG names, or unset it.",
        )
    return Finding(
        "catalogue",
        works=True,
        needed=True,
        details=f"{len(loaded.individuals)} individuals, "
        f"{len(loaded.truth_sets)} truth sets; from {loaded.bases[0]}",
    )


def database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return Finding(
            "database",
            works=False,
            needed=True,
            details=f"{connection.vendor}: {str(error).strip()}",
            remedy="Check VCBENCH_DATABASE_URL and that the server runs.",
        )
    return Finding(
        "database",
        works=not left,
        needed=True,
        details=f"{connection.vendor}, {len(left)} migrations to apply"
        if left
        else f"{connection.vendor}, up to date",
        remedy="Run manage.py migrate." if left else "",
    )


def redis_server() -> Finding:
    url = str(settings.VCBENCH.redis_url)
    try:
        with redis.Redis.from_url(
            url, socket_timeout=3, socket_connect_timeout=3
        ) as client:
            version = client.info("server").get("redis_version", "")
    except (redis.RedisError, ValueError) as error:
        return Finding(
            "Redis",
            works=False,
            needed=True,
            details=f"{_without_password(url)}: {error}",
            remedy="Start Redis, or set VCBENCH_REDIS_URL. make run brings its own.",
        )
    return Finding(
        "Redis",
        works=True,
        needed=True,
        details=f"{_without_password(url)}, version {version}",
    )


def _without_password(url: str) -> str:
    scheme, found, rest = url.partition("://")
    return f"{scheme}{found}{rest.rpartition('@')[2]}"
