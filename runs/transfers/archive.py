"""Intake of a ZIP archive that a user sent: nothing in it is trusted.

First the table of contents is checked whole, with all faults named at once; then the
members are written to a temporary folder beside the target, under limits that hold
while writing, and the folder is renamed into place.
"""

from __future__ import annotations

import contextlib
import copy
import glob
import hashlib
import os
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runs.transfers.archive_table import (
    ArchiveFile,
    ArchiveLimits,
    Member,
    TableTooLong,
    open_table,
    read_table,
)
from runs.transfers.base import (
    Progress,
    ShouldStop,
    TransferCancelled,
    TransferError,
    VerifiedBy,
    human_bytes,
    never_stop,
    no_progress,
)
from runs.transfers.content import BLOCK
from runs.transfers.part import check_space, full_disk, sync_folder
from runs.transfers.sidecars import MOST_BYTES, is_sidecar, sums_of

NESTED_MAGIC = {
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "a ZIP archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\xfd7zXZ\x00": "an xz archive",
}


class ArchiveError(TransferError):
    """An archive that is refused; `faults` holds each reason as a clause."""

    def __init__(self, name: str, faults: list[str]) -> None:
        shown = faults[:20]
        more = len(faults) - len(shown)
        rest = f"; and {more} more" if more else ""
        super().__init__(
            f"The archive {name} is refused: {'; '.join(shown)}{rest}. Pack the files "
            "again as a plain ZIP without folders above them, and without other "
            "archives, links or passwords in it."
        )
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Extracted:
    """One file of an archive in place. Its CRC has been checked in any case.

    `verified_by` is `md5` where a checksum file in the archive vouches for it.
    """

    name: str
    path: Path
    size: int
    md5: str
    verified_by: VerifiedBy


