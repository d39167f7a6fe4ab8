"""Ended logs become files; logs older than the retention setting go.

Interrupted at any moment, nothing is lost: rows are removed only once the file that
holds them is in place, and a second call removes what the first left behind.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from runs import logfile, logstore
from runs.database import steady
from runs.logfile import LogFile
from runs.models import LogEntry, Run

logger = logging.getLogger(__name__)

CHUNK = 5_000
"""Rows that are removed in one transaction: others write meanwhile."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What came of a log: its lines, and the bytes of its file."""

    lines: int
    size: int


def compact(run: Run) -> Compacted | None:
    """Move the rows of an ended run into its file; None when it has none, or when
    retention has removed what came before them: a file begins with the first line.

    Raises `LogFileError` when the rows have a gap: then they stay.
    """
    path = logstore.path_of(run)
    with _alone(path):
        ended = Run.objects.ended().filter(pk=run.pk)
        if not (ended.exists() and LogEntry.objects.filter(run=run).exists()):
            return None
        with LogFile.open(path) as old:
            after = old.last if old is not None else 0
            if old is None and logstore.rows(run, 0, 1)[0].sequence > 1:
                return None
            last = logfile.write(path, _records(run, after), old)
        _mark(run)
        _remove_rows(run, last)
    return Compacted(last, path.stat().st_size)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two that compact one log at the same time would lose lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _records(run: Run, after: int) -> Iterator[dict[str, Any]]:
    while rows := logstore.rows(run, after, logstore.PAGE):
        yield from (row.as_dict() for row in rows)
        after = rows[-1].sequence


@steady
def _mark(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(log_compacted_at=timezone.now())


def _remove_rows(run: Run, last: int) -> None:
    for start in range(0, last + CHUNK, CHUNK):
        _remove_chunk(run, min(start, last))


@steady
def _remove_chunk(run: Run, last: int) -> None:
    LogEntry.objects.filter(run=run, sequence__lte=last).delete()


def remove(run: Run, before: datetime) -> bool:
    """Remove the log of a run that ended before then for good; the run itself stays.

    False where it has been started again meanwhile: then nothing is removed. Lines
    that it may write from now on have higher sequences than those that go.
    """
    path = logstore.path_of(run)
    with _alone(path):
        with transaction.atomic():
            ended = Run.objects.ended().filter(pk=run.pk, finished_at__lt=before)
            locked = ended.select_for_update().first()
            if locked is None:
                return False
            path.unlink(missing_ok=True)
        _remove_rows(run, locked.last_sequence)
    return True


def to_compact(before: datetime) -> list[Run]:
    """Runs that ended before then and have rows."""
    have = Exists(LogEntry.objects.filter(run=OuterRef("pk")))
    return list(Run.objects.ended().filter(have, finished_at__lt=before))


def to_remove(before: datetime) -> list[Run]:
    """Runs that ended before then and have a log."""
    runs = Run.objects.ended().filter(finished_at__lt=before)
    have = Exists(LogEntry.objects.filter(run=OuterRef("pk")))
    with_rows = set(runs.filter(have).values_list("pk", flat=True))
    return [
        run for run in runs if run.pk in with_rows or logstore.path_of(run).exists()
    ]
