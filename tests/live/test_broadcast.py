"""A text for many sockets is made ready for the wire once."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.exception import Disconnected
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from vcbench_site import broadcast

TEXT = "naïve <b>ähm</b> " * 10_000


class Transport:
    """The part of Twisted's transport that takes what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)


@pytest.fixture
def factory() -> Any:
    broadcast.install()
    return WebSocketFactory(None)


def opened(factory: Any) -> Any:
    protocol = WebSocketProtocol()
    protocol.factory, protocol.transport = factory, Transport()
    protocol._connectionMade()
    protocol.state = protocol.STATE_OPEN
    protocol.client_addr = "127.0.0.1"
    return protocol


def test_many_sockets_are_handed_the_same_bytes(factory: Any) -> None:
    sockets = [opened(factory) for _ in range(3)]
    for socket in sockets:
        socket.serverSend(TEXT)
    [first], *others = (socket.transport.sent for socket in sockets)
    assert first.endswith(TEXT.encode())
    assert all(len(sent) == 1 and sent[0] is first for sent in others)


@pytest.mark.parametrize("text", ["", "a", "é" * 63, "b" * 70_000], ids=len)
def test_the_bytes_are_those_that_daphne_would_send(factory: Any, text: str) -> None:
    ours, daphnes = opened(factory), opened(factory)
    ours.serverSend(text)
    WebSocketProtocol.serverSend.__wrapped__(daphnes, text)
    assert b"".join(ours.transport.sent) == b"".join(daphnes.transport.sent)


def test_binary_messages_are_sent_as_before(factory: Any) -> None:
    socket = opened(factory)
    socket.serverSend(b"\x00\xff", True)
    assert socket.transport.sent[-1].endswith(b"\x00\xff")
    assert socket.transport.sent[0][0] == 0x82


def test_what_is_closed_is_told_so(factory: Any) -> None:
    socket = opened(factory)
    socket.state = socket.STATE_CLOSED
    with pytest.raises(Disconnected):
        socket.serverSend(TEXT)


def test_installing_twice_changes_nothing(factory: Any) -> None:
    before = WebSocketProtocol.serverSend
    broadcast.install()
    assert WebSocketProtocol.serverSend is before
