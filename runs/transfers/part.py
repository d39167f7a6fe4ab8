"""The part file beside a target, and the journal that says what of it is there.

The journal is a text file that is only ever appended to, so that a kill at any moment
costs at most the bytes in flight. Its first line is JSON: what object the bytes are
of, and the boot they were written in. Each further line is `start end`, a half-open
range written to the part file, or `synced start end`: it has also reached the disk.
After a reboot only what was synced counts, in the same boot all of it does.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runs.transfers.base import (
    RemoteFile,
    SpaceError,
    TransferCancelled,
    TransferError,
    human_bytes,
)
from runs.transfers.blocks import PAGE

logger = logging.getLogger(__name__)

Span = tuple[int, int]
DIRECT_BYTES = 1024 * 1024
"""From here on a write goes past the page cache, where the file system can do that."""


def merge(spans: list[Span]) -> list[Span]:
    """Sorted, without overlap; neighbours that touch become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def missing(done: list[Span], size: int, chunk: int) -> list[Span]:
    """What of [0, size) is not in `done`, in order, cut into pieces of `chunk`."""
    gaps: list[Span] = []
    at = 0
    for start, end in [*merge(done), (size, size)]:
        while at < start:
            stop = min(start, at + chunk)
            gaps.append((at, stop))
            at = stop
        at = max(at, end)
    return gaps


def boot_id() -> str:
    """Changes at every boot; empty where the kernel does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two objects the same, so that a part of one continues the other."""

    size: int | None
    etag: str
    version_id: str | None
    last_modified: str
    md5: str | None
    sha256: str | None

    @classmethod
    def of(cls, remote: RemoteFile) -> Identity:
        modified = remote.last_modified.isoformat() if remote.last_modified else ""
        return cls(
            remote.size,
            remote.etag,
            remote.version_id,
            modified,
            remote.md5,
            remote.sha256,
        )

    def continues(self, earlier: Identity) -> bool:
        """Equal checksums suffice (a mirror); without any, every validator counts."""
        if self.size is None or self.size != earlier.size:
            return False
        for mine, theirs in (
            (self.sha256, earlier.sha256),
            (self.md5, earlier.md5),
        ):
            if mine and theirs:
                return mine == theirs
        validators = (self.etag, self.version_id, self.last_modified)
        return any((self.etag, self.last_modified)) and validators == (
            earlier.etag,
            earlier.version_id,
            earlier.last_modified,
        )


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_names(targets: Iterable[Path]) -> None:
    """Makes the renames of published files durable: one sync for each folder."""
    for folder in sorted({target.parent for target in targets}):
        try:
            sync_folder(folder)
        except OSError as fault:
            raise full_disk(folder, fault) from fault


def full_disk(folder: Path, fault: OSError) -> TransferError:
    """An error of writing, in words; SpaceError where the disk or quota is full."""
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(folder).free
        return SpaceError(
            f"The disk is full: a write to {folder} failed with {human_bytes(free)} "
            "free. Make room there and retry; what is already downloaded is kept."
        )
    return TransferError(f"Writing to {folder} failed: {fault.strerror or fault}.")


def check_space(folder: Path, needed: int, reserve: int = 0) -> None:
    """Raises SpaceError unless `needed` + `reserve` bytes are free in `folder`."""
    free = shutil.disk_usage(folder).free
    if needed + reserve > free:
        raise SpaceError(
            f"Not enough space in {folder}: {human_bytes(needed)} are needed "
            f"(and {human_bytes(reserve)} kept in reserve), "
            f"{human_bytes(free)} are free. Make room there and retry."
        )


def _open_direct(path: Path) -> int | None:
    """For writes past the page cache; None where the file system has no such thing."""
    try:
        return os.open(path, os.O_WRONLY | os.O_DIRECT | os.O_CLOEXEC)
    except OSError:
        return None


def write_all(fd: int, data: memoryview, offset: int) -> None:
    """All of `data`, which one `pwrite` need not take; raises OSError."""
    while data:
        count = os.pwrite(fd, data, offset)
        data, offset = data[count:], offset + count


def resize(fd: int, size: int) -> None:
    """Half a millisecond less where a file has that size already."""
    if os.fstat(fd).st_size != size:
        os.ftruncate(fd, size)


def part_paths(target: Path) -> tuple[Path, Path]:
    """The part file of a target, and its journal."""
    part = target.with_name(target.name + ".part")
    return part, part.with_name(part.name + ".journal")


def clear_journal(target: Path) -> None:
    """Removes the journal that a kill right after the rename has left behind."""
    part, journal = part_paths(target)
    if not part.exists():
        journal.unlink(missing_ok=True)


