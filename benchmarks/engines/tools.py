"""Running a tool as a child process: by argument list, watched, and ended for good.

Nothing is run by a shell. The portal's own secrets are not handed down. A tool ends
with all its children when it is told to, when it says nothing for too long, when it
takes too long, and when the portal's process dies (see `child`).
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Literal

from benchmarks.engines.base import EngineCancelledError, EngineError

CHILD = Path(__file__).with_name("child.py")
SECRETS = ("VCBENCH_", "AWS_", "DJANGO_", "PGPASSWORD", "DATABASE_URL", "REDIS_URL")
LONGEST_LINE = 65_536
"""Bytes that are kept of a line, the note of a cut included."""
TAIL_LINES = 60
POLL_SECONDS = 0.2

Stream = Literal["stdout", "stderr"]
Ending = Literal["ended", "cancelled", "too long", "silent", "not started"]
OnLine = Callable[[Stream, str], None]

SIGNALS: dict[int, str] = {
    signal.SIGKILL: "was killed (signal 9), most likely because memory ran out",
    signal.SIGTERM: "was ended from outside (signal 15)",
    signal.SIGSEGV: "crashed (signal 11, segmentation fault)",
    signal.SIGABRT: "broke off (signal 6)",
    signal.SIGBUS: "crashed (signal 7, bus error; is the disk full?)",
    signal.SIGXCPU: "used up its CPU time (signal 24)",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a tool may run and be silent (seconds), and its address space (bytes).

    None sets no limit. `grace` are the seconds between TERM and KILL.
    """

    seconds: float | None = None
    silence: float | None = None
    memory: int | None = None
    grace: float = 3.0


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """How a tool ended. `returncode` is negative for a signal, None if not started.

    `tail` are its last lines, of both streams; `stdout` is kept only by `capture`.
    `memory` is the largest resident size of one process, in bytes.
    """

    argv: tuple[str, ...]
    ending: Ending
    returncode: int | None
    seconds: float
    tail: tuple[str, ...] = ()
    stdout: str = ""
    memory: int | None = None
    limits: Limits = field(default_factory=Limits)
    error: str = ""

    @property
    def ok(self) -> bool:
        return self.ending == "ended" and self.returncode == 0

    @property
    def words(self) -> str:
        """How it ended, as a sentence."""
        name = Path(self.argv[0]).name
        match self.ending:
            case "cancelled":
                return f"{name} was ended because the run was cancelled."
            case "too long":
                return (
                    f"{name} was ended after {_span(self.limits.seconds)}, the longest "
                    "time that it may take."
                )
            case "silent":
                return (
                    f"{name} was ended because it had written nothing for "
                    f"{_span(self.limits.silence)}."
                )
            case "not started":
                return f"{name} could not be started: {self.error}."
        return f"{name} {code_in_words(self.returncode)}."


class ToolError(EngineError):
    """A tool did not do its work; `outcome` says how it ended."""

    def __init__(self, message: str, outcome: ToolOutcome) -> None:
        super().__init__(message, outcome.tail)
        self.outcome = outcome


class ToolRunner:
    """Starts tools for one run.

    `should_stop` is asked several times a second while a tool runs; True ends it.
    """

    def __init__(
        self,
        should_stop: Callable[[], bool] = lambda: False,
        limits: Limits | None = None,
    ) -> None:
        self.should_stop = should_stop
        self.limits = limits or Limits()

    def run(
        self,
        argv: Sequence[str],
        *,
        on_line: OnLine | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        after_kill: Sequence[str] = (),
    ) -> ToolOutcome:
        """Run to the end, whatever the end is. `env` adds to the environment.

        `after_kill` is run when the tool had to be ended: a container, for one, does
        not end with the client that started it.
        """
        watch = _Watch(tuple(argv), limits or self.limits, on_line, self.should_stop)
        outcome = watch.run(cwd, _environment(env))
        if after_kill and outcome.ending in ("cancelled", "too long", "silent"):
            self.capture(after_kill, seconds=15)
        return outcome

    def check(
        self,
        argv: Sequence[str],
        *,
        on_line: OnLine | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        after_kill: Sequence[str] = (),
    ) -> ToolOutcome:
        """As `run`, but raises ToolError or EngineCancelledError if it went badly."""
        outcome = self.run(
            argv,
            on_line=on_line,
            cwd=cwd,
            env=env,
            limits=limits,
            after_kill=after_kill,
        )
        if outcome.ending == "cancelled":
            raise EngineCancelledError(outcome.words, outcome.tail)
        if not outcome.ok:
            raise ToolError(outcome.words, outcome)
        return outcome

    def capture(
        self,
        argv: Sequence[str],
        *,
        seconds: float = 30,
        env: Mapping[str, str] | None = None,
    ) -> ToolOutcome:
        """Run something short, such as a version probe, and keep its output."""
        lines: list[str] = []
        watch = _Watch(
            tuple(argv),
            Limits(seconds=seconds, grace=1),
            lambda stream, line: lines.append(line) if stream == "stdout" else None,
            lambda: False,
        )
        return replace(watch.run(None, _environment(env)), stdout="\n".join(lines))


def code_in_words(code: int | None) -> str:
    """An exit code as the rest of a sentence: 'ended with …'.

    137 is 128 + 9 as a shell or container reports it; -9 as Python does.
    """
    if code is None:
        return "did not start"
    if code == 0:
        return "ended well"
    number = -code if code < 0 else code - 128
    if 0 < number < 65:
        return SIGNALS.get(number, f"was ended by signal {number}")
    known = {126: "may not be executed (exit code 126)", 127: "was not found (127)"}
    return known.get(code, f"failed with exit code {code}")


