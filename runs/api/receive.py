"""Archives on their way in: to disk as they come, never in memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from runs import uploads
from runs.api import errors
from runs.api.errors import ApiError
from runs.transfers.base import human_bytes

FIELD = "file"
"""The name of the form field that holds the archive."""
RESERVE = 64 * 1024 * 1024
"""Bytes of the disk that an upload leaves free."""
NO_SPACE = (28, 122)
"""ENOSPC and EDQUOT."""


def check_size(size: int) -> None:
    """Raises `ApiError` 413 or 507 before the first byte is taken."""
    if size > uploads.limit():
        raise _too_large()
    free = shutil.disk_usage(uploads.folder()).free
    if size + RESERVE > free:
        raise _no_space(f"it has {human_bytes(free)} free")


def _too_large() -> ApiError:
    return errors.too_large(
        f"Archives may have up to {human_bytes(uploads.limit())} "
        "(VCBENCH_UPLOAD_MAX_GB)."
    )


def _no_space(why: str) -> ApiError:
    return ApiError(
        507, "no_space", f"The disk of the server cannot hold the archive: {why}."
    )


class Archive(UploadedFile):  # type: ignore[type-arg]
    """An uploaded archive that lies in its place."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(None, path.name, "application/zip", size)
        self.path = path


class ArchiveHandler(FileUploadHandler):
    """Writes the one archive of a form to its place, within the limits."""

    def __init__(self) -> None:
        super().__init__()
        self.path: Path | None = None
        self.fault: ApiError | None = None
        self._sink: BinaryIO | None = None
        self._size = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or self.path is not None:
            self._stop(
                errors.bad_field(
                    str(self.field_name),
                    f"Send one archive, in the field {FIELD!r}.",
                )
            )
        self.path = uploads.new_place()
        self._sink = self.path.open("wb")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._sink is None:
            return
        self._size += len(raw_data)
        if self._size > uploads.limit():
            self._stop(_too_large())
        try:
            self._sink.write(raw_data)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            self._stop(_no_space("it is full"))

    def file_complete(self, file_size: int) -> Archive | None:
        if self._sink is None or self.path is None:
            return None
        self._sink.flush()
        os.fsync(self._sink.fileno())
        self._close()
        return Archive(self.path, file_size)

    def upload_interrupted(self) -> None:
        self.remove()

    def remove(self) -> None:
        """Nothing is left of an archive that is not used."""
        self._close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def keep(self) -> None:
        """A run names the archive now: whatever fails from here on, it stays."""
        self.path = None

    def _stop(self, fault: ApiError) -> None:
        self.fault = fault
        self.remove()
        raise StopUpload(connection_reset=True)

    def _close(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None


def prepare(request: HttpRequest) -> None:
    """Have the form's archive written by our handler; refuse one that is too large."""
    check_size(int(request.headers.get("content-length") or 0))
    handler = ArchiveHandler()
    request.upload_handlers = [handler]
    request.archive_handler = handler  # type: ignore[attr-defined]


def archive_of(request: HttpRequest) -> Path:
    """The archive of a form that was read. Raises `ApiError`."""
    handler = handler_of(request)
    if handler.fault is not None:
        raise handler.fault
    archive = request.FILES.get(FIELD)
    if not isinstance(archive, Archive):
        raise errors.bad_field(FIELD, "This field is required: the ZIP archive.")
    if not uploads.is_zip(archive.path):
        raise no_zip()
    return archive.path


def undo(request: HttpRequest) -> None:
    handler_of(request).remove()


def handler_of(request: HttpRequest) -> ArchiveHandler:
    handler = getattr(request, "archive_handler", None)
    if not isinstance(handler, ArchiveHandler):
        raise TypeError("The route has not prepared the request for an archive.")
    return handler


def no_zip() -> ApiError:
    return errors.bad_field(FIELD, "This is no ZIP archive, or only a part of one.")
