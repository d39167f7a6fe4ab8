"""Uploads through Daphne without their whole size in memory, and with a limit.

Twisted parses every form in memory, though Daphne never asks for the result, and Daphne
then puts all of a body into a queue, from which Django copies it to another file.
Measured for a ZIP of 600 MB: 7.8 GB. Here Twisted leaves forms alone, and the temporary
file that it has put the body into is handed to Django as it is.

A body that is larger than its address takes is refused before it is taken. Only uploads
may be large, and only those that come with a cookie or a token: whether these are valid
is known when Django has all of the body. Twisted ends a connection on which nothing
comes for a minute in the middle of a body; WebSockets and answers have no such limit.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import wraps
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from daphne.http_protocol import WebRequest
from django.core.handlers.asgi import ASGIHandler

from runs.transfers.base import human_bytes

FORM_BYTES = 1024 * 1024
"""What a form may have besides its file."""
PART_BYTES = 64 * 1024 * 1024
"""What one part of an upload may have."""
RESERVE = 64 * 1024 * 1024
"""Bytes of the disk that an upload leaves free."""
UPLOADS = (b"/api/v1/upload/", b"/runs/new/", b"/admin/benchmarks/truthset/")
PARTS = b"/api/v1/upload/parts/"
CREDENTIALS = (b"Cookie", b"Authorization")


@dataclass(frozen=True, slots=True)
class Most:
    """Bytes that a body may have: an upload, and any other."""

    upload: int
    other: int

    def of(self, request: Any) -> int:
        """By the address and the headers, all that is known before the body."""
        path = request.channel._path.partition(b"?")[0]
        named = any(map(request.requestHeaders.hasHeader, CREDENTIALS))
        if not named or not path.startswith(UPLOADS):
            return self.other
        if request.channel._command == b"PATCH" and path.startswith(PARTS):
            return min(self.upload, PART_BYTES)
        return self.upload


class Whole:
    """Stands for a body in a message to Django; says that nothing follows."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def __len__(self) -> int:
        return 0


class HandedOver:
    """What Daphne reads instead of a body's temporary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @property
    def closed(self) -> bool:
        return self._file.closed

    def seek(self, *place: int) -> int:
        return self._file.seek(*place)

    def read(self, size: int = -1) -> bytes | Whole:
        if size < 0:
            return self._file.read()
        # Its own descriptor: Twisted closes the file when the browser goes away.
        return Whole(os.fdopen(os.dup(self._file.fileno()), "rb"))

    def close(self) -> None:
        self._file.close()


class BodyHandler(ASGIHandler):
    """Django's handler, which takes such a file for the body."""

    async def read_body(self, receive: Any) -> IO[bytes]:
        message = await receive()
        body = message.get("body")
        if isinstance(body, Whole):
            body.file.seek(0)
            return body.file

        async def first_then_more() -> Any:
            nonlocal message
            if message is not None:
                given, message = message, None
                return given
            return await receive()

        file: IO[bytes] = await super().read_body(first_then_more)
        return file


def install(folder: Path, *, upload_bytes: int, other_bytes: int) -> None:
    """Have Daphne take bodies so, into that folder; a second call changes nothing.

    An upload is sent as a form's file, of up to `upload_bytes`; `other_bytes` is the
    limit of all else.
    """
    if hasattr(WebRequest, "refused"):
        return
    WebRequest.taken, WebRequest.refused = 0, False
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(folder)
    _hand_over()
    _limit(Most(upload_bytes + FORM_BYTES, other_bytes + FORM_BYTES))


def _hand_over() -> None:
    begin, process = WebRequest.__init__, WebRequest.process

    @wraps(begin)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self._parsePOSTFormSubmission = False

    @wraps(process)
    def hand_over(self: Any) -> Any:
        if self.content is not None and not isinstance(self.content, BytesIO):
            self.content = HandedOver(self.content)
        return process(self)

    WebRequest.__init__, WebRequest.process = init, hand_over


def _limit(most: Most) -> None:
    got_length, take, received = (
        WebRequest.gotLength,
        WebRequest.handleContentChunk,
        WebRequest.requestReceived,
    )

    @wraps(got_length)
    def gotLength(self: Any, length: int | None) -> None:
        self.most_bytes = most.of(self)
        _refuse_if(self, length or 0)
        got_length(self, 0 if self.refused else length)

    @wraps(take)
    def handleContentChunk(self: Any, data: bytes) -> None:
        self.taken += len(data)
        _refuse_if(self, self.taken)
        if not self.refused:
            take(self, data)

    @wraps(received)
    def requestReceived(self: Any, *line: bytes) -> None:
        if not self.refused:
            received(self, *line)

    WebRequest.gotLength = gotLength
    WebRequest.handleContentChunk = handleContentChunk
    WebRequest.requestReceived = requestReceived


def _refuse_if(request: Any, size: int) -> None:
    """Answer 413 or 507, and close the connection, which cannot be used any more."""
    if request.refused or size < FORM_BYTES:
        return
    if size > request.most_bytes:
        _refuse(
            request,
            413,
            "Content Too Large",
            "too_large",
            f"This address takes at most {human_bytes(request.most_bytes)}; uploads "
            "may be larger where somebody is signed in or a token is sent.",
        )
    elif size + RESERVE > shutil.disk_usage(tempfile.gettempdir()).free + request.taken:
        _refuse(
            request,
            507,
            "Insufficient Storage",
            "no_space",
            "The disk of the server cannot hold it.",
        )


def _refuse(request: Any, status: int, phrase: str, code: str, message: str) -> None:
    request.refused = True
    error = {"error": {"code": code, "message": message, "fields": {}}}
    content = json.dumps(error).encode()
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    request.channel.transport.write(head.encode() + content)
    request.channel.loseConnection()
