"""The worker's pulse: beats, and learns from the run's row that it should stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import FrameType, TracebackType

from django.conf import settings
from django.db import connection

from runs import lifecycle
from runs.claims import Claim, ClaimLost
from runs.database import AWAY

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the worker looks whether it should stop."""


class Cause(Enum):
    CANCELLED = "cancelled"
    SHUTDOWN = "shutdown"
    LOST = "lost"


class Stopped(Exception):
    """The attempt ends here, for this cause."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class Watch:
    """A thread that beats for a claim until it is told to end."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.cause: Cause | None = None
        self._beaten = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def stop(self, cause: Cause) -> None:
        """Ask the attempt to stop; the first cause counts."""
        self.cause = self.cause or cause

    def should_stop(self) -> bool:
        return self.cause is not None

    def check(self) -> None:
        """Raise `Stopped` if the attempt should stop."""
        if self.cause is Cause.LOST:
            raise ClaimLost(self.claim)
        if self.cause is not None:
            raise Stopped(self.cause)

    def _keep(self) -> None:
        """Until the attempt ends; an attempt without its watch would run on unseen."""
        try:
            while not self._end.wait(min(LOOK_SECONDS, settings.VCBENCH.beat_seconds)):
                self._look()
                if self.cause is Cause.LOST:
                    return
        finally:
            if not self._end.is_set():
                self.stop(Cause.LOST)
            connection.close()

    def _look(self) -> None:
        due = time.monotonic() - self._beaten >= settings.VCBENCH.beat_seconds
        try:
            pulse = (lifecycle.beat if due else lifecycle.look)(self.claim)
        except AWAY as error:  # for longer than `steady` waits; the work goes on
            logger.warning("Run %s cannot beat: %s", self.claim.run_id, error)
            return
        if due:
            self._beaten = time.monotonic()
        if not pulse.alive:
            self.stop(Cause.LOST)
        elif pulse.cancelled:
            self.stop(Cause.CANCELLED)


@contextmanager
def handing_back_on_sigterm(watch: Watch) -> Iterator[None]:
    """While inside, SIGTERM stops the attempt; elsewhere than in the main thread of
    a worker nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        watch.stop(Cause.SHUTDOWN)

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
