"""Daphne encodes and frames a text anew for each socket that it is sent to.

A frame of the live log goes to every viewer of a run, and the copies of it were a fifth
of what the web server did. So here a text is made ready for the wire once, and all
sockets are handed the same bytes.

Twisted writes when its loop comes round to a socket that it was told to watch; to begin
and end that watch was a third. So a socket that nothing waits for takes its bytes now.
"""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import Any

from daphne.ws_protocol import WebSocketProtocol

from vcbench_site.backpressure import waiting

KEPT = 8
"""Texts that are kept ready: as many runs may be watched before one pushes another."""


def install() -> None:
    """Have Daphne send texts made ready once; a second call changes nothing."""
    original = WebSocketProtocol.serverSend
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def server_send(self: Any, content: str | bytes, binary: bool = False) -> None:
        if binary or self.state != self.STATE_OPEN:
            original(self, content, binary)  # what is not open yet, or any more
        else:
            rest = _send_now(self, _ready(self.factory, content))
            if rest:
                self.sendData(rest)

    WebSocketProtocol.serverSend = server_send


def _send_now(protocol: Any, data: bytes) -> bytes:
    """What is left of the data: what the socket does not take at once, or may not."""
    transport = protocol.transport
    plain = hasattr(transport, "writeSomeData") and not transport.TLS
    if not plain or not transport.connected or transport.disconnecting:
        return data
    if protocol.send_queue or waiting(protocol):
        return data
    count = transport.writeSomeData(data)
    return data[count:] if isinstance(count, int) and count > 0 else data


@lru_cache(maxsize=KEPT)
def _ready(factory: Any, text: str) -> bytes:
    message = factory.prepareMessage(text.encode(), doNotCompress=True)
    return bytes(message.payloadHybi)
