"""RunLog, the one writer of log lines.

Producers hand lines over and go on; a thread writes them. The first line is written
at once, those that come meanwhile in windows of 50 ms or 500 lines: one transaction
with one bulk INSERT and one hint to the browsers each.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F
from django.utils import timezone

from runs import live, logtext
from runs.claims import Claim, ClaimLost
from runs.database import PATIENCE, steady
from runs.models import Level, LogEntry, Run, Status

logger = logging.getLogger(__name__)

WINDOW = 0.05
"""Seconds for which lines are collected after a write."""
BATCH = 500
"""Lines of one write at most."""
ROOM = 5_000
"""Lines that may wait while the database is away; then producers wait."""
WAIT = 2 * PATIENCE
"""Seconds after which a producer that waits is told so instead."""


COLUMNS = "runs_logentry (run_id, sequence, time, level, stage, message)"
INSERT = f"INSERT INTO {COLUMNS} VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608
IN_ONE = f"""
WITH run AS (
    UPDATE runs_run SET last_sequence = last_sequence + %s WHERE id = %s {{fence}}
    RETURNING id, last_sequence
), added AS (
    INSERT INTO {COLUMNS}
    SELECT run.id, run.last_sequence - %s + number, time, level, stage, message
    FROM run, unnest(%s::timestamptz[], %s::text[], %s::text[], %s::text[])
        WITH ORDINALITY AS lines (time, level, stage, message, number)
)
SELECT last_sequence FROM run
"""  # noqa: S608
FENCE = "AND attempt = %s AND claim = %s AND status = %s"


class Line(NamedTuple):
    """A line before it has a sequence."""

    time: datetime
    level: str
    stage: str
    message: str


def _append(
    claim: Claim | None, run_id: int, lines: Sequence[Line], doubt: int | None = None
) -> int | None:
    """Write the lines with the next sequences; the last one, or None when the claim
    is lost.

    With `doubt`, an earlier try may have been committed although its answer was lost:
    then the lines are there already, after that sequence, and are not written again.
    """
    write = _write_in_one if connection.vendor == "postgresql" else _write
    if doubt is None:
        last = write(claim, run_id, lines)
    else:
        with transaction.atomic():
            # Locks the run's row, so an earlier try is over, one way or the other.
            Run.objects.select_for_update().filter(pk=run_id).first()
            if first := _find(run_id, lines[0], doubt):
                return first + len(lines) - 1
            last = write(claim, run_id, lines)
    if last is not None:
        live.announce(run_id)
    return last


def _write_in_one(
    claim: Claim | None, run_id: int, lines: Sequence[Line]
) -> int | None:
    """PostgreSQL: one statement, which is one trip to the server and one commit."""
    count = len(lines)
    columns: list[list[Any]] = [list(each) for each in zip(*lines, strict=True)]
    fence: list[Any] = [claim.attempt, claim.token, Status.RUNNING] if claim else []
    with connection.cursor() as cursor:
        cursor.execute(
            IN_ONE.format(fence=FENCE if claim else ""),
            [count, run_id, *fence, count, *columns],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _write(claim: Claim | None, run_id: int, lines: Sequence[Line]) -> int | None:
    """SQLite: several statements cost no trips, and this a quarter of `bulk_create`."""
    count = len(lines)
    time_of = connection.ops.adapt_datetimefield_value
    with transaction.atomic():
        rows = claim.rows if claim else Run.objects.filter(pk=run_id)
        if not rows.update(last_sequence=F("last_sequence") + count):
            return None
        last = Run.objects.values_list("last_sequence", flat=True).get(pk=run_id)
        values = [
            (run_id, sequence, time_of(time), level, stage, message)
            for sequence, (time, level, stage, message) in enumerate(
                lines, last - count + 1
            )
        ]
        with connection.cursor() as cursor:
            cursor.executemany(INSERT, values)
    return last


def _find(run_id: int, line: Line, after: int) -> int | None:
    same = LogEntry.objects.filter(
        run_id=run_id,
        sequence__gt=after,
        time=line.time,
        level=line.level,
        stage=line.stage,
        message=line.message,
    )
    return same.order_by("sequence").values_list("sequence", flat=True).first()


def say(run: Run, level: Level, message: str) -> None:
    """A line about the run from outside its worker: queued, cancelled, lost."""
    now = timezone.now()
    lines = [Line(now, *part) for part in _parts(level, "", message)]
    _append(None, run.pk, lines)


def _parts(level: str, stage: str, message: str) -> Iterator[tuple[str, str, str]]:
    for own, text in logtext.clean(message, level):
        yield own, stage, text


class RunLog:
    """The log of one attempt, written through its claim.

    `write` may be called from any thread and returns before the line is committed.
    It raises `ClaimLost` once the claim is lost, and waits when `ROOM` lines wait
    already. Inside a transaction of the caller a line is part of that transaction.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.stage = ""
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._done = threading.Condition(self._lock)
        self._lines: deque[Line] = deque()
        self._accepted = 0
        self._committed = 0
        self._hurried = 0
        self._next = 0.0
        self._known: int | None = None
        self._doubtful = False
        self._failure: Exception | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def write(self, level: str, message: str) -> None:
        parts = list(_parts(level, self.stage, message))
        with self._lock:
            self._check()
            # A writer in another thread would wait for this very transaction.
            inside = connection.in_atomic_block
            lines = [Line(timezone.now(), *part) for part in parts]
            if inside and self._accepted == self._committed:
                self._write_inside(lines)
                return
            if not inside:
                self._wait_for(lambda: len(self._lines) < ROOM)
            self._accept(lines)

    def _write_inside(self, lines: Sequence[Line]) -> None:
        if _append(self.claim, self.claim.run_id, lines) is None:
            raise ClaimLost(self.claim)

    def _accept(self, lines: Sequence[Line]) -> None:
        before = len(self._lines)
        self._lines.extend(lines)
        self._accepted += len(lines)
        if before == 0 or before < BATCH <= len(self._lines):
            self._work.notify()
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._keep_writing, name="log", daemon=True
            )
            self._thread.start()

    def _check(self) -> None:
        if self._closed:
            raise ValueError("The run's log is closed and takes no more lines.")
        if isinstance(self._failure, ClaimLost):
            raise ClaimLost(self.claim)
        if self._failure is not None:
            raise self._failure

    def _wait_for(self, predicate: Callable[[], bool]) -> None:
        """Wait for the writer; raises what stopped it."""
        met = self._done.wait_for(
            lambda: self._failure is not None or predicate(), timeout=WAIT
        )
        self._check()
        if not met:
            raise TimeoutError(
                f"No log line could be written for {WAIT:.0f} s: the database hangs."
            )

    def _keep_writing(self) -> None:
        try:
            while lines := self._take():
                self._commit(lines)
                with self._lock:
                    self._committed += len(lines)
                    self._done.notify_all()
        except (ClaimLost, DatabaseError, InterfaceError) as error:
            self._fail(error)
        except BaseException:
            self._fail(RuntimeError("The writer of the run's log has failed."))
            raise
        finally:
            connection.close()

    def _take(self) -> list[Line]:
        """The lines of the next window; none once the log is closed."""
        with self._lock:
            self._work.wait_for(lambda: self._lines or self._closed)
            self._work.wait_for(
                lambda: self._closed or self._hurried or len(self._lines) >= BATCH,
                timeout=max(0.0, self._next - time.monotonic()),
            )
            self._next = time.monotonic() + WINDOW
            lines = list(islice(self._lines, BATCH))
            for _ in lines:
                self._lines.popleft()
            return lines

    def _fail(self, error: Exception) -> None:
        with self._lock:
            self._failure = error
            self._lines.clear()
            self._done.notify_all()

    @steady
    def _commit(self, lines: Sequence[Line]) -> None:
        if self._known is None:
            self._known = Run.objects.values_list("last_sequence", flat=True).get(
                pk=self.claim.run_id
            )
        doubt = self._known if self._doubtful else None
        self._doubtful = True
        last = _append(self.claim, self.claim.run_id, lines, doubt)
        self._doubtful = False
        if last is None:
            raise ClaimLost(self.claim)
        self._known = last

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
        try:
            self.close()
        except ClaimLost:
            logger.warning("Run %s was taken away", self.claim.run_id)

    def flush(self) -> None:
        """Return when every line written so far is committed; raises as `write`."""
        with self._lock:
            self._check()
            wanted = self._accepted
            if wanted == self._committed:
                return
            if connection.in_atomic_block:
                raise RuntimeError(
                    "RunLog.flush was called inside a transaction that its writer "
                    "waits for. Flush before the transaction begins."
                )
            self._hurried += 1
            self._work.notify()
            try:
                self._wait_for(lambda: self._committed >= wanted)
            finally:
                self._hurried -= 1

    def close(self) -> None:
        """Write what waits and stop; the log takes no line after this."""
        if self._closed:
            return
        try:
            self.flush()
        finally:
            with self._lock:
                self._closed = True
                self._work.notify()
            if self._thread is not None:
                self._thread.join(WAIT)
            live.drain()

    def writes_here(self) -> bool:
        """Whether this is the writer's own thread, whose words must not come back."""
        return threading.current_thread() is self._thread

    @contextmanager
    def listening(self, *names: str, level: int = logging.INFO) -> Iterator[None]:
        """While inside, records of these loggers become lines of the run."""
        handler = RunLogHandler(self, level)
        loggers = [logging.getLogger(name) for name in names]
        for each in loggers:
            each.addHandler(handler)
        try:
            yield
        finally:
            for each in loggers:
                each.removeHandler(handler)


class RunLogHandler(logging.Handler):
    """Brings what libraries log into the log of a run."""

    def __init__(self, log: RunLog, level: int = logging.INFO) -> None:
        super().__init__(level)
        self.log = log

    def createLock(self) -> None:
        """None: `RunLog` has its own, and its writer must never wait for ours."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.log.writes_here():
            return
        # The library cannot help a lost claim; the run's watch ends the attempt.
        with suppress(ClaimLost):
            self.log.write(level_of(record.levelno), self.format(record))


def level_of(number: int) -> Level:
    """The run's level for one of Python's."""
    if number >= logging.ERROR:
        return Level.ERROR
    return Level.WARNING if number >= logging.WARNING else Level.INFO
