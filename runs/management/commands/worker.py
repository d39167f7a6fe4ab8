"""`manage.py worker`: carry out runs until told to stop."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Sequence
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

logger = logging.getLogger(__name__)


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
        reaper = None if options["no_reaper"] else Reaper()
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
                reaper.end()


class Reaper:
    """A reaper beside the worker; one that a fault has ended is started again."""

    COMMAND = (sys.executable, sys.argv[0], "reap", "--with-parent")
    PAUSE = 5.0
    """Seconds before it is started again."""

    def __init__(self, command: Sequence[str] = COMMAND, pause: float = PAUSE) -> None:
        self.command, self.pause = command, pause
        self.started = 0
        self._end = threading.Event()
        self._process = self._start()
        self._thread = threading.Thread(target=self._keep, name="reaper", daemon=True)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        return subprocess.Popen(self.command)

    def _keep(self) -> None:
        while not self._end.is_set():
            code = self._process.wait()
            if self._end.wait(self.pause):
                return
            logger.warning("The reaper ended with %s and is started again", code)
            self._process = self._start()

    def end(self) -> None:
        self._end.set()
        self._process.terminate()
        self._thread.join()
        self._process.terminate()  # another may have been started in that moment
        self._process.wait()
