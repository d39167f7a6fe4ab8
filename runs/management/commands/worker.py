"""`manage.py worker`: carry out runs until told to stop."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

import django_rq
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from redis.exceptions import RedisError
from rq.logutils import setup_loghandlers
from rq.serializers import JSONSerializer

from runs.models import Priority
from runs.worker import RunWorker


class Command(BaseCommand):
    help = (
        "Carry out runs until SIGTERM or Ctrl-C; the run at hand is then given to "
        "another worker. A reaper runs beside it, unless --no-reaper."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--burst", action="store_true", help="Stop when idle.")
        parser.add_argument("--no-reaper", action="store_true")
        parser.add_argument("--max-jobs", type=int, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        reaper = None if options["no_reaper"] else start_reaper()
        setup_loghandlers("WARNING")
        try:
            queues = [
                django_rq.get_queue(name, commit_mode="auto")
                for name in Priority.values
            ]
            connections.close_all()
            RunWorker(
                queues,
                connection=queues[0].connection,
                serializer=JSONSerializer,
                maintenance_interval=60,
            ).work(burst=options["burst"], max_jobs=options["max_jobs"])
        except RedisError as error:
            raise CommandError(
                f"Redis at {settings.VCBENCH.redis_url} cannot be used: {error}. "
                "Start it, or set VCBENCH_REDIS_URL."
            ) from error
        finally:
            if reaper is not None:
                reaper.terminate()
                reaper.wait()


def start_reaper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, sys.argv[0], "reap", "--with-parent"])
