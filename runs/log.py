"""RunLog, the one writer of log lines."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from runs import live
from runs.claims import Claim, ClaimLost
from runs.database import steady
from runs.models import Level, LogEntry, Run


@dataclass(frozen=True, slots=True)
class Line:
    """A line before it has a sequence."""

    time: datetime
    level: str
    stage: str
    message: str


def _append(rows: QuerySet[Run], run_id: int, lines: Sequence[Line]) -> bool:
    """Write the lines with the next sequences; False when `rows` matched no run."""
    with transaction.atomic():
        if not rows.update(last_sequence=F("last_sequence") + len(lines)):
            return False
        last = Run.objects.values_list("last_sequence", flat=True).get(pk=run_id)
        LogEntry.objects.bulk_create(
            LogEntry(
                run_id=run_id,
                sequence=sequence,
                time=line.time,
                level=line.level,
                stage=line.stage,
                message=line.message,
            )
            for sequence, line in enumerate(lines, last - len(lines) + 1)
        )
        live.announce(run_id)
    return True


def say(run: Run, level: Level, message: str) -> None:
    """A line about the run from outside its worker: queued, cancelled, lost."""
    line = Line(timezone.now(), level, "", message)
    _append(Run.objects.filter(pk=run.pk), run.pk, [line])


class RunLog:
    """The log of one attempt, written through its claim.

    `write` may be called from any thread. Raises `ClaimLost` once the claim is lost.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.stage = ""
        self._lock = threading.Lock()

    def write(self, level: str, message: str) -> None:
        line = Line(timezone.now(), level, self.stage, message)
        with self._lock:
            self._commit([line])

    @steady
    def _commit(self, lines: Sequence[Line]) -> None:
        if not _append(self.claim.rows, self.claim.run_id, lines):
            raise ClaimLost(self.claim)

    def info(self, message: str) -> None:
        self.write(Level.INFO, message)

    def success(self, message: str) -> None:
        self.write(Level.SUCCESS, message)

    def warning(self, message: str) -> None:
        self.write(Level.WARNING, message)

    def error(self, message: str) -> None:
        self.write(Level.ERROR, message)

    def progress(self, message: str) -> None:
        """A line that takes the place of the progress line before it."""
        self.write(Level.PROGRESS, message)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def flush(self) -> None:
        """Return when every line written so far is committed."""

    def close(self) -> None:
        """Flush and stop; the log takes no line after this."""
        self.flush()
