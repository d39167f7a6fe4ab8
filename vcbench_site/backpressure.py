"""Daphne hands everything to Twisted at once, however slowly the browser reads.

What a slow browser has not read yet would pile up in memory without bound: a log's
lines, or the whole of a file that is downloaded. So here `send` waits while more than
`HIGH` bytes wait already, as ASGI servers with flow control do.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any

from daphne.server import Server

HIGH = 512 * 1024
"""Bytes that may wait for one connection."""
LOOK_SECONDS = 0.02
"""How often a connection that is full is looked at."""


def install() -> None:
    """Give Daphne's `send` flow control; a second call changes nothing."""
    original = Server.handle_reply
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    async def handle_reply(self: Server, protocol: Any, message: Any) -> None:
        await original(self, protocol, message)
        while waiting(protocol) > HIGH and _connected(self, protocol):
            await asyncio.sleep(LOOK_SECONDS)

    Server.handle_reply = handle_reply


def _connected(server: Any, protocol: Any) -> bool:
    details = server.connections.get(protocol)
    return details is not None and not details.get("disconnected")


def waiting(protocol: Any) -> int:
    """Bytes that the connection has not taken yet; 0 where that cannot be known."""
    transport = getattr(protocol, "channel", None) or protocol
    for _ in range(4):
        if hasattr(transport, "dataBuffer"):
            held = len(transport.dataBuffer) - transport.offset
            return int(held + transport._tempDataLen)
        transport = getattr(transport, "transport", None) or getattr(
            transport, "_transport", None
        )
    return 0
