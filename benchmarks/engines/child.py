"""Stands between the portal and a tool, so that no child of a tool outlives it.

Run as a script, with the standard library only:

    child.py PARENT_PID STATUS_FD GRACE_SECONDS MEMORY_BYTES TOOL [ARGUMENT ...]

It starts the tool in a process group of its own and waits. On SIGTERM, or when the
portal's process dies however it may (PR_SET_PDEATHSIG), it ends that whole group:
TERM, after the grace KILL, and then whatever the tool has left behind elsewhere.
Setting this up here, in a process with one thread, is safe, where a `preexec_fn` in
the portal's process with its many threads is not.

On STATUS_FD it writes one JSON object: `returncode` (negative for a signal),
`maxrss` in bytes, `cpu` in seconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
# Sent by the kernel when the portal's process dies: nobody waits for a grace then.
PARENT_DIED = signal.SIGUSR1
ENDS = (signal.SIGTERM, PARENT_DIED)
CANNOT_START = 127
CANNOT_EXECUTE = 126


class Ended(BaseException):
    """A signal asks for the end of the tool."""


def main(arguments: list[str]) -> int:
    parent, status, grace, memory = (float(text) for text in arguments[:4])
    # held back until the tool is known, so that none is started and then forgotten
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(PARENT_DIED, _end)
    prctl(PR_SET_PDEATHSIG, PARENT_DIED)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != int(parent):
        return 1
    started = time.monotonic()
    try:
        tool = subprocess.Popen(
            arguments[4:],
            process_group=0,
            preexec_fn=lambda: _limit(int(memory)),
        )
    except OSError as error:
        return _cannot_start(int(status), arguments[4], error)
    _attend(tool, grace)
    code = tool.wait()
    _end_leftovers(tool.pid)
    _report(int(status), code, time.monotonic() - started)
    return code if code >= 0 else 128 - code


def _attend(tool: subprocess.Popen[bytes], grace: float) -> None:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        tool.wait()
    except Ended as asked:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(PARENT_DIED, signal.SIG_IGN)
        if asked.args[0] == signal.SIGTERM:
            _signal_group(tool.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                tool.wait(grace)
        _signal_group(tool.pid, signal.SIGKILL)


def _end(number: int, _frame: FrameType | None) -> None:
    raise Ended(number)


def _limit(memory: int) -> None:
    for number in ENDS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _end_leftovers(group: int) -> None:
    """Kill what is left of the group, and what moved out of it and came to us."""
    _signal_group(group, signal.SIGKILL)
    for _ in range(50):
        orphans = _children()
        if not orphans:
            return
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    me = os.getpid()
    try:
        return [
            int(pid)
            for pid in Path(f"/proc/{me}/task/{me}/children").read_text().split()
        ]
    except OSError:
        return []


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _report(status: int, code: int, seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    _write(
        status,
        {
            "returncode": code,
            "maxrss": used.ru_maxrss * 1024,
            "cpu": round(used.ru_utime + used.ru_stime, 3),
            "seconds": round(seconds, 3),
        },
    )


def _cannot_start(status: int, program: str, error: OSError) -> int:
    _write(status, {"returncode": None, "error": f"{program}: {error.strerror}"})
    missing = isinstance(error, FileNotFoundError)
    return CANNOT_START if missing else CANNOT_EXECUTE


def _write(status: int, report: dict[str, object]) -> None:
    with contextlib.suppress(OSError):
        os.write(status, json.dumps(report).encode())


def prctl(option: int, value: int) -> None:
    """Linux only; elsewhere it does nothing."""
    call = getattr(ctypes.CDLL(None), "prctl", None)
    if call is not None:
        call(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
