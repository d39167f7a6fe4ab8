"""Which limit a body has, and how long Daphne waits for the rest of one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from daphne.http_protocol import HTTPFactory
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers

from vcbench_site.bodies import PART_BYTES, Most

GB = 1_000_000_000
MOST = Most(upload=50 * GB, other=11_000_000)


def request(method: bytes, path: bytes, *headers: bytes) -> Any:
    channel = SimpleNamespace(_command=method, _path=path)
    sent = Headers({header: [b"x"] for header in headers})
    return SimpleNamespace(channel=channel, requestHeaders=sent)


@pytest.mark.parametrize(
    ("method", "path", "most"),
    [
        (b"POST", b"/api/v1/upload/runs", MOST.upload),
        (b"POST", b"/runs/new/?source=zip", MOST.upload),
        (b"PATCH", b"/api/v1/upload/parts/abc?offset=0", PART_BYTES),
        (b"POST", b"/login/?next=/runs/new/", MOST.other),
        (b"POST", b"/api/v1/upload", MOST.other),
        (b"POST", b"http://host/runs/new/", MOST.other),
    ],
)
def test_an_upload_needs_credentials(method: bytes, path: bytes, most: int) -> None:
    for header in (b"Cookie", b"Authorization"):
        assert MOST.of(request(method, path, header)) == most
    assert MOST.of(request(method, path)) == MOST.other


def test_a_part_is_no_larger_than_an_upload() -> None:
    part = request(b"PATCH", b"/api/v1/upload/parts/abc", b"Cookie")
    assert Most(upload=1_000_000, other=11_000_000).of(part) == 1_000_000


def test_a_body_that_stands_still_for_a_minute_is_given_up() -> None:
    clock: Any = Clock()
    transport: Any = StringTransport()  # type: ignore[no-untyped-call]
    channel = factory_of(clock).buildProtocol(transport.getPeer())
    channel.makeConnection(transport)
    head = b"POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
    channel.dataReceived(head + b".")
    clock.advance(59)
    channel.dataReceived(b".")
    clock.advance(59)
    assert not transport.disconnecting
    clock.advance(1)
    assert transport.disconnecting
    channel.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]


def factory_of(clock: Any) -> Any:
    """What Daphne makes connections with, by another clock."""
    server = SimpleNamespace(
        protocol_connected=lambda _: None, protocol_disconnected=lambda _: None
    )
    factory = HTTPFactory(server)
    factory.reactor = clock
    return factory
