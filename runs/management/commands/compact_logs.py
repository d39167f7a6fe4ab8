"""`manage.py compact_logs`: move ended logs into files; apply the retention."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from runs import cleanup, compaction
from runs.lifecycle import Refused
from runs.logfile import LogFileError
from runs.models import Run


class Command(BaseCommand):
    help = (
        "Move the logs of ended runs from the database into compressed files, and "
        "remove logs and files older than VCBENCH_RETENTION_DAYS (0: never). The "
        "reaper does this daily."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--after",
            type=float,
            default=7.0,
            metavar="DAYS",
            help="Compact logs of runs that ended this many days ago (7).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        self.faults: list[str] = []
        removed = self.remove(now)
        compacted = self.compact(now - timedelta(days=options["after"]))
        self.stdout.write(f"{compacted} logs compacted, {removed} removed.")
        if self.faults:
            raise CommandError("\n".join(self.faults))

    def each(self, runs: Sequence[Run], work: Callable[[Run], str]) -> int:
        """How many of the runs the work was done for; one that fails stops no other."""
        count = 0
        for run in runs:
            try:
                done = work(run)
            except (LogFileError, OSError) as error:
                self.faults.append(f"{run.uuid}: {error}")
                continue
            if done:
                count += 1
                self.stdout.write(f"{run.uuid}: {done}")
        return count

    def remove(self, now: datetime) -> int:
        if not settings.VCBENCH.retention_days:
            return 0
        old = now - timedelta(days=settings.VCBENCH.retention_days)

        def work(run: Run) -> str:
            try:
                freed = cleanup.clean_up(run, by="The retention setting")
            except Refused:  # it was started again since it was listed
                return ""
            removed = compaction.remove(run, old)
            return f"log and {freed.files} files removed" if removed else ""

        return self.each(compaction.to_remove(old), work)

    def compact(self, before: datetime) -> int:
        def work(run: Run) -> str:
            done = compaction.compact(run)
            return f"{done.lines} lines, {done.size} bytes" if done else ""

        return self.each(compaction.to_compact(before), work)
