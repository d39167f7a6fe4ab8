"""Daphne encodes and frames a text anew for each socket that it is sent to.

A frame of the live log goes to every viewer of a run, and the copies of it were a fifth
of what the web server did. So here a text is made ready for the wire once, and all
sockets are handed the same bytes.
"""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import Any

from daphne.ws_protocol import WebSocketProtocol

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
            self.sendPreparedMessage(_ready(self.factory, content))

    WebSocketProtocol.serverSend = server_send


@lru_cache(maxsize=KEPT)
def _ready(factory: Any, text: str) -> Any:
    return factory.prepareMessage(text.encode(), doNotCompress=True)