def _span(seconds: float | None) -> str:
    seconds = seconds or 0
    if seconds < 120:
        return f"{seconds:g} seconds"
    return (
        f"{seconds / 60:g} minutes" if seconds < 7200 else f"{seconds / 3600:g} hours"
    )


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(SECRETS)
    }
    return kept | {"PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"} | dict(more or {})


@dataclass(slots=True)
class _Line:
    """What has come of a line: its first bytes, and how many there were in all."""

    kept: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add(self, data: bytes) -> None:
        self.kept += data[: LONGEST_LINE - len(self.kept)]
        self.size += len(data)

    @property
    def text(self) -> str:
        """In UTF-8 at most `LONGEST_LINE` bytes when something was cut."""
        text = self.kept.decode("utf-8", errors="replace").rstrip()
        if self.size <= LONGEST_LINE:
            return text
        note = f" … [cut: the line had {self.size:,} bytes]"
        room = LONGEST_LINE - len(note.encode())
        return text.encode()[:room].decode(errors="ignore") + note


class _Watch:
    """One tool while it runs."""

    def __init__(
        self,
        argv: tuple[str, ...],
        limits: Limits,
        on_line: OnLine | None,
        should_stop: Callable[[], bool],
    ) -> None:
        self.argv = argv
        self.limits = limits
        self.on_line = on_line
        self.should_stop = should_stop
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.pending: dict[Stream, _Line] = {"stdout": _Line(), "stderr": _Line()}
        self.started = self.heard = time.monotonic()
        self.ending: Ending = "ended"

    def run(self, cwd: Path | None, env: dict[str, str]) -> ToolOutcome:
        if self.should_stop():
            return self._outcome({"returncode": None}, "cancelled")
        reader, writer = os.pipe()
        try:
            process = self._start(writer, cwd, env)
        finally:
            os.close(writer)
        try:
            self._follow(process)
        except BaseException:
            # whoever listens has failed; what is left to read is not for them
            self.on_line = None
            raise
        finally:
            self._finish(process)
            with os.fdopen(reader, "rb") as status:
                report = _report(status.read(), process.returncode)
        ending = "not started" if report["returncode"] is None else self.ending
        return self._outcome(report, ending)

    def _start(
        self, status: int, cwd: Path | None, env: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        guard = [sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), str(status)]
        guard += [str(self.limits.grace), str(self.limits.memory or 0)]
        return subprocess.Popen(
            [*guard, *self.argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=env,
            start_new_session=True,
            pass_fds=(status,),
        )

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Read both streams until the guard ends, or there is a reason to end it."""
        with selectors.DefaultSelector() as selector:
            for stream, pipe in _pipes(process).items():
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, stream)
            while process.poll() is None:
                if reason := self._reason_to_end():
                    self.ending = reason
                    return
                for key, _ in selector.select(POLL_SECONDS):
                    if not self._read(key.data, key.fd):
                        selector.unregister(key.fileobj)
                if not selector.get_map():
                    _wait_a_little(process)

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        """End the guard if it still runs, take what is left to read, reap."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(self.limits.grace + 5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        with process.stdout or nullcontext(), process.stderr or nullcontext():
            for stream, pipe in _pipes(process).items():
                while self._read(stream, pipe.fileno()):
                    pass
                self._say(stream)

    def _reason_to_end(self) -> Ending | None:
        now = time.monotonic()
        if self.should_stop():
            return "cancelled"
        if self.limits.seconds is not None and now - self.started > self.limits.seconds:
            return "too long"
        if self.limits.silence is not None and now - self.heard > self.limits.silence:
            return "silent"
        return None

    def _read(self, stream: Stream, descriptor: int) -> bool:
        """Take what is there; False at the end, or when there is nothing now."""
        try:
            data = os.read(descriptor, 65_536)
        except BlockingIOError:
            return False
        if not data:
            return False
        self.heard = time.monotonic()
        *lines, rest = data.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            self.pending[stream].add(line)
            self._say(stream)
        self.pending[stream].add(rest)
        return True

    def _say(self, stream: Stream) -> None:
        """Hand on the line that has ended, unless it is blank; begin the next."""
        text = self.pending[stream].text
        self.pending[stream] = _Line()
        if text:
            self.tail.append(text)
            if self.on_line is not None:
                self.on_line(stream, text)

    def _outcome(self, report: dict[str, object], ending: Ending) -> ToolOutcome:
        code, memory = report.get("returncode"), report.get("maxrss")
        return ToolOutcome(
            argv=self.argv,
            ending=ending,
            returncode=code if isinstance(code, int) else None,
            seconds=time.monotonic() - self.started,
            tail=tuple(self.tail),
            memory=memory if isinstance(memory, int) else None,
            limits=self.limits,
            error=str(report.get("error", "")),
        )


def _pipes(process: subprocess.Popen[bytes]) -> dict[Stream, IO[bytes]]:
    if process.stdout is None or process.stderr is None:
        raise AssertionError("a tool is started with both streams as pipes")
    return {"stdout": process.stdout, "stderr": process.stderr}


def _wait_a_little(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(POLL_SECONDS)


def _report(data: bytes, guard_code: int) -> dict[str, object]:
    try:
        report: dict[str, object] = json.loads(data)
    except ValueError:
        # the guard itself was killed; its code is all there is
        return {"returncode": guard_code}
    return report
