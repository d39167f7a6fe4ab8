"""Bodies of HTTP responses, read straight into memory that is kept.

urllib3 makes an object of each piece and copies it once more, while no other thread may
run: a quarter of the CPU of a fast download. So its connections keep the response of
`http.client` that they read from, and the bytes are asked from there.
"""

from __future__ import annotations

import http.client
from typing import Any

import urllib3
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection


class Body(http.client.HTTPResponse):
    """A response that is read into memory, and never waits for more than one read."""

    def read_once(self, memory: memoryview) -> int:
        """What there is, at least one byte; 0 at the end, also where it was cut off.

        One that was cut stays open, so that its connection is not used again.
        """
        if self.chunked:
            data = self.read1(len(memory))
            memory[: len(data)] = data
            return len(data)
        if self.isclosed():
            return 0
        if self.length is not None:
            memory = memory[: self.length]
        count: int = self.fp.readinto1(memory)
        if self.length is not None:
            self.length -= count
        if self.length == 0 or (self.length is None and not count):
            self._close_conn()  # type: ignore[attr-defined]
        return count


class _Keeping:
    """A connection that knows the body it is being read of."""

    body: Body

    def response_class(self, *args: Any, **options: Any) -> Body:
        self.body = Body(*args, **options)
        return self.body


class _Plain(_Keeping, HTTPConnection):  # type: ignore[misc]
    pass


class _Encrypted(_Keeping, HTTPSConnection):  # type: ignore[misc]
    pass


class PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class EncryptedPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class _Closing:
    """A pool that closes each connection at the end of its answer, and keeps none."""

    def _put_conn(self, conn: Any) -> None:
        if conn:
            conn.close()
        super()._put_conn(conn)  # type: ignore[misc]


class ClosingPlainPool(_Closing, PlainPool):
    pass


class ClosingEncryptedPool(_Closing, EncryptedPool):
    pass


POOLS = {"http": PlainPool, "https": EncryptedPool}
CLOSING_POOLS = {"http": ClosingPlainPool, "https": ClosingEncryptedPool}


def body_of(response: BaseHTTPResponse) -> Body:
    """What an unread response of a pool of `POOLS` is read from."""
    body: Body = response.connection.body  # type: ignore[union-attr]
    return body
