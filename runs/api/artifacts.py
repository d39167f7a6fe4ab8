"""The files of a run, whole or by one range of bytes."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, quote_etag

from runs.api import errors, runs
from runs.api.errors import ApiError
from runs.api.streams import stream
from runs.models import Artifact

PIECE = 256 * 1024
"""Bytes that are read at a time."""
RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*")


def download(request: HttpRequest, run_id: UUID, name: str) -> HttpResponseBase:
    artifact = runs.find(run_id).artifacts.filter(name=name).first()
    if artifact is None:
        raise errors.not_found(f"The run has no file {name}.")
    file = _readable(artifact)
    return send(request, file, etag_of(artifact, file.stat().st_mtime_ns))


def send(request: HttpRequest, file: Path, etag: str) -> HttpResponseBase:
    """A file, whole or by one range, or that it has not changed.

    Raises `ApiError` 412 and 416.
    """
    status = file.stat()
    changed = int(status.st_mtime)
    response = get_conditional_response(request, etag, changed) or _content(
        request, file, status.st_size, etag, changed
    )
    if response.status_code == 412:
        raise ApiError(412, "changed", f"{file.name} is not the file that is meant.")
    response["ETag"] = etag
    response["Last-Modified"] = http_date(status.st_mtime)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    return response


def etag_of(artifact: Artifact, changed: int) -> str:
    return quote_etag(artifact.checksum or f"{artifact.size}-{changed}")


def _readable(artifact: Artifact) -> Path:
    """The file, if it is still there and lies where files may be read.

    Raises `ApiError` 404.
    """
    if artifact.removed_at is not None:
        raise errors.not_found(
            f"{artifact.name} was removed on {artifact.removed_at:%Y-%m-%d}. "
            "Its size and checksum are kept with the run."
        )
    file = artifact.file.resolve()
    roots = [settings.VCBENCH.data_dir, *settings.VCBENCH.path_roots]
    inside = any(file.is_relative_to(Path(root).resolve()) for root in roots)
    if not inside or not file.is_file():
        raise errors.not_found(f"{artifact.name} is not on this server any more.")
    return file


def _content(
    request: HttpRequest, file: Path, size: int, etag: str, changed: int
) -> HttpResponseBase:
    asked = byte_range(request.headers.get("Range", ""), size)
    if not _same(request.headers.get("If-Range", ""), etag, changed):
        asked = None
    first, end = asked or (0, size)
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(content_type=kind)
    else:
        response = stream(request, _pieces(file, first, end), kind)
    response.headers["Content-Length"] = str(end - first)
    response.headers["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=file.name
    )
    if asked is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return response


def _same(if_range: str, etag: str, changed: int) -> bool:
    """Whether the client's part is of this very file (RFC 9110, 13.1.5)."""
    return if_range in ("", etag, http_date(changed))


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """The range that is asked for, half-open; None for the whole file.

    Several ranges, other units and what is no range are answered with the whole, as
    RFC 9110 (14.2) allows. Raises `ApiError` 416 where nothing of it is there.
    """
    match = RANGE.fullmatch(header)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < begin:
            return None
    if begin >= end:
        raise ApiError(
            416,
            "range_not_satisfiable",
            f"The file has {size} bytes; {header} lies beyond.",
            headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
        )
    return begin, end


def _pieces(file: Path, begin: int, end: int) -> Iterator[bytes]:
    with file.open("rb") as source:
        source.seek(begin)
        while begin < end and (piece := source.read(min(PIECE, end - begin))):
            begin += len(piece)
            yield piece
