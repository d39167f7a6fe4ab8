"""Connections counted over all processes of this machine, by locks on small files.

For hosts that ask for it (NCBI: at most four connections from one address): several
workers share the count. A process that is killed gives its slots back by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

POLL_SECONDS = 0.1


def slots_folder() -> Path:
    """One for each account of the machine."""
    folder = Path(tempfile.gettempdir()) / f"vcbench-connections-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextlib.contextmanager
def slot(host: str, count: int, pause: Callable[[float], None]) -> Iterator[None]:
    """Holds one of `count` slots of `host`; `pause` is called while all are taken."""
    base = slots_folder() / re.sub(r"[^A-Za-z0-9.-]", "_", host)
    while (fd := _take(base, count)) is None:
        pause(POLL_SECONDS)
    try:
        yield
    finally:
        os.close(fd)


def _take(base: Path, count: int) -> int | None:
    for number in range(count):
        path = f"{base}.{number}"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
        else:
            return fd
    return None
