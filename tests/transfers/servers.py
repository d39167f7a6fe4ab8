"""Servers on loopback for the tests: files with ranges, every fault, cuts, S3."""

from __future__ import annotations

import hashlib
import random
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = Callable[["Handler", bytes], bool]
MODIFIED = formatdate(1_700_000_000, usegmt=True)


@dataclass
class Site:
    """What a server serves: bodies by path, and a fault by path.

    A fault answers the request itself and returns True, or leaves it to the server.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    sent: int = 0
    ranges: bool = True
    etags: bool = True
    open_now: int = 0
    most_open: int = 0
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def gets(self, path: str) -> int:
        return sum(1 for m, p, _ in self.requests if (m, p) == ("GET", path))


class Handler(BaseHTTPRequestHandler):
    """Serves `server.site`; HTTP/1.1 with keep-alive."""

    protocol_version = "HTTP/1.1"
    server: SiteServer

    def log_message(self, format: str, *args: object) -> None:
        return None

    @property
    def site(self) -> Site:
        return self.server.site

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def _serve(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        site = self.site
        self._counted = True
        with site.lock:
            site.requests.append((self.command, path, self.headers.get("Range", "")))
            site.open_now += 1
            site.most_open = max(site.most_open, site.open_now)
        try:
            data = site.files.get(path, b"")
            fault = site.faults.get(path)
            if fault and fault(self, data):
                return
            if path not in site.files:
                self.answer(404, b"no such file")
            else:
                self.file(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self._leave()

    def _leave(self) -> None:
        """Before the last bytes go out: with them the client may ask anew."""
        with self.site.lock:
            self.site.open_now -= self._counted
        self._counted = False

    def answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> bool:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        if not body:
            self._leave()
        self.end_headers()
        if self.command == "GET":
            self.push(body)
        return True

    def push(self, body: bytes) -> None:
        view = memoryview(body)
        while view:
            if len(view) <= 65536:
                self._leave()
            count = self.connection.send(view[:65536])
            self.site.sent += count
            view = view[count:]

    def etag(self, data: bytes) -> str:
        return f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()[:16]}"'

    def file(self, data: bytes) -> bool:
        """An honest answer, conditions and ranges included."""
        headers = {"Last-Modified": MODIFIED, "Content-Type": "application/x-gzip"}
        if self.site.etags:
            headers["ETag"] = self.etag(data)
        expected = self.headers.get("If-Match")
        if expected and expected != headers.get("ETag"):
            return self.answer(412)
        wanted = self.headers.get("Range", "")
        if not self.site.ranges:
            return self.answer(200, data, {**headers, "Accept-Ranges": "none"})
        headers["Accept-Ranges"] = "bytes"
        if not wanted:
            if self.command == "HEAD":
                return self.answer(
                    200, b"", {**headers, "Content-Length": str(len(data))}
                )
            return self.answer(200, data, headers)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last) + 1, len(data))
        if start >= len(data):
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
        return self.answer(206, data[start:end], headers)


class SiteServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, site: Site, tls: ssl.SSLContext | None = None) -> None:
        self.site, self.tls = site, tls
        super().__init__(("127.0.0.1", 0), Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        raw, address = super().get_request()
        if self.tls is None:
            return raw, address
        # shakes hands in the thread of the connection
        return self.tls.wrap_socket(
            raw, server_side=True, do_handshake_on_connect=False
        ), address

    def handle_error(self, request: object, client_address: object) -> None:
        return None  # clients break off on purpose

    def verify_request(self, request: object, client_address: object) -> bool:
        self.site.connections += 1
        return True

    @property
    def url(self) -> str:
        port = self.server_address[1]
        return f"https://localhost:{port}" if self.tls else f"http://127.0.0.1:{port}"


@contextmanager
def serving(site: Site, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The base URL of a running server."""
    server = SiteServer(site, tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class CuttingProxy(socketserver.ThreadingTCPServer):
    """Hands bytes on, and cuts connections after about `every` bytes, at random.

    `rate` bytes per second and connection, where given, keeps it slow.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(
        self,
        upstream: tuple[str, int],
        every: int,
        seed: int = 1,
        rate: int | None = None,
    ) -> None:
        self.upstream, self.every, self.rate = upstream, every, rate
        self.random = random.Random(seed)
        self.passed = self.cuts = 0
        super().__init__(("127.0.0.1", 0), _Relay)

    def handle_error(self, request: object, client_address: object) -> None:
        return None

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Relay(socketserver.BaseRequestHandler):
    server: CuttingProxy

    def handle(self) -> None:
        # what waits in this buffer has not been fetched, but would count
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 * 1024)
        with socket.create_connection(self.server.upstream) as upstream:
            threading.Thread(target=self._up, args=(upstream,), daemon=True).start()
            left = int(self.server.random.expovariate(1 / self.server.every))
            while data := upstream.recv(65536):
                if len(data) >= left:
                    self.request.sendall(data[:left])
                    self.server.passed += left
                    self.server.cuts += 1
                    upstream.shutdown(socket.SHUT_RDWR)
                    return
                self.request.sendall(data)
                left -= len(data)
                self.server.passed += len(data)
                if self.server.rate:
                    time.sleep(len(data) / self.server.rate)

    def _up(self, upstream: socket.socket) -> None:
        try:
            while data := self.request.recv(65536):
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            return


@contextmanager
def cutting(
    url: str, every: int, *, seed: int = 1, rate: int | None = None
) -> Iterator[tuple[str, CuttingProxy]]:
    host, _, port = url.removeprefix("http://").partition(":")
    proxy = CuttingProxy((host, int(port)), every, seed, rate)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.port}", proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
