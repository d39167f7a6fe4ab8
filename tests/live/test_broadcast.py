"""A text for many sockets is made ready for the wire once."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.exception import Disconnected
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.error import ConnectionLost

from vcbench_site import broadcast

TEXT = "naïve <b>ähm</b> " * 10_000


class Transport:
    """Twisted's transport: `room` bytes go at once, `write` is for later.

    `room` None is a connection that was lost.
    """

    TLS = False
    connected, disconnecting = True, False
    offset = 0

    def __init__(self, room: int | None = 0) -> None:
        self.room = room
        self.now: list[bytes] = []
        self.sent: list[bytes] = []
        self.dataBuffer, self._tempDataLen = b"", 0

    def writeSomeData(self, data: bytes) -> int | ConnectionLost:
        if self.room is None:
            return ConnectionLost()
        self.now.append(data[: self.room])
        return min(self.room, len(data))

    def write(self, data: bytes) -> None:
        self.sent.append(data)


@pytest.fixture
def factory() -> Any:
    broadcast.install()
    return WebSocketFactory(None)


def opened(factory: Any, transport: Transport | None = None) -> Any:
    protocol = WebSocketProtocol()
    protocol.factory, protocol.transport = factory, transport or Transport()
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


@pytest.mark.parametrize("room", [0, 1, 100, 1_000_000])
def test_what_a_socket_takes_is_sent_at_once_and_the_rest_waits(
    factory: Any, room: int
) -> None:
    socket = opened(factory, Transport(room))
    socket.serverSend(TEXT)
    whole = opened(factory)
    whole.serverSend(TEXT)
    [wire] = whole.transport.sent
    now, later = b"".join(socket.transport.now), b"".join(socket.transport.sent)
    assert (now, later) == (wire[:room], wire[room:])


@pytest.mark.parametrize(
    "state",
    [
        {"TLS": True},
        {"connected": False},
        {"disconnecting": True},
        {"dataBuffer": b"before"},
        {"_tempDataLen": 6},
        {"room": None},
    ],
    ids=str,
)
def test_nothing_overtakes_what_waits_nor_goes_to_a_socket_that_ends(
    factory: Any, state: dict[str, Any]
) -> None:
    socket = opened(factory, Transport(1_000_000))
    vars(socket.transport).update(state)
    socket.serverSend(TEXT)
    assert socket.transport.now == []
    assert len(socket.transport.sent) == 1


def test_nothing_overtakes_what_autobahn_holds_back(factory: Any) -> None:
    socket = opened(factory, Transport(1_000_000))
    socket.send_queue.append((b"before", False))
    socket.triggered = True  # what waits is on its way already
    socket.serverSend(TEXT)
    assert (socket.transport.now, len(socket.send_queue)) == ([], 2)


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
