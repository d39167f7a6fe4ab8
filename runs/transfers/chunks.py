"""Uploads in parts that survive a cut, a reload and a restart: files only.

The client creates an upload with its size, appends bytes at the offset that the
server names, and completes it. The length of the part file is the offset: what was
written before a kill counts, and the client asks where to go on.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from runs.transfers.base import TransferError, human_bytes
from runs.transfers.hashing import BLOCK, ChecksumError
from runs.transfers.part import check_space, full_disk, sync_folder, write_all

UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")
NO_UPLOAD = (
    "There is no such upload; it may have been cancelled, completed or cleaned up. "
    "Begin again."
)
SYNC_BYTES = 64 * 1024 * 1024


class UploadUnknown(TransferError):
    """There is no such upload, or it belongs to somebody else (HTTP 404)."""


class OffsetConflict(TransferError):
    """The bytes do not continue what is there; `offset` is where to go on (409)."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence, transient=True)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way. `owner` is whatever the caller tells users apart by."""

    id: str
    name: str
    size: int
    owner: str
    created: float
    sha256: str | None = None
    offset: int = 0


class UploadStore:
    """Uploads in one folder: `<id>.json` says what is to come, `<id>.part` has it."""

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int,
        most_open: int = 5,
        reserve_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self.folder, self.most_bytes, self.most_open = folder, most_bytes, most_open
        self.reserve_bytes = reserve_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def create(
        self, name: str, size: int, *, owner: str, sha256: str | None = None
    ) -> Upload:
        """Raises TransferError naming every fault, SpaceError where it cannot fit."""
        faults = self._faults(name, size, owner, sha256)
        if faults:
            raise TransferError(f"The upload cannot begin: {'; '.join(faults)}.")
        check_space(self.folder, size + self._promised(), self.reserve_bytes)
        upload = Upload(secrets.token_hex(16), name, size, owner, time.time(), sha256)
        try:
            self._part(upload.id).touch(mode=0o640)
            self._write_head(upload)
        except OSError as fault:
            raise full_disk(self.folder, fault) from fault
        return upload

    def _faults(
        self, name: str, size: int, owner: str, sha256: str | None
    ) -> list[str]:
        faults = []
        if not name or len(name) > 255 or "/" in name or not name.isprintable():
            faults.append("the file name is empty, too long or has odd characters")
        if size <= 0:
            faults.append("the file is empty")
        if size > self.most_bytes:
            faults.append(
                f"the file has {human_bytes(size)}, at most "
                f"{human_bytes(self.most_bytes)} are allowed"
            )
        if sha256 is not None and not SHA256.fullmatch(sha256):
            faults.append("the SHA-256 is not 64 lower-case hexadecimal digits")
        if sum(upload.owner == owner for upload in self.all()) >= self.most_open:
            faults.append(
                f"{self.most_open} uploads of yours are under way already; finish or "
                "cancel one"
            )
        return faults

    def _promised(self) -> int:
        """Bytes that uploads under way will still need."""
        return sum(upload.size - upload.offset for upload in self.all())

    def _head(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.json"

    def _part(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.part"

    def _write_head(self, upload: Upload) -> None:
        fields = asdict(upload)
        del fields["offset"]
        fresh = self.folder / f"{upload.id}.json.new"
        fresh.write_text(json.dumps(fields))
        os.replace(fresh, self._head(upload.id))
        sync_folder(self.folder)

    def _read(self, upload_id: str) -> Upload | None:
        try:
            fields = json.loads(self._head(upload_id).read_text())
            size = self._part(upload_id).stat().st_size
            return Upload(**fields, offset=size)
        except (OSError, ValueError, TypeError):
            return None

    def all(self) -> list[Upload]:
        found = (self._read(path.stem) for path in sorted(self.folder.glob("*.json")))
        return [upload for upload in found if upload]

    def get(self, upload_id: str, *, owner: str) -> Upload:
        """Raises UploadUnknown, also for the uploads of others."""
        upload = self._read(upload_id) if UPLOAD_ID.fullmatch(upload_id) else None
        if upload is None or upload.owner != owner:
            raise UploadUnknown(NO_UPLOAD)
        return upload

    @contextlib.contextmanager
    def _locked(self, upload: Upload) -> Iterator[int]:
        """The part file, open for writing by this one request."""
        try:
            fd = os.open(self._part(upload.id), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as gone:
            raise UploadUnknown(NO_UPLOAD) from gone
        try:
            _lock(fd)
            yield fd
        finally:
            os.close(fd)

    def append(
        self, upload_id: str, offset: int, data: Iterable[bytes], *, owner: str
    ) -> int:
        """Writes `data` from `offset` on; answers the new offset.

        Whatever came before the client broke off counts. Raises OffsetConflict where
        `offset` is not where the file ends, TransferError for too many bytes.
        """
        upload = self.get(upload_id, owner=owner)
        with self._locked(upload) as fd:
            here = os.fstat(fd).st_size
            if offset != here:
                raise OffsetConflict(
                    f"The upload has {here} bytes, not {offset}. Go on from {here}.",
                    here,
                )
            return self._write(fd, upload, offset, data)

    def _write(
        self, fd: int, upload: Upload, offset: int, data: Iterable[bytes]
    ) -> int:
        synced = offset
        try:
            for piece in data:
                if offset + len(piece) > upload.size:
                    raise TransferError(
                        f"More came than the {upload.size} bytes announced. Cancel the "
                        "upload and begin again."
                    )
                self._write_all(fd, piece, offset)
                offset += len(piece)
                if offset - synced >= SYNC_BYTES:
                    self._sync(fd)
                    synced = offset
        finally:
            self._sync(fd)
        return offset

    def _write_all(self, fd: int, data: bytes, offset: int) -> None:
        try:
            write_all(fd, memoryview(data), offset)
        except OSError as fault:
            raise full_disk(self.folder, fault) from fault

    def _sync(self, fd: int) -> None:
        try:
            os.fdatasync(fd)
        except OSError as fault:
            raise full_disk(self.folder, fault) from fault

    @contextlib.contextmanager
    def taken(
        self, upload_id: str, target: Path, *, owner: str, sha256: str | None = None
    ) -> Iterator[Path]:
        """The whole, verified file at `target` (on the same disk), for use inside.

        When that ends well, the file stays there and the upload is over. A
        TransferError says that the file is of no use: it is removed. After any other
        exception it is an upload again, whose completion can be asked for once more.
        `sha256` is that of the client, where it was not given at the beginning. Raises
        OffsetConflict while bytes are missing, ChecksumError where they are wrong;
        then the upload is gone and begins again.
        """
        upload = self.get(upload_id, owner=owner)
        with self._locked(upload) as fd:
            self._whole(fd, upload)
            self._check(fd, upload, sha256)
            os.fsync(fd)
            os.utime(fd)  # new from now on, however long ago its bytes came
            self._move(self._part(upload.id), target)
            try:
                yield target
            except TransferError:
                target.unlink()
                self._remove(upload.id)
                raise
            except BaseException:
                self._move(target, self._part(upload.id))
                raise
            self._head(upload.id).unlink(missing_ok=True)

    def _whole(self, fd: int, upload: Upload) -> None:
        here = os.fstat(fd).st_size
        if here != upload.size:
            raise OffsetConflict(
                f"{upload.name} is not whole: {here} of {upload.size} bytes are "
                f"there. Go on from {here}.",
                here,
            )

    def _move(self, here: Path, there: Path) -> None:
        there.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(here, there)
        except FileNotFoundError as gone:  # cancelled meanwhile
            raise UploadUnknown(NO_UPLOAD) from gone
        sync_folder(there.parent)

    def _check(self, fd: int, upload: Upload, sha256: str | None) -> None:
        expected = {digest.lower() for digest in (upload.sha256, sha256) if digest}
        if not expected:
            return
        found = _sha256(fd)
        if expected != {found}:
            self._remove(upload.id)
            raise ChecksumError(
                f"{upload.name} did not arrive as it was sent (its SHA-256 should be "
                f"{' and '.join(sorted(expected))}, is {found}). Upload it again."
            )

    def cancel(self, upload_id: str, *, owner: str) -> None:
        self._remove(self.get(upload_id, owner=owner).id)

    def _remove(self, upload_id: str) -> None:
        self._head(upload_id).unlink(missing_ok=True)
        self._part(upload_id).unlink(missing_ok=True)

    def expire(self, older_than: float) -> int:
        """Removes the files of uploads that nothing came to for that many seconds, and
        of those that a killed process left half; returns how many.
        """
        limit = time.time() - older_than
        old = [
            path
            for path in self.folder.iterdir()
            if path.stat().st_mtime < limit and self._idle(path, limit)
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _idle(self, path: Path, limit: float) -> bool:
        """Whether nothing has come to the upload of that file, either."""
        part = self._part(path.name.partition(".")[0])
        return not part.exists() or part.stat().st_mtime < limit

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.folder).free


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OffsetConflict(
            "Another request is writing to this upload. Wait a second, ask for the "
            "offset and go on from there.",
            os.fstat(fd).st_size,
        ) from None


def _sha256(fd: int) -> str:
    digest = hashlib.sha256()
    at = 0
    while data := os.pread(fd, BLOCK, at):
        digest.update(data)
        at += len(data)
    return digest.hexdigest()
