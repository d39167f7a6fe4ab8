"""The shared cache: one download for many who wait, whole files or none."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pysam
import pytest
from django.db import connection

from benchmarks.catalog import FileEntry, ReferenceEntry, TruthSetEntry
from benchmarks.models import Reference, State
from runs import preparation
from runs.preparation import Preparation, PreparationError
from runs.references import Fetcher
from runs.transfers.base import (
    SpaceError,
    TransferCancelled,
    TransferError,
    never_stop,
    no_progress,
)
from runs.watch import Cause, Stopped

pytestmark = pytest.mark.django_db(transaction=True)
FASTA = b">chr1\n" + b"ACGTACGTAC\n" * 50
VCF = b"""##fileformat=VCFv4.2
##contig=<ID=chr1,length=500>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
chr1\t20\t.\tA\tC\t.\t.\t.
chr1\t7\t.\tA\tC\t.\t.\t.
"""


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


def test_who_waits_can_be_stopped(site: Site, data_dir: Path) -> None:
    from filelock import FileLock

    folder = data_dir / "references" / "tiny"
    folder.mkdir(parents=True)
    said: list[str] = []
    with FileLock(folder / ".lock"), pytest.raises(Stopped):
        fetcher(said, stopped=True).reference(entry(site))
    assert site.asked == {}


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], Any]:
    """`with spoil(task, code)`: that task writes half of its results, then `code`."""

    @contextmanager
    def context(task: str, code: str) -> Iterator[None]:
        script = tmp_path / "spoilt.py"
        script.write_text(
            "import os, runpy, signal, sys\n"
            "from pathlib import Path\n"
            f"if sys.argv[1] != {task!r}:\n"
            f"    runpy.run_path({str(preparation.SCRIPT)!r}, run_name='__main__')\n"
            "for path in sys.argv[3:]:\n"
            "    Path(path).write_text('half')\n"
            f"{code}\n"
        )
        with monkeypatch.context() as patch:
            patch.setattr(preparation, "SCRIPT", script)
            yield

    return context


def names(data_dir: Path) -> set[str]:
    """What lies in the folder of the reference."""
    folder = data_dir / "references" / "tiny"
    return {path.name for path in folder.iterdir()} - {".lock"}


def parts(data_dir: Path) -> set[str]:
    return {name for name in names(data_dir) if name.endswith(".part")}


class TestPreparation:
    """Every step of it is a child process."""

    FAILS = 'print(\'{"fault": "not written"}\'); sys.exit(1)'

    def test_pysam_does_not_hold_up_the_worker(
        self, site: Site, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It keeps the interpreter to itself, and with it beat and cancel."""

        def here(*_arguments: object, **_options: object) -> None:
            raise AssertionError("pysam works in the process of the worker")

        with monkeypatch.context() as patch:
            for name in ("BGZFile", "faidx", "tabix_index"):
                patch.setattr(pysam, name, here)
            row = fetcher([]).reference(entry(site))
        assert row.state == State.READY

    def test_a_compression_that_goes_on_is_stopped(
        self, site: Site, data_dir: Path
    ) -> None:
        """Seconds of work, of which the first is seen."""
        bases = random.Random(1).randbytes(16_000_000).translate(b"ACGT" * 64)
        site.files["ref.fa.gz"] = gzip.compress(b">chr1\n" + bases, 1)
        said: list[str] = []
        goes_on = threading.Event()

        def progress(done: int, total: int | None, rate: float) -> None:
            if any(line.startswith("Compressing ref.fa.gz") for line in said):
                goes_on.set()

        stopping = replace(fetcher(said), progress=progress, should_stop=goes_on.is_set)
        with pytest.raises(TransferCancelled):
            stopping.reference(entry(site))
        assert names(data_dir) == {"ref.fa.gz"}
        assert Reference.objects.get().state == State.ABSENT

    @pytest.mark.parametrize("task", ["compress", "fasta"])
    def test_a_child_that_does_not_answer_is_stopped(
        self, site: Site, data_dir: Path, tmp_path: Path, spoil: Any, task: str
    ) -> None:
        pid = tmp_path / "pid"
        code = (
            f"Path({str(pid)!r} + '.part').write_text(str(os.getpid()))\n"
            f"os.rename({str(pid)!r} + '.part', {str(pid)!r})\n"
            "signal.pause()"
        )
        stopping = replace(fetcher([]), should_stop=pid.exists)
        with spoil(task, code), pytest.raises(TransferCancelled):
            stopping.reference(entry(site))
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)
        assert not parts(data_dir)
        assert fetcher([]).reference(entry(site)).state == State.READY

    @pytest.mark.parametrize(
        ("task", "said"), [("compress", "compressed anew"), ("fasta", "indexed")]
    )
    def test_half_a_file_is_not_taken_for_one(
        self, site: Site, data_dir: Path, spoil: Any, task: str, said: str
    ) -> None:
        with (
            spoil(task, self.FAILS),
            pytest.raises(PreparationError, match=f"cannot be {said}.*: not written"),
        ):
            fetcher([]).reference(entry(site))
        assert not parts(data_dir)
        row = fetcher([]).reference(entry(site))
        with pysam.FastaFile(str(row.path("fasta"))) as fasta:
            assert fasta.fetch("chr1", 0, 4) == "ACGT"

    def test_a_child_that_is_killed_gets_a_sentence(
        self, site: Site, data_dir: Path, spoil: Any
    ) -> None:
        with (
            spoil("fasta", "os.kill(os.getpid(), signal.SIGKILL)"),
            pytest.raises(PreparationError, match="memory ran out"),
        ):
            fetcher([]).reference(entry(site))
        assert "memory ran out" in Reference.objects.get(key="tiny").message

    def test_a_full_disk_is_told_as_one(
        self, site: Site, data_dir: Path, spoil: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(preparation, "LITTLE_SPACE", 2**62)
        with (
            spoil("compress", self.FAILS),
            pytest.raises(SpaceError, match="The disk is full"),
        ):
            fetcher([]).reference(entry(site))

    def test_a_gzip_that_was_cut_off_gets_a_sentence(self, tmp_path: Path) -> None:
        path = tmp_path / "ref.fa.gz"
        path.write_bytes(gzip.compress(FASTA)[:-12])
        made = Preparation(lambda _line: None, no_progress, never_stop)
        with pytest.raises(PreparationError, match="cannot be compressed anew"):
            made.fasta({"fasta": path})
        assert list(tmp_path.iterdir()) == [path]

    def test_what_is_compressed_anew_gets_an_index_of_its_own(
        self, site: Site, data_dir: Path
    ) -> None:
        row = fetcher([]).reference(entry(site))
        row.path("fasta").unlink()
        row.path("gzi").write_bytes(b"of another file")
        row = fetcher([]).reference(entry(site))
        with pysam.FastaFile(str(row.path("fasta"))) as fasta:
            assert fasta.fetch("chr1", 0, 4) == "ACGT"

    def test_tells_how_far_it_is(self, site: Site, data_dir: Path) -> None:
        said: list[str] = []
        told: list[tuple[int, int | None]] = []

        def progress(done: int, total: int | None, rate: float) -> None:
            if said[-1].startswith("Compressing"):
                told.append((done, total))

        replace(fetcher(said), progress=progress).reference(entry(site))
        size = len(site.files["ref.fa.gz"])
        assert told == [(size, size)]


class TestTruthSet:
    def truth(self, site: Site, folder: Path, lines: list[bytes]) -> TruthSetEntry:
        path = folder / "made.vcf.gz"
        with pysam.BGZFile(str(path), "wb", index=None) as file:
            file.write(b"".join(lines))
        site.files |= {"truth.vcf.gz": path.read_bytes(), "truth.bed": b""}
        vcf, bed = site.entry("truth.vcf.gz"), site.entry("truth.bed")
        words = ("tiny", "HG002", "GRCh38", "smvar", "v1", "", "current")
        return TruthSetEntry(*words, True, True, vcf, None, bed)  # type: ignore[arg-type]

    def test_is_indexed(self, site: Site, data_dir: Path, tmp_path: Path) -> None:
        *head, second, first = VCF.splitlines(keepends=True)
        truth = self.truth(site, tmp_path, [*head, first, second])
        row = fetcher([]).truth_set(truth)
        with pysam.TabixFile(str(row.path("vcf")), index=str(row.path("tbi"))) as file:
            assert len(list(file.fetch("chr1", 10, 30))) == 1
        assert names(data_dir) == {"truth.vcf.gz", "truth.vcf.gz.tbi", "truth.bed"}

    def test_says_what_it_should_be(
        self, site: Site, data_dir: Path, tmp_path: Path
    ) -> None:
        truth = self.truth(site, tmp_path, VCF.splitlines(keepends=True))
        with pytest.raises(PreparationError, match="sorted by position"):
            fetcher([]).truth_set(truth)
        assert names(data_dir) == {"truth.vcf.gz", "truth.bed"}