def extract(
    archive: Path,
    target: Path,
    *,
    limits: ArchiveLimits | None = None,
    name: str = "",
    progress: Progress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> list[Extracted]:
    """Unpacks `archive` to the folder `target`, which must not exist yet.

    Raises ArchiveError with every fault found, SpaceError, TransferError or
    TransferCancelled; then nothing is left of it.
    """
    limits = limits or ArchiveLimits()
    name = name or archive.name
    if target.exists():
        raise TransferError(
            f"The folder {target} exists already; nothing was unpacked."
        )
    with _opened(archive, name, limits) as (table, faults):
        members = read_table(archive, table, limits, faults) if table else []
        if faults or table is None:
            raise ArchiveError(name, faults)
        target.parent.mkdir(parents=True, exist_ok=True)
        check_space(target.parent, sum(m.size for m in members), limits.reserve_bytes)
        with _workshop(target) as folder:
            writer = _Writer(table, members, folder, limits, progress, should_stop)
            written = writer.run()
            if writer.faults:
                raise ArchiveError(name, writer.faults)
            _publish(folder, target)
    return [
        Extracted(done.name, target / done.name, done.size, done.md5, done.verified_by)
        for done in written
    ]


@contextlib.contextmanager
def _opened(
    archive: Path, name: str, limits: ArchiveLimits
) -> Iterator[tuple[zipfile.ZipFile | None, list[str]]]:
    """The open archive and a list for its faults."""
    try:
        file = ArchiveFile(archive)
    except OSError as fault:
        raise TransferError(f"The archive {name} cannot be read: {fault}.") from fault
    with file:
        table, faults = _table(archive, file, limits)
        yield table, faults


def _table(
    archive: Path, file: ArchiveFile, limits: ArchiveLimits
) -> tuple[zipfile.ZipFile | None, list[str]]:
    try:
        return open_table(file, limits), []
    except TableTooLong:
        return None, [f"it has more than {limits.members} members"]
    except (
        zipfile.BadZipFile,
        ValueError,
        NotImplementedError,
        EOFError,
        OSError,
    ) as fault:
        return None, [_no_zip(archive, fault)]


def _no_zip(archive: Path, fault: Exception) -> str:
    with archive.open("rb") as handle:
        head = handle.read(4)
    if head[:2] == b"PK":
        return f"it is cut off or damaged ({fault})"
    if head[:2] == b"\x1f\x8b":
        return "it is gzip and not ZIP"
    return "it is no ZIP archive" if head else "it is empty"


@contextlib.contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target`, gone afterwards whatever happens.

    One that a killed process left goes first. Each has a name of its own, so that a
    frozen process which wakes writes nothing into another's.
    """
    for left in leftovers(target):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
    except OSError as fault:
        raise full_disk(target.parent, fault) from fault
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def leftovers(target: Path) -> list[Path]:
    """Temporary folders of unpacking to `target`, under way or given up."""
    return sorted(target.parent.glob(f".{glob.escape(target.name)}.*"))


def _publish(folder: Path, target: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync_folder(path)
    sync_folder(folder)
    folder.chmod(0o750)
    os.rename(folder, target)
    sync_folder(target.parent)


class _Writer:
    """Writes the members; what only shows while unpacking is collected as faults."""

    def __init__(
        self,
        table: zipfile.ZipFile,
        members: list[Member],
        folder: Path,
        limits: ArchiveLimits,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> None:
        self.table, self.members, self.folder = table, members, folder
        self.limits, self.progress, self.should_stop = limits, progress, should_stop
        self.total = sum(member.size for member in members)
        self.done, self.started = 0, time.monotonic()
        self.faults: list[str] = []
        self.sums: dict[tuple[str, str], str] = {}

    def run(self) -> list[Extracted]:
        digests = {member.name: self._member(member) for member in self.members}
        self._read_sidecars()
        return [
            self._extracted(member, digest)
            for member in self.members
            if (digest := digests[member.name]) is not None
        ]

    def _member(self, member: Member) -> str | None:
        """The MD5 of what was written; None after a fault."""
        path = self.folder / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        info = copy.copy(member.info)
        info.file_size += 1  # zipfile would stop there and call the rest no part of it
        try:
            with self.table.open(info) as packed, path.open("xb") as out:
                digest = self._copy(member, packed, out)
                out.flush()
                os.fsync(out.fileno())
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as fault:
            self.faults.append(f"{member.name} is damaged ({fault})")
            return None
        except _Refused as fault:
            self.faults.append(f"{member.name} {fault}")
            return None
        return digest

    def _copy(self, member: Member, packed: IO[bytes], out: IO[bytes]) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        while data := packed.read(BLOCK):
            if self.should_stop():
                raise TransferCancelled
            if size == 0:
                _refuse_nested(data)
            size += len(data)
            self.done += len(data)
            if size > member.size or self.done > self.limits.total_bytes:
                raise _Refused("unpacks to more than the archive says")
            digest.update(data)
            out.write(data)
            self.progress(self.done, self.total, self._rate())
        if size != member.size:
            raise _Refused(f"has {size} bytes instead of {member.size}")
        return digest.hexdigest()

    def _rate(self) -> float:
        return self.done / max(time.monotonic() - self.started, 1e-6)

    def _read_sidecars(self) -> None:
        """Checksums by (folder, file name), from the checksum files just written."""
        for member in self.members:
            path = self.folder / member.name
            if is_sidecar(path.name) and member.size <= MOST_BYTES and path.exists():
                text = path.read_text("utf-8", "replace")
                folder = str(Path(member.name).parent)
                for name, digest in sums_of(path.name, text).items():
                    self.sums[folder, name] = digest

    def _extracted(self, member: Member, digest: str) -> Extracted:
        inside = Path(member.name)
        expected = self.sums.get((str(inside.parent), inside.name))
        if expected is not None and expected != digest:
            self.faults.append(
                f"{member.name} does not match its checksum file (md5 {digest} instead "
                f"of {expected})"
            )
        return Extracted(
            name=member.name,
            path=self.folder / member.name,
            size=member.size,
            md5=digest,
            verified_by="md5" if expected else "checksum-header",
        )


class _Refused(Exception):
    """A member that turned out to be other than announced; the text is a clause."""


def _refuse_nested(head: bytes) -> None:
    for magic, words in NESTED_MAGIC.items():
        if head.startswith(magic):
            raise _Refused(f"is {words} inside the archive")
    if head[257:262] == b"ustar":
        raise _Refused("is a tar archive inside the archive")


def describe_size(found: list[Extracted]) -> str:
    """`12 files, 3.40 GB`, for a log line."""
    return f"{len(found)} files, {human_bytes(sum(file.size for file in found))}"
