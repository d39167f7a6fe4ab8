"""Archives in parts, for uploads that outlive a cut, a reload and a restart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import UnreadablePostError
from django.urls import reverse

from runs.api import errors, receive, serialize, uploads
from runs.api.answers import UploadAnswer
from runs.api.bodies import CompleteBody, OffsetQuery, PartsBody
from runs.api.errors import ApiError
from runs.models import Source
from runs.transfers.base import SpaceError, TransferError
from runs.transfers.chunks import OffsetConflict, Upload, UploadStore, UploadUnknown

PART_BYTES = 8 * 1024 * 1024
"""How much a client is advised to send at a time."""
PIECE = 256 * 1024
"""Bytes that are read at a time."""
KEPT_SECONDS = 7 * 24 * 3600
"""An upload to which nothing came for so long is given up."""


def store() -> UploadStore:
    return UploadStore(receive.folder() / "parts", most_bytes=receive.limit())


@contextmanager
def in_answers() -> Iterator[None]:
    """What the store says, as answers of the interface."""
    try:
        yield
    except UploadUnknown as error:
        raise errors.not_found(error.sentence) from error
    except OffsetConflict as error:
        raise ApiError(
            409,
            "wrong_offset",
            error.sentence,
            fields={"offset": [str(error.offset)]},
            headers={"Upload-Offset": str(error.offset)},
        ) from error
    except SpaceError as error:
        raise ApiError(507, "no_space", error.sentence) from error
    except TransferError as error:
        raise ApiError(400, "bad_upload", error.sentence) from error


def _owner(request: HttpRequest) -> str:
    return str(uploads.user_of(request).pk)


def _answer(upload: Upload) -> UploadAnswer:
    return {
        "upload": upload.id,
        "name": upload.name,
        "size": upload.size,
        "offset": upload.offset,
        "part_bytes": PART_BYTES,
    }


def begin(request: HttpRequest, body: PartsBody) -> HttpResponseBase:
    receive.check_size(body.size)
    kept = store()
    kept.expire(KEPT_SECONDS)
    with in_answers():
        upload = kept.create(
            body.name, body.size, owner=_owner(request), sha256=body.sha256
        )
    where = reverse("api-upload-parts", args=[upload.id])
    return JsonResponse(_answer(upload), status=201, headers={"Location": where})


def show(request: HttpRequest, upload_id: str) -> HttpResponseBase:
    with in_answers():
        return JsonResponse(_answer(store().get(upload_id, owner=_owner(request))))


def append(
    request: HttpRequest, upload_id: str, query: OffsetQuery
) -> HttpResponseBase:
    owner = _owner(request)
    kept = store()
    try:
        with in_answers():
            kept.append(upload_id, query.offset, _pieces(request), owner=owner)
            return JsonResponse(_answer(kept.get(upload_id, owner=owner)))
    except UnreadablePostError as error:
        raise ApiError(400, "cut_off", "The request was cut off.") from error


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    while piece := request.read(PIECE):
        yield piece


def give_up(request: HttpRequest, upload_id: str) -> HttpResponseBase:
    with in_answers():
        store().cancel(upload_id, owner=_owner(request))
    return HttpResponse(status=204)


def complete(
    request: HttpRequest, upload_id: str, body: CompleteBody
) -> HttpResponseBase:
    """The whole, verified archive becomes the input of a run."""
    target = receive.folder() / f"{uuid.uuid4()}.zip"
    with in_answers():
        store().complete(upload_id, target, owner=_owner(request), sha256=body.sha256)
    try:
        receive.check_zip(target)
        location = receive.location_of(target)
        run = uploads.create(request, body.sample_id, Source.ZIP, location, body)
    except BaseException:
        target.unlink()
        raise
    return serialize.started(run)