class PartFile:
    """An open part file; one process at a time holds it (flock)."""

    def __init__(self, target: Path, identity: Identity) -> None:
        self.target = target
        self.path, self.journal_path = part_paths(target)
        self.identity = identity
        self.done: list[Span] = []
        self._lock = threading.Lock()
        self._rest = threading.Condition(self._lock)
        self._writers = 0
        self._closing = False
        self.fd = self._open_locked()
        try:
            self.done = self._load()
            self._journal = self._rewrite()
        except BaseException:
            os.close(self.fd)
            raise
        self._direct = _open_direct(self.path)
        self._refused = False

    def _open_locked(self) -> int:
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as fault:
            raise full_disk(self.target.parent, fault) from fault
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise TransferError(
                f"Another process is downloading {self.target} at this moment. "
                "Wait for it to end and retry.",
                transient=True,
            ) from None
        return fd

    def _load(self) -> list[Span]:
        """The ranges of an earlier attempt that are still good for this object."""
        try:
            lines = self.journal_path.read_text().split("\n")
            head = json.loads(lines[0])
            earlier = Identity(**head["object"])
        except (OSError, ValueError, TypeError, KeyError):
            return []
        if not self.identity.continues(earlier):
            logger.info("%s: the object has changed, starting again", self.target.name)
            return []
        lines = lines[1:-1]  # the last is empty, or torn by a kill
        if not head["boot"] or head["boot"] != boot_id():
            lines = [line for line in lines if line.startswith("synced ")]
        return self._plausible(lines)

    def _plausible(self, lines: list[str]) -> list[Span]:
        here = os.fstat(self.fd).st_size
        spans = []
        for line in lines:
            words = line.removeprefix("synced ").split()
            if len(words) == 2 and all(word.isdecimal() for word in words):
                spans.append((int(words[0]), min(int(words[1]), here)))
        return merge(spans)

    def _rewrite(self) -> int:
        """A fresh journal that holds `done`; the old one stays until it is whole."""
        head = {
            "boot": boot_id(),
            "object": {
                name: getattr(self.identity, name)
                for name in Identity.__dataclass_fields__
            },
        }
        lines = [json.dumps(head), *(f"synced {a} {b}" for a, b in self.done), ""]
        fresh = self.journal_path.with_name(self.journal_path.name + ".new")
        try:
            if self.done:
                os.fdatasync(self.fd)
            else:
                resize(self.fd, 0)
            fresh.write_text("\n".join(lines))
            os.replace(fresh, self.journal_path)
            return os.open(self.journal_path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except OSError as fault:
            fresh.unlink(missing_ok=True)
            raise full_disk(self.target.parent, fault) from fault

    @property
    def bytes_done(self) -> int:
        return sum(end - start for start, end in self.done)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """The descriptors stay open within; raises TransferCancelled once they do not.

        A number that was closed may be that of another file in the next moment.
        """
        with self._rest:
            if self._closing:
                raise TransferCancelled
            self._writers += 1
        try:
            yield
        except OSError as fault:
            raise full_disk(self.target.parent, fault) from fault
        finally:
            with self._rest:
                self._writers -= 1
                self._rest.notify_all()

    def write(self, data: memoryview, offset: int) -> bool:
        """Whether it went past the page cache: to read it back would cost the disk."""
        with self._writing():
            if self._write_direct(data, offset):
                return True
            write_all(self.fd, data, offset)
        return False

    def _write_direct(self, data: memoryview, offset: int) -> bool:
        """Whole pages directly, what is left at the ends as usual; False if it cannot.

        `data` lies in its pages of memory as in those of the file.
        """
        first = -offset % PAGE
        last = len(data) - (offset + len(data)) % PAGE
        if self._direct is None or self._refused or last - first < DIRECT_BYTES:
            return False
        try:
            write_all(self._direct, data[first:last], offset + first)
        except OSError as fault:
            if fault.errno != errno.EINVAL:
                raise
            self._refused = True  # the file system, or its disk, asks for other sizes
            return False
        write_all(self.fd, data[:first], offset)
        write_all(self.fd, data[last:], offset + last)
        return True

    def record(self, start: int, end: int) -> None:
        """Says, for good, that [start, end) has been written."""
        with self._writing():
            os.write(self._journal, f"{start} {end}\n".encode())
        with self._lock:
            self.done = merge([*self.done, (start, end)])

    def sync(self) -> None:
        """Brings the data, then the word that it is there, to the disk."""
        with self._lock:
            lines = "".join(f"synced {a} {b}\n" for a, b in self.done)
        try:
            os.fdatasync(self.fd)
            os.write(self._journal, lines.encode())
            os.fdatasync(self._journal)
        except OSError as fault:
            raise full_disk(self.target.parent, fault) from fault

    def publish(self, size: int) -> None:
        """In place under the target's name, its bytes on the disk; the journal is gone.

        `keep_names` makes the name durable. Before that a loss of power may leave the
        part file, which is then taken up again.
        """
        try:
            resize(self.fd, size)
            os.fsync(self.fd)
            os.replace(self.path, self.target)
            self.journal_path.unlink(missing_ok=True)
        except OSError as fault:
            raise full_disk(self.target.parent, fault) from fault

    def reset(self) -> None:
        """Forgets all bytes, for servers where no range can be asked for."""
        self.done = []
        old, self._journal = self._journal, self._rewrite()
        os.close(old)

    def discard(self) -> None:
        """Nothing of it counts any more."""
        self.journal_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Waits for writes that have begun, however long the disk takes for them."""
        with self._rest:
            self._closing = True
            self._rest.wait_for(lambda: self._writers == 0)
        if self._direct is not None:
            os.close(self._direct)
        os.close(self._journal)
        os.close(self.fd)
