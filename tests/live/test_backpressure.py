"""Daphne's `send` waits for browsers that do not read."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from daphne.server import Server

from vcbench_site import backpressure
from vcbench_site.backpressure import HIGH, waiting


class Transport:
    """The part of Twisted's transport that holds what was not sent yet."""

    def __init__(self) -> None:
        self.dataBuffer = b""
        self.offset = 0
        self._tempDataLen = 0


class Protocol:
    def __init__(self) -> None:
        self.transport = Transport()

    def handle_reply(self, message: dict[str, Any]) -> None:
        self.transport._tempDataLen += len(message["text"])


@pytest.fixture
def protocol() -> Protocol:
    backpressure.install()
    return Protocol()


def server_of(protocol: Protocol) -> Any:
    return SimpleNamespace(
        connections={protocol: {"connected": 1.0}},
        check_headers_type=Server.check_headers_type,
    )


def send(server: Any, protocol: Protocol, size: int) -> asyncio.Task[None]:
    message = {"type": "websocket.send", "text": "x" * size}
    return asyncio.ensure_future(Server.handle_reply(server, protocol, message))


async def still_waits(task: asyncio.Task[None]) -> bool:
    _done, pending = await asyncio.wait({task}, timeout=0.1)
    return bool(pending)


async def test_little_is_sent_at_once(protocol: Protocol) -> None:
    await asyncio.wait_for(send(server_of(protocol), protocol, 1_000), 1)


async def test_much_waits_until_it_was_read(protocol: Protocol) -> None:
    task = send(server_of(protocol), protocol, HIGH + 1)
    assert await still_waits(task)
    protocol.transport._tempDataLen = HIGH
    await asyncio.wait_for(task, 1)


async def test_nobody_waits_for_a_browser_that_has_gone(protocol: Protocol) -> None:
    server = server_of(protocol)
    task = send(server, protocol, HIGH + 1)
    assert await still_waits(task)
    server.connections[protocol]["disconnected"] = 2.0
    await asyncio.wait_for(task, 1)


def test_what_waits_is_counted_behind_the_channel_of_a_request() -> None:
    transport = Transport()
    transport.dataBuffer, transport.offset, transport._tempDataLen = b"12345", 2, 10
    request = SimpleNamespace(channel=SimpleNamespace(transport=transport))
    assert waiting(request) == 13
    assert waiting(SimpleNamespace()) == 0


def test_installing_twice_changes_nothing() -> None:
    backpressure.install()
    before = Server.handle_reply
    backpressure.install()
    assert Server.handle_reply is before
