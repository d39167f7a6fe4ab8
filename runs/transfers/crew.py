"""Threads of a transfer: started together, stopped together, never left to block.

They are daemon threads: one that hangs in a connect or a silent server must neither
hold up a cancel nor the end of the process.
"""

from __future__ import annotations

import bisect
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from urllib3 import BaseHTTPResponse

from runs.transfers.base import Limits, TransferCancelled, TransferError
from runs.transfers.slots import slot

Task = Callable[[], None]


class Batch:
    """Tasks given to a crew together; after the first fault no more of them begin."""

    def __init__(
        self, lock: threading.Lock, tasks: Sequence[Task], rank: int = 0
    ) -> None:
        self.rank = rank
        self._change = threading.Condition(lock)
        self._waiting = deque(tasks)
        self._running = 0
        self.fault: BaseException | None = None

    def take(self) -> Task | None:
        """The next task, which runs from now on. The crew's lock is held."""
        if self.fault or not self._waiting:
            return None
        self._running += 1
        return self._waiting.popleft()

    def carry_out(self, task: Task) -> None:
        fault: BaseException | None = None
        try:
            task()
        except BaseException as caught:  # noqa: BLE001 - handed to who waits
            fault = caught
        with self._change:
            self._running -= 1
            self.fault = self.fault or fault
            self._change.notify_all()

    def wait(self, seconds: float) -> bool:
        """True once all tasks ended, or at the first fault."""
        with self._change:
            return self._change.wait_for(
                lambda: self.fault is not None or not (self._running or self._waiting),
                seconds,
            )

    def join(self, seconds: float) -> bool:
        """No more tasks begin; True once none runs."""
        with self._change:
            self._waiting.clear()
            return self._change.wait_for(lambda: self._running == 0, seconds)


class Crew:
    """Up to `workers` threads for tasks, of the highest and the lowest rank in turn."""

    def __init__(self, workers: int, name: str) -> None:
        self._workers, self._name = max(1, workers), name
        self._lock = threading.Lock()
        self._change = threading.Condition(self._lock)
        self._batches: list[Batch] = []
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._high = False

    def give(self, tasks: Sequence[Task], rank: int = 0) -> Batch:
        batch = Batch(self._lock, tasks, rank)
        with self._change:
            bisect.insort(self._batches, batch, key=lambda each: each.rank)
            self._change.notify(len(tasks))
            for _ in range(min(len(tasks), self._workers - len(self._threads))):
                name = f"{self._name}-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
        return batch

    def close(self, until: float) -> None:
        """Nothing more is given; waits for the threads, at most until that time."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while step := self._next():
            batch, task = step
            batch.carry_out(task)

    def _turn(self) -> Batch:
        """Of those of the highest rank, or of the lowest, the one given first."""
        self._high = not self._high
        if self._high:
            return max(self._batches, key=lambda each: each.rank)
        return self._batches[0]

    def _next(self) -> tuple[Batch, Task] | None:
        with self._change:
            while True:
                while self._batches:
                    batch = self._turn()
                    if task := batch.take():
                        return batch, task
                    self._batches.remove(batch)
                if self._closed:
                    return None
                self._change.wait()


class Lines:
    """The open connections of one file; `halt` ends them at once, for good."""

    def __init__(self) -> None:
        self.halted = threading.Event()
        self._open: set[BaseHTTPResponse] = set()
        self._children: list[Lines] = []
        self._lock = threading.Lock()
        self._in_use = 0

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
        self.halted.wait(seconds)
        self.check()

    @contextlib.contextmanager
    def using(self) -> Iterator[None]:
        """A connection is open within, or being opened: bytes may be asked of it."""
        with self._lock:
            self._in_use += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use -= 1

    @property
    def busy(self) -> bool:
        """Not while all there is to do waits: for its turn, or to try again."""
        return self._in_use > 0 or any(child.busy for child in self._children)

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
            # not read to its end, or shut down: of no use to the pool
            if self.halted.is_set() or not response.closed:
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

    Those of this process queue here, first come, first served; with `shared`, those of
    other processes count.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_use: dict[str, int] = {}
        self._queues: dict[str, deque[threading.Event]] = {}

    @contextlib.contextmanager
    def enter(
        self, host: str, limits: Limits, lines: Lines, *, shared: bool
    ) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._here(host, limits, lines))
            if shared:
                stack.enter_context(slot(host, limits.connections, lines.pause))
            stack.enter_context(lines.using())
            yield

    @contextlib.contextmanager
    def _here(self, host: str, limits: Limits, lines: Lines) -> Iterator[None]:
        turn = self._queue_up(host, limits)
        try:
            while not turn.wait(0.5):
                lines.check()
            yield
        finally:
            self._leave(host, turn)

    def _queue_up(self, host: str, limits: Limits) -> threading.Event:
        """Set once the connection may be opened."""
        turn = threading.Event()
        with self._lock:
            if self._in_use.get(host, 0) < limits.connections:
                self._in_use[host] = self._in_use.get(host, 0) + 1
                turn.set()
            else:
                self._queues.setdefault(host, deque()).append(turn)
        return turn

    def _leave(self, host: str, turn: threading.Event) -> None:
        """Hands the place of `turn` on, or leaves the queue."""
        with self._lock:
            queue = self._queues.get(host, deque())
            if not turn.is_set():
                queue.remove(turn)
            elif queue:
                queue.popleft().set()
            else:
                self._in_use[host] -= 1


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
