"""A halt in the middle: what comes after it counts nowhere."""

from __future__ import annotations

import os
import select
import ssl
from pathlib import Path

import pytest

from runs.transfers.base import TransferCancelled
from runs.transfers.blocks import Blocks
from runs.transfers.body import Body
from runs.transfers.crew import Lines
from runs.transfers.hashing import Digests, Follower
from runs.transfers.http import HttpSettings
from runs.transfers.https import HttpsSource, remote_file
from runs.transfers.part import Identity, PartFile
from runs.transfers.pull import Cursor, Puller
from tests.transfers.conftest import QUICK, noise
from tests.transfers.servers import Site, serving
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
