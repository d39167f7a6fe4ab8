"""`manage.py reap`: find runs whose worker is gone, and jobs that Redis lost."""

from __future__ import annotations

import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from runs import lifecycle, queue, uploads
from runs.database import AWAY, steady
from runs.worker import end_with_parent

DAY = 24 * 3600.0


class Command(BaseCommand):
    help = (
        "Give lost runs to the next worker, again and again until SIGTERM; daily "
        "compact old logs, apply the retention and remove given-up uploads."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true")
        parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS")
        parser.add_argument(
            "--with-parent",
            action="store_true",
            help="End when the process that started this one ends.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["with_parent"]:
            end_with_parent()
        end = threading.Event()

        def stop(number: int, frame: FrameType | None) -> None:
            end.set()

        if not options["once"]:
            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
        due = time.monotonic()
        sweep = Sweep(options["every"])
        self.sweep(sweep)
        while not options["once"] and not end.wait(options["every"]):
            self.sweep(sweep)
            if time.monotonic() >= due:
                self.tidy()
                due += DAY

    def sweep(self, sweep: Sweep) -> None:
        """While the database is away nothing can be found; the next time it may."""
        try:
            sweep()
        except AWAY as error:
            self.stderr.write(f"The database does not answer: {error}")

    def tidy(self) -> None:
        """Compact old logs, apply the retention, remove what uploads left behind; what
        fails waits for tomorrow."""
        for work in (self.compact, uploads.tidy):
            try:
                work()
            except (CommandError, OSError, *AWAY) as error:
                self.stderr.write(str(error))

    def compact(self) -> None:
        call_command("compact_logs", stdout=self.stdout)


class Sweep:
    """Looks for lost runs and lost jobs, each time it is called.

    While the database was away no worker could beat. Once it answers again, none is
    called lost before each has had the time to.
    """

    def __init__(
        self, every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`every` is after how many seconds it is called again."""
        self._every, self._clock = every, clock
        self._answered = clock()
        self._patient_until = 0.0

    @steady
    def __call__(self) -> None:
        queue.requeue_lost()
        now, own = self._clock(), settings.VCBENCH
        if now - self._answered > self._every + own.lost_seconds / 4:
            self._patient_until = now + 2 * own.beat_seconds
        self._answered = now
        if now >= self._patient_until:
            lifecycle.reap(timezone.now())
