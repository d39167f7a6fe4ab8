"""Telling the browsers that a run has something new.

What is sent is a hint, never the content: whoever gets it reads the rows. So a hint
that is lost costs a moment, not a line. Hints are sent by one event loop that lives as
long as the process, and those for one run that wait at the same time become one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading

from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

SEND_SECONDS = 5.0
"""After this a hint is given up: Redis does not answer."""


def group(run_id: int) -> str:
    """The channel group of everyone who watches the run."""
    return f"run.{run_id}"


class Messenger:
    """A thread with an event loop that sends hints; started by the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, None] = {}
        self._settled = threading.Event()
        self._settled.set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._silent = False

    def send(self, run_id: int) -> None:
        """Have the hint sent; never waits and never fails."""
        with self._lock:
            self._waiting[run_id] = None
            self._settled.clear()
            loop = self._loop or self._start()
        loop.call_soon_threadsafe(self._wake.set)

    def drain(self, seconds: float) -> bool:
        """Wait until all hints are sent or given up; False when time runs out."""
        return self._settled.wait(seconds)

    def _start(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.new_event_loop()
        threading.Thread(
            target=self._loop.run_until_complete,
            args=(self._serve(),),
            name="hints",
            daemon=True,
        ).start()
        return self._loop

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while (run_id := self._take()) is not None:
                await self._hint(run_id)

    def _take(self) -> int | None:
        with self._lock:
            if not self._waiting:
                self._settled.set()
                return None
            run_id = next(iter(self._waiting))
            del self._waiting[run_id]
            return run_id

    async def _hint(self, run_id: int) -> None:
        message = {"type": "run.hint", "run": run_id}
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await get_channel_layer().group_send(group(run_id), message)
        except (RedisError, OSError) as error:
            if not self._silent:
                logger.warning(
                    "Redis does not answer (%s). Browsers see new log lines a little "
                    "later until it does.",
                    error,
                )
            self._silent = True
        else:
            if self._silent:
                logger.info("Redis answers again.")
            self._silent = False


_messenger = Messenger()


def _renew() -> None:
    """In a forked child the thread of the parent does not exist."""
    global _messenger
    _messenger = Messenger()


os.register_at_fork(after_in_child=_renew)


def announce(run_id: int) -> None:
    """Hint, once the transaction is committed, that the run's rows have changed."""
    transaction.on_commit(lambda: _messenger.send(run_id))


def drain(seconds: float = 1.0) -> bool:
    """Wait until the hints of this process are sent, before it ends."""
    return _messenger.drain(seconds)
