"""A proxy that forgets the sockets it has open, as a network does."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Forgetting(socketserver.ThreadingTCPServer):
    """Both sides of a forgotten connection see it open, but nothing they say passes.

    Only those of WebSockets are forgotten. `sockets` is how many of them came.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.sockets = self.forgotten = 0
        super().__init__(("127.0.0.1", 0), _Relay)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def forget(self) -> None:
        self.forgotten = self.sockets


class _Relay(socketserver.BaseRequestHandler):
    server: Forgetting
    number = 0  # of the WebSocket, from 1

    def handle(self) -> None:
        begin = self.request.recv(65536)
        if begin.startswith(b"GET /ws/"):
            self.server.sockets += 1
            self.number = self.server.sockets
        with socket.create_connection(self.server.upstream) as upstream:
            upstream.sendall(begin)
            up = threading.Thread(
                target=self._pass, args=(self.request, upstream), daemon=True
            )
            up.start()
            self._pass(upstream, self.request)
            up.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._forgotten:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    @property
    def _forgotten(self) -> bool:
        return 0 < self.number <= self.server.forgotten


@contextmanager
def forgetting(address: str) -> Iterator[Forgetting]:
    host, _, port = address.removeprefix("http://").partition(":")
    with Forgetting((host, int(port))) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
