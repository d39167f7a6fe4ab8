"""The shared cache: one download for many who wait, whole files or none."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pysam
import pytest
from django.db import connection
from pysam.utils import SamtoolsError

from benchmarks.catalog import FileEntry, ReferenceEntry
from benchmarks.models import Reference, State
from runs.references import Fetcher, PreparationError
from runs.transfers.base import TransferError
from runs.watch import Cause, Stopped

pytestmark = pytest.mark.django_db(transaction=True)
FASTA = b">chr1\n" + b"ACGTACGTAC\n" * 50


@dataclass
class Site:
    """A file server that counts, and that waits where a test says so."""

    files: dict[str, bytes]
    address: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    go_on: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    def entry(self, name: str, **known: object) -> FileEntry:
        return FileEntry(name, bases=(self.address,), **known)  # type: ignore[arg-type]


@pytest.fixture
def site() -> Iterator[Site]:
    plain = gzip.compress(FASTA)
    site = Site({"ref.fa.gz": plain})
    site.go_on.set()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            site.asked[self.path.lstrip("/")] += 1
            site.reached.set()
            site.go_on.wait(20)
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            data = site.files.get(self.path.lstrip("/"))
            self.send_response(200 if data is not None else 404)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            if body and data:
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def fetcher(said: list[str], *, stopped: bool = False) -> Fetcher:
    def check() -> None:
        if stopped:
            raise Stopped(Cause.CANCELLED)

    return Fetcher(said.append, lambda *numbers: None, lambda: stopped, check)


def entry(site: Site, **known: object) -> ReferenceEntry:
    return ReferenceEntry("tiny", "GRCh38", True, site.entry("ref.fa.gz", **known))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_plain_gzip_is_made_ready_for_random_access(
    site: Site, data_dir: Path
) -> None:
    row = fetcher([]).reference(entry(site, sha256=sha256(site.files["ref.fa.gz"])))
    assert row.state == State.READY
    with pysam.FastaFile(str(row.path("fasta"))) as fasta:
        assert fasta.fetch("chr1", 4, 8) == "ACGT"
    assert set(row.files) == {"fasta", "fai", "gzi"}


def test_what_is_ready_is_not_fetched_again(site: Site, data_dir: Path) -> None:
    fetcher([]).reference(entry(site))
    fetcher([]).reference(entry(site))
    assert site.asked == {"ref.fa.gz": 1}


def test_a_file_that_has_gone_is_fetched_again(site: Site, data_dir: Path) -> None:
    row = fetcher([]).reference(entry(site))
    row.path("fasta").unlink()
    fetcher([]).reference(entry(site))
    assert row.path("fasta").is_file()


def test_many_wait_for_one_download(site: Site, data_dir: Path) -> None:
    site.go_on.clear()
    said: list[list[str]] = [[], [], []]
    rows: list[Reference] = []

    def fetch(number: int) -> None:
        try:
            rows.append(fetcher(said[number]).reference(entry(site)))
        finally:
            connection.close()

    threads = [threading.Thread(target=fetch, args=[at]) for at in range(3)]
    threads[0].start()
    assert site.reached.wait(10)
    for thread in threads[1:]:
        thread.start()
    site.go_on.set()
    for thread in threads:
        thread.join(30)
    assert [row.state for row in rows] == [State.READY] * 3
    assert site.asked == {"ref.fa.gz": 1}


def test_a_wrong_checksum_leaves_nothing_in_place(site: Site, data_dir: Path) -> None:
    with pytest.raises(TransferError):
        fetcher([]).reference(entry(site, sha256="0" * 64))
    row = Reference.objects.get(key="tiny")
    assert row.state == State.ERROR
    assert "ref.fa.gz" in row.message
    assert not (data_dir / "references" / "tiny" / "ref.fa.gz").exists()


def test_after_an_error_the_next_one_tries_again(site: Site, data_dir: Path) -> None:
    with pytest.raises(TransferError):
        fetcher([]).reference(entry(site, sha256="0" * 64))
    row = fetcher([]).reference(entry(site))
    assert row.state == State.READY


def test_half_an_index_is_not_taken_for_one(
    site: Site, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a full disk leaves it."""

    def half(fasta: str, *options: str) -> None:
        place = dict(zip(options[::2], options[1::2], strict=True))
        Path(place.get("--fai-idx", f"{fasta}.fai")).write_text("chr1")
        Path(place.get("--gzi-idx", f"{fasta}.gzi")).write_text("")
        raise SamtoolsError("Not written")  # type: ignore[no-untyped-call]

    with monkeypatch.context() as full:
        full.setattr(pysam, "faidx", half)
        with pytest.raises(PreparationError, match="cannot be indexed"):
            fetcher([]).reference(entry(site))
    row = fetcher([]).reference(entry(site))
    with pysam.FastaFile(str(row.path("fasta"))) as fasta:
        assert fasta.fetch("chr1", 0, 4) == "ACGT"


def test_who_waits_can_be_stopped(site: Site, data_dir: Path) -> None:
    from filelock import FileLock

    folder = data_dir / "references" / "tiny"
    folder.mkdir(parents=True)
    said: list[str] = []
    with FileLock(folder / ".lock"), pytest.raises(Stopped):
        fetcher(said, stopped=True).reference(entry(site))
    assert site.asked == {}
