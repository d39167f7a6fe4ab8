"""What a watched run's sockets are sent, made ready: frames of lines, and of status."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from django.db import connection

from runs import logstore
from runs.database import AWAY
from runs.logstore import Entry
from runs.models import ENDED, Run

logger = logging.getLogger(__name__)
T = TypeVar("T")

PAGE = 1_000
"""Lines of one frame at most."""
SIZE = 500_000
"""Characters of one frame, about; many clients take no message above 1 MB."""
AGAIN_SECONDS = 0.5
"""How soon the database is tried again."""

# Threads of their own: reading the log must not wait behind a slow page.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="hub")


async def in_thread(read: Callable[[], T]) -> T:
    """The result of a read of the database; tried again until there is one."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return await loop.run_in_executor(_threads, _connected, read)
        except AWAY as error:
            logger.warning("The log cannot be read just now: %s", error)
            await asyncio.sleep(AGAIN_SECONDS)


def _connected(read: Callable[[], T]) -> T:
    if connection.errors_occurred:
        connection.close()
    return read()


@dataclass(frozen=True, slots=True)
class State:
    """What the run's row says."""

    status: str
    stage: str
    bytes_done: int
    bytes_total: int | None
    rate: float | None
    last_sequence: int

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def eta(self) -> float | None:
        if not self.rate or self.bytes_total is None:
            return None
        return max(0, self.bytes_total - self.bytes_done) / self.rate

    def differs(self, other: State | None) -> bool:
        """Whether more than the number of the last line is different."""
        return other is None or other != replace(
            self, last_sequence=other.last_sequence
        )

    def frame(self) -> str:
        return json.dumps(
            {
                "type": "status",
                "status": self.status,
                "stage": self.stage,
                "bytes_done": self.bytes_done,
                "bytes_total": self.bytes_total,
                "rate": self.rate,
                "eta": self.eta,
                "last_sequence": self.last_sequence,
            }
        )

    def end_frame(self) -> str:
        return json.dumps(
            {
                "type": "end",
                "status": self.status,
                "last_sequence": self.last_sequence,
            }
        )


def look(run: Run) -> State | None:
    """The run's row as it is now; None when the run was deleted."""
    row = Run.objects.filter(pk=run.pk).values_list(
        "status", "stage", "bytes_done", "bytes_total", "rate", "last_sequence"
    )
    values = row.first()
    return State(*values) if values else None


@dataclass(frozen=True, slots=True)
class Frame:
    """Entries of a log, made ready to be sent."""

    entries: list[Entry]
    text: str

    @classmethod
    def of(cls, entries: list[Entry]) -> Frame:
        return cls(entries, f'{{"type":"log","entries":{logstore.to_json(entries)}}}')

    @property
    def first(self) -> int:
        return self.entries[0].sequence

    @property
    def last(self) -> int:
        return self.entries[-1].sequence

    def after(self, sequence: int) -> Frame | None:
        """The part of the frame after that sequence."""
        if self.first > sequence:
            return self
        rest = [entry for entry in self.entries if entry.sequence > sequence]
        return Frame.of(rest) if rest else None


def read_frame(run: Run, since: int, step: int = logstore.STEP) -> Frame | None:
    entries = logstore.window(run, since, PAGE, size=SIZE, step=step)
    return Frame.of(entries) if entries else None
