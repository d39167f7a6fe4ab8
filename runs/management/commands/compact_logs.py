"""`manage.py compact_logs`: move ended logs into files; apply the retention."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from runs import cleanup, compaction
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
        removed = self.remove(now)
        compacted, faults = self.compact(now - timedelta(days=options["after"]))
        self.stdout.write(f"{compacted} logs compacted, {removed} removed.")
        if faults:
            raise CommandError("\n".join(faults))

    def remove(self, now: datetime) -> int:
        if not settings.VCBENCH.retention_days:
            return 0
        old = now - timedelta(days=settings.VCBENCH.retention_days)
        return sum(self.say_removed(run) for run in compaction.to_remove(old))

    def say_removed(self, run: Run) -> bool:
        freed = cleanup.clean_up(run, by="The retention setting")
        compaction.remove(run)
        self.stdout.write(f"{run.uuid}: log and {freed.files} files removed")
        return True

    def compact(self, before: datetime) -> tuple[int, list[str]]:
        count, faults = 0, []
        for run in compaction.to_compact(before):
            try:
                done = compaction.compact(run)
            except (LogFileError, OSError) as error:
                faults.append(f"{run.uuid}: {error}")
                continue
            if done is not None:
                count += 1
                self.stdout.write(f"{run.uuid}: {done.lines} lines, {done.size} bytes")
        return count, faults
