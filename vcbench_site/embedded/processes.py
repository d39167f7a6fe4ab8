"""Child processes that are kept running and never left behind.

Each child has a thread of its own that starts it, waits for it and starts it again
when it ends by itself. The same thread has to do both: the kernel's signal on the
parent's death is about the thread that forked. Children lead process groups of their
own, so Ctrl-C in the terminal reaches only the keeper, which ends them in order.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

logger = logging.getLogger(__name__)

BOUND = Path(__file__).with_name("bound.py")
PATIENCE = 20.0
"""Seconds that a child has to end after SIGTERM before it is killed."""
PAUSES = (0.2, 1.0, 3.0, 10.0)
"""Seconds before a child that ended by itself is started again."""
STEADY = 5.0
"""A child that lived this many seconds had started well: its end is no bad start."""


class StartFailed(Exception):
    """A part did not come up; the message says which, and what it wrote last."""


class Child:
    """A program that runs until it is told to stop."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        keep: Sequence[int] = (),
        stdin: bytes = b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self.log = log
        self.keep = tuple(keep)
        self.stdin = stdin
        self.clock = clock
        self.process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._begun.wait()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_lines(self, count: int = 15) -> str:
        """What the program wrote last."""
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-count:])

    def stop(self, patience: float = PATIENCE) -> None:
        """SIGTERM, then SIGKILL to all that is left of its group."""
        self._stop.set()
        process = self.process
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end in %s s: killed", self.name, patience)
        _signal_group(process, signal.SIGKILL)
        process.wait()
        self._thread.join()

    def _run(self) -> None:
        bad_starts = 0
        while not self._stop.is_set():
            began = self.clock()
            process = self._spawn()
            process.wait()
            if self._stop.is_set():
                return
            _signal_group(process, signal.SIGKILL)
            if self.clock() - began >= STEADY:
                bad_starts = 0
            pause = PAUSES[min(bad_starts, len(PAUSES) - 1)]
            bad_starts += 1
            logger.warning(
                "%s ended (%s), see %s; it is started again in %s s.",
                self.name,
                ending(process.returncode),
                self.log,
                pause,
            )
            self._stop.wait(pause)

    def _spawn(self) -> subprocess.Popen[bytes]:
        wrapped = [
            *(sys.executable, "-I", "-S", str(BOUND), str(os.getpid())),
            *self.command,
        ]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                wrapped,
                env=self.environment,
                stdin=subprocess.PIPE if self.stdin else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self.keep,
                start_new_session=True,
            )
        if process.stdin is not None:
            process.stdin.write(self.stdin)
            process.stdin.close()
        self.process = process
        self._begun.set()
        return process


def ending(code: int) -> str:
    """How a process ended, in words."""
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


class Children:
    """The children of one portal; ended in the reverse order of their start."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def add(self, child: Child) -> Child:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        child.start()
        self._children.append(child)
        return child

    def __iter__(self) -> Iterator[Child]:
        return iter(self._children)

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        while self._children:
            self._children.pop().stop()
