"""What a verified download cannot do without, each alone: the least it can take."""

from __future__ import annotations

import hashlib
import mmap
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BLOCK = 8 * 1024 * 1024


def seconds_of_sha256(files: Sequence[Path]) -> float:
    """Each core hashes whole files that are in memory already, the largest first."""

    def digest(path: Path) -> str:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()

    order = sorted(files, key=lambda path: path.stat().st_size, reverse=True)
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(digest, order))
    return time.perf_counter() - started


def seconds_of_disk(path: Path, size: int, writers: int = 4) -> float:
    """`size` bytes into a new file past the page cache, until they are on the disk."""
    memory = mmap.mmap(-1, BLOCK)
    memory.write(os.urandom(BLOCK))
    os.sync()
    started = time.perf_counter()
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_DIRECT)
    try:
        with ThreadPoolExecutor(writers) as threads:
            offsets = range(0, size, BLOCK)
            list(threads.map(lambda offset: os.pwrite(fd, memory, offset), offsets))
        os.fsync(fd)
        return time.perf_counter() - started
    finally:
        os.close(fd)
        path.unlink()
