"""Archives in parts, for uploads that outlive a cut, a reload and a restart."""

from __future__ import annotations

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
from runs.transfers.chunks import OffsetConflict, Upload, UploadUnknown
from runs.uploads import in_parts, is_zip, location_of, new_place

PART_BYTES = 8 * 1024 * 1024
"""How much a client is advised to send at a time."""
PIECE = 256 * 1024
"""Bytes that are read at a time."""


class _NoZip(TransferError):
    """What came whole and is no archive: of no use, however often it is asked for."""


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
    except _NoZip as error:
        raise receive.no_zip() from error
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
    kept = in_parts()
    with in_answers():
        upload = kept.create(
            body.name, body.size, owner=_owner(request), sha256=body.sha256
        )
    where = reverse("api-upload-parts", args=[upload.id])
    return JsonResponse(_answer(upload), status=201, headers={"Location": where})


def show(request: HttpRequest, upload_id: str) -> HttpResponseBase:
    with in_answers():
        return JsonResponse(_answer(in_parts().get(upload_id, owner=_owner(request))))


def append(
    request: HttpRequest, upload_id: str, query: OffsetQuery
) -> HttpResponseBase:
    owner = _owner(request)
    kept = in_parts()
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
        in_parts().cancel(upload_id, owner=_owner(request))
    return HttpResponse(status=204)


def complete(
    request: HttpRequest, upload_id: str, body: CompleteBody
) -> HttpResponseBase:
    """The whole, verified archive becomes the input of a run."""
    taken = in_parts().taken(
        upload_id, new_place(), owner=_owner(request), sha256=body.sha256
    )
    with in_answers(), taken as archive:
        if not is_zip(archive):
            raise _NoZip("This is no ZIP archive.")
        location = location_of(archive)
        run = uploads.create(request, body.sample_id, Source.ZIP, location, body)
    return serialize.started(run)
