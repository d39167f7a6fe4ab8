"""Bodies read into memory: their ends, and what becomes of their connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from urllib3 import BaseHTTPResponse

from runs.transfers.body import body_of
from runs.transfers.http import HttpSettings, make_pool, request
from tests.transfers.conftest import QUICK, noise
from tests.transfers.servers import Handler, Site

DATA = noise(300_000)


@contextmanager
def answered(url: str) -> Iterator[list[BaseHTTPResponse]]:
    """Answers to two requests, the second asked for once the first is read."""
    pool, got = make_pool(HttpSettings()), []

    def ask() -> BaseHTTPResponse:
        response = request(pool, "GET", url, {}, QUICK, "the server")
        got.append(response)
        return response

    ask()
    yield got
    got[0].release_conn()
    ask()
    for response in got:
        response.close()


def read(response: BaseHTTPResponse, most: int) -> bytes:
    """All there is, at most so many bytes at a time."""
    memory = memoryview(bytearray(most))
    body, parts = body_of(response), []
    while count := body.read_once(memory):
        parts.append(bytes(memory[:count]))
    return b"".join(parts)


@pytest.mark.parametrize("most", [7_001, len(DATA), 2 * len(DATA)])
def test_a_whole_body_leaves_a_connection_that_is_used_again(
    site: Site, url: str, most: int
) -> None:
    site.files["/a"] = DATA
    with answered(f"{url}/a") as got:
        assert read(got[0], most) == DATA
        assert got[0].closed
    assert site.connections == 1


def test_a_body_that_was_cut_ends_and_its_connection_is_not_used_again(
    site: Site, url: str
) -> None:
    def cut(handler: Handler, body: bytes) -> bool:
        handler.close_connection = True
        return handler.answer(200, body[:1000], {"Content-Length": str(len(body))})

    site.files["/a"], site.faults["/a"] = DATA, cut
    with answered(f"{url}/a") as got:
        assert read(got[0], 4096) == DATA[:1000]
        assert not got[0].closed
        got[0].close()
    assert site.connections == 2


def test_a_body_in_chunks_ends_with_its_last(site: Site, url: str) -> None:
    def chunked(handler: Handler, body: bytes) -> bool:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.push(b"5\r\n%b\r\n3e8\r\n%b\r\n0\r\n\r\n" % (body[:5], body[5:1005]))
        return True

    site.files["/a"], site.faults["/a"] = DATA, chunked
    with answered(f"{url}/a") as got:
        assert read(got[0], 300) == DATA[:1005]
        assert got[0].closed
    assert site.connections == 1


def test_a_body_without_a_length_ends_with_its_connection(site: Site, url: str) -> None:
    def unknown(handler: Handler, body: bytes) -> bool:
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        handler.push(body)
        return True

    site.files["/a"], site.faults["/a"] = DATA, unknown
    with answered(f"{url}/a") as got:
        assert read(got[0], 65_536) == DATA
        assert got[0].closed
    assert site.connections == 2
