"""Threads of a transfer: started together, stopped together, never left to block.

They are daemon threads: one that hangs in a connect or a silent server must neither
hold up a cancel nor the end of the process.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from urllib3 import BaseHTTPResponse

from runs.transfers.base import Limits, TransferCancelled, TransferError
from runs.transfers.slots import slot


class Crew:
    """Runs tasks in `workers` threads; the first fault ends the taking of tasks."""

    def __init__(
        self, tasks: Sequence[Callable[[], None]], workers: int, name: str
    ) -> None:
        self._tasks = iter(tasks)
        self._lock = threading.Lock()
        self._change = threading.Condition()
        self._running = max(1, min(workers, len(tasks)))
        self.fault: BaseException | None = None
        for number in range(self._running):
            threading.Thread(
                target=self._work, name=f"{name}-{number}", daemon=True
            ).start()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            return None if self.fault else next(self._tasks, None)

    def _work(self) -> None:
        try:
            while task := self._next():
                task()
        except BaseException as fault:  # noqa: BLE001 - handed to who waits
            with self._lock:
                self.fault = self.fault or fault
        finally:
            with self._change:
                self._running -= 1
                self._change.notify_all()

    def wait(self, seconds: float) -> bool:
        """True once all threads ended, or at the first fault."""
        with self._change:
            return self._change.wait_for(
                lambda: self._running == 0 or self.fault is not None, seconds
            )

    def join(self, seconds: float) -> bool:
        """True once all threads ended."""
        with self._change:
            return self._change.wait_for(lambda: self._running == 0, seconds)


class Lines:
    """The open connections of one file; `halt` ends them at once, for good."""

    def __init__(self) -> None:
        self.halted = threading.Event()
        self._open: set[BaseHTTPResponse] = set()
        self._children: list[Lines] = []
        self._lock = threading.Lock()
        self._pausing = 0

    def child(self) -> Lines:
        """Connections that can be ended without ending those of the whole."""
        lines = Lines()
        with self._lock:
            self._children.append(lines)
        if self.halted.is_set():
            lines.halt()
        return lines

    def check(self) -> None:
        if self.halted.is_set():
            raise TransferCancelled

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._pausing += 1
        try:
            self.halted.wait(seconds)
        finally:
            with self._lock:
                self._pausing -= 1
        self.check()

    @property
    def pausing(self) -> bool:
        return self._pausing > 0 or any(child.pausing for child in self._children)

    @contextlib.contextmanager
    def hold(self, response: BaseHTTPResponse) -> Iterator[None]:
        """Keeps `response` within reach of `halt`."""
        with self._lock:
            self._open.add(response)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._open.discard(response)
            if not response.closed:  # not read to its end: of no use to the pool
                response.close()
            response.release_conn()

    def halt(self) -> None:
        self.halted.set()
        with self._lock:
            for response in self._open:
                with contextlib.suppress(ValueError, RuntimeError, OSError):
                    response.shutdown()
            children = list(self._children)
        for child in children:
            child.halt()


class Gate:
    """At most `limits.connections` open connections to a host, over all transfers.

    Those of this process queue here; with `shared`, those of other processes count.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._in_use: dict[str, int] = {}

    @contextlib.contextmanager
    def enter(
        self, host: str, limits: Limits, lines: Lines, *, shared: bool
    ) -> Iterator[None]:
        with self._here(host, limits, lines):
            if shared:
                with slot(host, limits.connections, lines.pause):
                    yield
            else:
                yield

    @contextlib.contextmanager
    def _here(self, host: str, limits: Limits, lines: Lines) -> Iterator[None]:
        with self._lock:
            while self._in_use.get(host, 0) >= limits.connections:
                lines.check()
                self._lock.wait(0.5)
            self._in_use[host] = self._in_use.get(host, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use[host] -= 1
                self._lock.notify()


GATE = Gate()


class Meter:
    """Bytes of all files together: progress, the rate of late, and the stall."""

    WINDOW = 5.0

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self.done = 0
        self.received = 0
        self._samples = [(time.monotonic(), 0)]
        self._stalled_since = (time.monotonic(), 0)

    def add(self, count: int, *, received: bool = True) -> None:
        """`received` is False for bytes taken over from before, or thrown away."""
        with self._lock:
            self.done += count
            if received:
                self.received += count

    def rate(self) -> float:
        """Received bytes per second over the last seconds."""
        now = time.monotonic()
        self._samples.append((now, self.received))
        while len(self._samples) > 2 and self._samples[1][0] < now - self.WINDOW:
            self._samples.pop(0)
        then, before = self._samples[0]
        return (self.received - before) / (now - then) if now > then else 0.0

    def check_stall(self, busy: bool, place: str) -> None:
        """Raises when open connections bring next to nothing for too long."""
        now, (since, before) = time.monotonic(), self._stalled_since
        if not busy or self.received - before >= self._limits.stall_bytes:
            self._stalled_since = (now, self.received)
        elif now - since > self._limits.stall_seconds:
            raise TransferError(
                f"{place} sends too slowly: {self.received - before} bytes in "
                f"{now - since:.0f} seconds. What has come is kept; retry later.",
                transient=True,
            )
