"""A halt in the middle: what comes after it counts nowhere."""

from __future__ import annotations

import os
import select
import ssl
import threading
from pathlib import Path

import pytest

from runs.transfers import fetch as fetching
from runs.transfers import part as parts
from runs.transfers.base import RemoteFile, TransferCancelled, TransferError
from runs.transfers.blocks import Blocks
from runs.transfers.body import Body
from runs.transfers.crew import Lines
from runs.transfers.fetch import fetch
from runs.transfers.hashing import Digests, Follower
from runs.transfers.http import HttpSettings
from runs.transfers.https import HttpsSource, remote_file
from runs.transfers.part import Identity, PartFile, write_all
from runs.transfers.pull import Cursor, Puller
from tests.transfers.conftest import QUICK, noise
from tests.transfers.servers import Handler, Site, serving
from tests.transfers.test_faults import certificate


def halt_before(monkeypatch: pytest.MonkeyPatch, number: int, lines: Lines) -> None:
    """Once more bytes lie in the socket, right before the read of that number."""
    read_once, reads = Body.read_once, 0

    def halting(body: Body, memory: memoryview) -> int:
        nonlocal reads
        reads += 1
        if reads == number:
            assert select.select([body], [], [], 10)[0]
            lines.halt()
        return read_once(body, memory)

    monkeypatch.setattr(Body, "read_once", halting)


@pytest.mark.parametrize("number", [1, 3])
def test_encrypted_bytes_of_a_line_that_was_shut_down_do_not_count(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    data = site.files["/a.bed"] = noise(8_000_000)
    pem = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    lines = Lines()
    halt_before(monkeypatch, number, lines)
    with serving(site, tls) as url:
        source = HttpsSource(HttpSettings(ca_bundle=str(pem)))
        remote = source.probe(remote_file(f"{url}/a.bed"))
        part = PartFile(tmp_path / "a.bed", Identity.of(remote))
        follower = Follower(part.fd, Digests(remote), Blocks(4))
        puller = Puller(source, remote, part, follower, QUICK, lines)
        with pytest.raises(TransferCancelled):
            puller.range(Cursor(0, len(data)))
    for start, end in part.done:
        assert os.pread(part.fd, end - start, start) == data[start:end]
    part.close()


def test_a_write_that_outlasts_the_halt_lands_in_no_other_file(
    site: Site, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/a.bin"] = noise(400_000)
    begun, free = threading.Event(), threading.Event()
    writers: list[threading.Thread] = []

    def refuse_the_other_range(handler: Handler, _body: bytes) -> bool:
        if handler.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
            return False
        return begun.wait(10) and handler.answer(403)

    def slow(fd: int, data: memoryview, offset: int) -> None:
        if not writers:
            writers.append(threading.current_thread())
            begun.set()
            free.wait(0.5)
        write_all(fd, data, offset)

    site.faults["/a.bin"] = refuse_the_other_range
    monkeypatch.setattr(fetching, "HALT_SECONDS", 0)
    monkeypatch.setattr(parts, "write_all", slow)
    with pytest.raises(TransferError, match="403"):
        fetch(HttpsSource(), remote_file(f"{url}/a.bin"), tmp_path / "a", limits=QUICK)
    others = [(tmp_path / f"other{n}").open("w+b") for n in range(20)]
    free.set()
    writers[0].join(10)
    assert [other.read() for other in others] == [b""] * 20
    for other in others:
        other.close()


def test_a_closed_part_is_not_written(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "a", Identity.of(RemoteFile("a", 4)))
    part.close()
    for write in (
        lambda: part.write(memoryview(b"late"), 0),
        lambda: part.record(0, 4),
    ):
        with pytest.raises(TransferCancelled):
            write()
    assert part.path.read_bytes() == b""
