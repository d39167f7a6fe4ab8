"""The one way to read a run's log, wherever it lies: in rows, in its file, in both.

A run's log is the sequences 1, 2, 3 … without gaps. Once a run has ended, its rows can
be moved into a file (`runs.compaction`); a retry then adds rows after the file's last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q

from runs.logfile import LogFile
from runs.models import ENDED, Level, LogEntry, Run

PAGE = 1_000
"""Lines of one answer, unless it is told otherwise."""
PAGE_LIMIT = 5_000
"""Lines of one answer at most."""
SIZE = 4_000_000
"""Characters of one answer, about: a line may have 64 KB."""
STEP = 200
OVERHEAD = 100
"""Characters that a line has in JSON besides its message."""
SCAN_LIMIT = 50_000
"""Lines that one filtered answer looks at, at most; `next` says how far it came."""


class Entry(NamedTuple):
    """A line of a run's log."""

    sequence: int
    time: datetime
    level: str
    stage: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return {**self._asdict(), "time": time_text(self.time)}


def time_text(time: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def to_json(entries: Sequence[Entry]) -> str:
    """The entries as a JSON array. Put together here, for `json` takes four times as
    long, and this is done for every line that somebody watches."""
    lines = [
        f'{{"sequence":{sequence},"time":"{time_text(time)}","level":"{level}",'
        f'"stage":"{stage}","message":{quoted(message)}}}'
        for sequence, time, level, stage, message in entries
    ]
    return f"[{','.join(lines)}]"


def path_of(run: Run) -> Path:
    """Where the log of the run lies once it is compacted.

    Not in the run's folder: cleaning that up must not take the log with it.
    """
    return Path(settings.VCBENCH.data_dir) / "logs" / f"{run.uuid}.jsonl.gz"


def read(run: Run, since: int = 0, limit: int = PAGE) -> list[Entry]:
    """Up to `limit` entries after the sequence `since`, in order.

    Costs one index look-up, or one block of the file, however long the log is.
    """
    found = rows(run, since, limit)
    if found and found[0].sequence == since + 1:
        return found
    with LogFile.open(path_of(run)) as file:
        if file is None or file.last <= since:
            return found
        kept = [_entry(record) for record in file.read(since, limit)]
    if len(kept) < limit:
        kept += rows(run, since + len(kept), limit - len(kept))
    return kept


def window(
    run: Run, since: int, limit: int, *, size: int = SIZE, step: int = STEP
) -> list[Entry]:
    """As `read`, but of at most `size` characters, about, and at least one entry.

    `step` is how many lines are read first; after that their length is known.
    """
    found: list[Entry] = []
    while limit > len(found):
        asked = min(step, limit - len(found))
        page = read(run, since, asked)
        for entry in page:
            size -= len(entry.message) + OVERHEAD
            if size < 0 and found:
                return found
            found.append(entry)
        if len(page) < asked:
            break
        since = page[-1].sequence
        mean = sum(len(entry.message) + OVERHEAD for entry in page) // len(page)
        step = max(1, size // mean)
    return found


def rows(run: Run, since: int, limit: int) -> list[Entry]:
    rows = LogEntry.objects.filter(run_id=run.pk, sequence__gt=since)
    values = rows.order_by("sequence").values_list(*Entry._fields)
    return list(map(Entry._make, values[:limit]))


def _entry(record: dict[str, Any]) -> Entry:
    return Entry(**{**record, "time": datetime.fromisoformat(record["time"])})


def tail(run: Run, limit: int = PAGE) -> list[Entry]:
    """The last entries, in order."""
    return read(run, max(0, last_sequence(run) - limit), limit)


def last_sequence(run: Run) -> int:
    """The sequence of the last line, as the database has it now."""
    rows = Run.objects.filter(pk=run.pk)
    return rows.values_list("last_sequence", flat=True).first() or 0


def count(run: Run) -> int:
    """How many lines can be read; none once retention has removed the log."""
    first = read(run, 0, 1)
    return last_sequence(run) - first[0].sequence + 1 if first else 0


def first_error(run: Run) -> int | None:
    """The sequence of the first line with the level `error`."""
    with LogFile.open(path_of(run)) as file:
        if file is not None and file.first_error:
            return file.first_error
    errors = LogEntry.objects.filter(run_id=run.pk, level=Level.ERROR)
    return errors.order_by("sequence").values_list("sequence", flat=True).first()


def entries(run: Run, since: int = 0) -> Iterator[list[Entry]]:
    """Every entry after `since`, page by page."""
    while page := window(run, since, PAGE):
        yield page
        since = page[-1].sequence


def text(run: Run) -> Iterator[bytes]:
    """The whole log as text, in chunks: time, level, stage, message."""
    for page in entries(run):
        yield "".join(map(_text_line, page)).encode()


def _text_line(entry: Entry) -> str:
    time = entry.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return f"{time} {entry.level:<8} {entry.stage or '-':<9} {entry.message}\n"


def json_lines(run: Run) -> Iterator[bytes]:
    """The whole log as JSON lines, in chunks."""
    for page in entries(run):
        yield "".join(
            json.dumps(entry.as_dict(), ensure_ascii=False) + "\n" for entry in page
        ).encode()


def poll(
    run: Run,
    *,
    since: int = 0,
    limit: int = PAGE,
    levels: Sequence[str] = (),
    search: str = "",
) -> dict[str, Any]:
    """The answer of the polling interface.

    With `levels` or `search` (case does not matter) only lines that match are
    returned, of at most `SIZE` characters, about; `next` is then how far the log was
    looked at, at most `SCAN_LIMIT` lines at a time.
    """
    limit = max(1, min(limit, PAGE_LIMIT))
    since = max(0, since)
    # The status first: a run that has ended writes no line after it.
    status, last = Run.objects.values_list("status", "last_sequence").get(pk=run.pk)
    if levels or search:
        found, after = _filtered(run, since, limit, levels, search, last)
    else:
        found = window(run, since, limit)
        after = found[-1].sequence if found else since
        if status in ENDED and not found:
            after = max(since, last)  # also where retention has removed the log
    return {
        "sample_id": run.sample.name,
        "run": str(run.uuid),
        "status": status,
        "logs": [entry.as_dict() for entry in found],
        "next": after,
        "last_sequence": max(last, after) if found else last,
    }


def _filtered(
    run: Run, since: int, limit: int, levels: Sequence[str], search: str, last: int
) -> tuple[list[Entry], int]:
    """The entries that match, and the sequence of the last one looked at."""
    end = min(last, since + SCAN_LIMIT)
    with LogFile.open(path_of(run)) as file:
        in_file = file.last if file is not None else 0
    if since < in_file:
        end = min(end, in_file)
    if since < in_file or _needs_scan(search):
        matching = _scan(run, since, end, levels, search)
    else:
        matching = _query(run, since, end, levels, search, min(limit, STEP))
    return _take(matching, limit, max(since, end))


def _take(matching: Iterator[Entry], limit: int, end: int) -> tuple[list[Entry], int]:
    """As much as one answer may have, and the last sequence looked at: `end` if all."""
    found: list[Entry] = []
    size = 0
    for entry in matching:
        size += len(entry.message) + OVERHEAD
        if found and size > SIZE:
            return found, entry.sequence - 1
        found.append(entry)
        if len(found) == limit:
            return found, entry.sequence
    return found, end


def _needs_scan(search: str) -> bool:
    """SQLite compares letters without regard to case in ASCII only."""
    return connection.vendor == "sqlite" and not search.isascii()


def _query(
    run: Run, since: int, end: int, levels: Sequence[str], search: str, step: int
) -> Iterator[Entry]:
    """`step` matching rows are read at a time."""
    wanted = Q(run_id=run.pk, sequence__lte=end)
    if levels:
        wanted &= Q(level__in=levels)
    if search:
        wanted &= Q(message__icontains=search)
    rows = LogEntry.objects.filter(wanted).order_by("sequence")
    values = rows.values_list(*Entry._fields)
    while page := list(values.filter(sequence__gt=since)[:step]):
        yield from map(Entry._make, page)
        if len(page) < step:
            return
        since = page[-1][0]


def _scan(
    run: Run, since: int, end: int, levels: Sequence[str], search: str
) -> Iterator[Entry]:
    needle = search.casefold()
    for page in entries(run, since):
        for entry in page:
            if entry.sequence > end:
                return
            if (not levels or entry.level in levels) and (
                not needle or needle in entry.message.casefold()
            ):
                yield entry
