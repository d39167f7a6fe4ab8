"""The downloader against a real HTTP server: whole, resumed, skipped, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import count, groupby
from pathlib import Path

import pytest

from runs.transfers import fetch as fetching
from runs.transfers import part
from runs.transfers.base import RemoteFile, TransferCancelled, TransferError
from runs.transfers.blocks import PAGE, SIZE, Blocks
from runs.transfers.fetch import Job, fetch, fetch_all
from runs.transfers.hashing import Digests, Follower
from runs.transfers.https import LONG_RANGES, HttpsSource, remote_file
from tests.transfers.conftest import QUICK, gz, md5, noise, sha256
from tests.transfers.servers import Handler, Site, cutting

ROOT = Path(__file__).parents[2]


def left_over(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if ".part" in p.name)


def test_brings_a_file_in_ranges(site: Site, url: str, tmp_path: Path) -> None:
    data = site.files["/a.bin"] = noise(3_000_000)
    got = fetch(
        HttpsSource(),
        remote_file(f"{url}/a.bin", md5=md5(data), sha256=sha256(data)),
        tmp_path / "a.bin",
        limits=QUICK,
    )
    assert got.path.read_bytes() == data
    assert (got.size, got.md5, got.sha256) == (len(data), None, sha256(data))
    assert got.verified_by == "sha256"
    assert (got.resumed_bytes, got.downloaded_bytes) == (0, len(data))
    assert left_over(tmp_path) == []
    assert site.gets("/a.bin") == 12  # 256 KiB each


def test_no_connection_outlasts_its_request(
    site: Site, url: str, tmp_path: Path
) -> None:
    """Kept ones would be open beside those of other processes, counted by nobody."""
    data = site.files["/a.bin"] = noise(1_000_000)
    source = HttpsSource()
    got = fetch(source, remote_file(f"{url}/a.bin"), tmp_path / "a", limits=QUICK)
    assert got.path.read_bytes() == data
    assert site.connections == len(site.requests) == 1 + 4


@pytest.mark.parametrize(("megabytes", "ranges"), [(1, 1), (20, 3), (40, 4)])
def test_long_ranges_leave_no_connection_without_work(
    site: Site, url: str, tmp_path: Path, megabytes: int, ranges: int
) -> None:
    site.files["/a.bin"] = bytes(megabytes * 1024 * 1024)
    fetch(
        HttpsSource(), remote_file(f"{url}/a.bin"), tmp_path / "a", limits=LONG_RANGES
    )
    assert len(site.requests) == 1 + ranges


def test_a_sha256_can_be_had_beside_the_md5(
    site: Site, url: str, tmp_path: Path
) -> None:
    data = site.files["/a.bin"] = noise(1000)
    remote = remote_file(f"{url}/a.bin", md5=md5(data))
    limits = replace(QUICK, with_sha256=True)
    got = fetch(HttpsSource(), remote, tmp_path / "a", limits=limits)
    assert (got.md5, got.sha256) == (md5(data), sha256(data))


def test_says_when_only_the_size_vouches(site: Site, url: str, tmp_path: Path) -> None:
    site.files["/a.bin"] = noise(1000)
    got = fetch(HttpsSource(), remote_file(f"{url}/a.bin"), tmp_path / "a.bin")
    assert got.verified_by == "size"


def test_brings_an_empty_file(site: Site, url: str, tmp_path: Path) -> None:
    site.files["/empty.csv"] = b""
    got = fetch(HttpsSource(), remote_file(f"{url}/empty.csv"), tmp_path / "e")
    assert got.size == 0
    assert got.path.read_bytes() == b""


def test_uses_at_most_four_connections(site: Site, url: str, tmp_path: Path) -> None:
    """Nobody is answered before four wait, and then not at once, so that a fifth
    would be seen."""
    four, answer = threading.Event(), threading.Event()

    def hold(handler: Handler, _body: bytes) -> bool:
        if handler.command == "GET":
            if site.open_now >= 4:
                four.set()
            assert answer.wait(10)
        return False

    def progress(_done: int, _total: int | None, _rate: float) -> None:
        if four.is_set() and next(looks) == 2:
            answer.set()

    looks = count()
    for n in range(6):
        site.files[f"/{n}.bin"] = noise(1_500_000, n)
        site.faults[f"/{n}.bin"] = hold
    jobs = [Job(remote_file(f"{url}/{n}.bin"), tmp_path / f"{n}") for n in range(6)]
    patient = replace(QUICK, read_timeout=30, stall_seconds=30)
    got = fetch_all(HttpsSource(), jobs, progress=progress, limits=patient)
    assert [f.path.name for f in got] == [str(n) for n in range(6)]
    assert site.most_open == 4


def test_each_folder_is_synced_once_when_all_its_files_have_their_names(
    site: Site, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def sync(folder: Path) -> None:
        synced.append((folder.name, sorted(path.name for path in folder.iterdir())))
        sync_folder(folder)

    sync_folder = part.sync_folder
    monkeypatch.setattr(part, "sync_folder", sync)
    site.files["/x"] = noise(100_000)
    targets = [tmp_path / place for place in ("a/1", "b/2", "a/3")]
    jobs = [Job(remote_file(f"{url}/x"), target) for target in targets]
    fetch_all(HttpsSource(), jobs, limits=QUICK)
    assert synced == [("a", ["1", "3"]), ("b", ["2"])]


def test_does_not_bring_twice_what_is_verified(
    site: Site, url: str, tmp_path: Path
) -> None:
    data = site.files["/a.bin"] = noise(500_000)
    remote = remote_file(f"{url}/a.bin", md5=md5(data))
    fetch(HttpsSource(), remote, tmp_path / "a", limits=QUICK)
    before = site.sent
    again = fetch(HttpsSource(), remote, tmp_path / "a", limits=QUICK)
    assert site.sent == before
    assert (again.downloaded_bytes, again.resumed_bytes) == (0, len(data))


def test_brings_again_what_was_damaged_in_place(
    site: Site, url: str, tmp_path: Path
) -> None:
    data = site.files["/a.bin"] = noise(500_000)
    (tmp_path / "a").write_bytes(b"x" * len(data))
    remote = remote_file(f"{url}/a.bin", md5=md5(data))
    got = fetch(HttpsSource(), remote, tmp_path / "a", limits=QUICK)
    assert got.path.read_bytes() == data


def test_a_kill_right_after_the_rename_leaves_no_journal(
    site: Site, url: str, tmp_path: Path
) -> None:
    data = site.files["/a.bin"] = noise(500_000)
    remote = remote_file(f"{url}/a.bin", md5=md5(data))

    class Killed(BaseException):
        pass

    def kill(path: Path, missing_ok: bool = False) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", kill)
        with pytest.raises(Killed):
            fetch(HttpsSource(), remote, tmp_path / "a", limits=QUICK)
    assert left_over(tmp_path) == ["a.part.journal"]
    got = fetch(HttpsSource(), remote, tmp_path / "a", limits=QUICK)
    assert (got.downloaded_bytes, left_over(tmp_path)) == (0, [])


def test_reports_progress_and_stops_when_told(
    site: Site, url: str, tmp_path: Path
) -> None:
    """The server tells the size once progress was asked for, sends all ranges but one,
    and is left in the middle of that one."""
    data = site.files["/a.bin"] = noise(3_000_000)
    start, chunk = 786_432, 262_144
    asked, left = threading.Event(), threading.Event()
    seen: list[tuple[int, int | None, float]] = []

    def progress(done: int, total: int | None, rate: float) -> None:
        seen.append((done, total, rate))
        asked.set()

    def hang(handler: Handler, body: bytes) -> bool:
        if handler.command == "HEAD":
            assert asked.wait(10)
        if f"={start}-" not in handler.headers.get("Range", ""):
            return False
        sent = f"bytes {start}-{start + chunk - 1}/{len(body)}"
        headers = {"Content-Range": sent, "Content-Length": str(chunk)}
        handler.answer(206, b"", {**headers, "ETag": handler.etag(body)})
        if not handler.connection.recv(1):
            left.set()
        return True

    site.faults["/a.bin"] = hang
    remote = remote_file(f"{url}/a.bin", md5=md5(data))
    with pytest.raises(TransferCancelled):
        fetch(
            HttpsSource(),
            remote,
            tmp_path / "a",
            progress=progress,
            should_stop=lambda: bool(seen) and seen[-1][0] == len(data) - chunk,
            limits=replace(QUICK, read_timeout=30, stall_seconds=30),
        )
    assert left.wait(10)
    assert seen[0] == (0, None, 0.0)
    assert [total for total, _ in groupby(total for _, total, _ in seen)] == [
        None,
        len(data),
    ]
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    site.faults.clear()
    got = fetch(HttpsSource(), remote, tmp_path / "a", limits=QUICK)
    assert (got.resumed_bytes, got.downloaded_bytes) == (len(data) - chunk, chunk)
    assert got.path.read_bytes() == data


def test_hashing_that_died_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(_digests: Digests, _data: memoryview) -> None:
        raise MemoryError

    monkeypatch.setattr(Digests, "update", out_of_memory)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    (tmp_path / "a").write_bytes(b"body")
    with (tmp_path / "a").open("rb") as file:
        follower = Follower(file.fileno(), Digests(RemoteFile("a", 4)), Blocks(1))
        follower.start()
        follower.advance(4)
        follower.join(10)
        assert follower.reached(4, 0)


@pytest.mark.parametrize("least", [1, PAGE, part.DIRECT_BYTES])
def test_a_file_cut_at_odd_places_is_whole(
    url: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    """Pages that were begun before a cut and ended after it."""
    monkeypatch.setattr(part, "DIRECT_BYTES", least)
    data = site.files["/a.bin"] = noise(2 * SIZE + 4321)
    with cutting(url, 700_000) as (address, proxy):
        remote = remote_file(f"{address}/a.bin", sha256=sha256(data))
        limits = replace(QUICK, chunk_bytes=SIZE, attempts=50)
        got = fetch(HttpsSource(), remote, tmp_path / "a", limits=limits)
    assert proxy.cuts
    assert got.path.read_bytes() == data


def test_a_range_that_lags_holds_up_no_other(
    url: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others run out of memory for what cannot be hashed yet, and go on."""
    monkeypatch.setattr(fetching, "BLOCKS", 1)
    data = site.files["/a.bin"] = noise(8 * SIZE)
    rest = threading.Semaphore(0)

    def lag(handler: Handler, _body: bytes) -> bool:
        if handler.command == "HEAD":
            return False
        if handler.headers["Range"].startswith("bytes=0-"):
            assert all(rest.acquire(timeout=10) for _ in range(7))
        else:
            rest.release()
        return False

    site.faults["/a.bin"] = lag
    limits = replace(QUICK, chunk_bytes=SIZE, read_timeout=20, stall_seconds=20)
    remote = remote_file(f"{url}/a.bin", sha256=sha256(data))
    got = fetch(HttpsSource(), remote, tmp_path / "a", limits=limits)
    assert got.path.read_bytes() == data


def test_starts_again_when_the_object_changed(
    site: Site, url: str, tmp_path: Path
) -> None:
    old, new = noise(2_000_000, 1), noise(2_000_000, 2)
    site.files["/a.bin"] = old
    calls = 0

    def change(_handler: Handler, _body: bytes) -> bool:
        nonlocal calls
        calls += 1
        if calls == 5:
            site.files["/a.bin"] = new
        return False

    site.faults["/a.bin"] = change
    got = fetch(
        HttpsSource(), remote_file(f"{url}/a.bin"), tmp_path / "a", limits=QUICK
    )
    assert got.path.read_bytes() == new


def test_drops_the_part_of_another_object(site: Site, url: str, tmp_path: Path) -> None:
    old, new = noise(2_000_000, 1), noise(2_000_000, 2)
    site.files["/a.bin"] = old
    stop_at = 1_000_000
    done = 0

    def progress(count: int, _total: int | None, _rate: float) -> None:
        nonlocal done
        done = count

    def refuse_late(handler: Handler, _body: bytes) -> bool:
        wanted = handler.headers.get("Range", "bytes=0-")
        if int(wanted[6:].partition("-")[0]) >= stop_at:
            return handler.answer(403)
        return False

    site.faults["/a.bin"] = refuse_late
    with pytest.raises(TransferError, match="may not be read"):
        fetch(
            HttpsSource(),
            remote_file(f"{url}/a.bin"),
            tmp_path / "a",
            progress=progress,
            limits=QUICK,
        )
    assert left_over(tmp_path) == ["a.part", "a.part.journal"]
    site.faults.clear()
    site.files["/a.bin"] = new
    got = fetch(
        HttpsSource(), remote_file(f"{url}/a.bin"), tmp_path / "a", limits=QUICK
    )
    assert got.path.read_bytes() == new
    assert got.resumed_bytes == 0


@pytest.mark.parametrize("size", [0, 1, 700_000])
def test_servers_without_ranges(
    site: Site, url: str, tmp_path: Path, size: int
) -> None:
    data = site.files["/a.bin"] = noise(size)
    site.ranges = False
    got = fetch(
        HttpsSource(), remote_file(f"{url}/a.bin"), tmp_path / "a", limits=QUICK
    )
    assert got.path.read_bytes() == data


def test_comes_through_a_connection_that_is_cut_again_and_again(
    site: Site, url: str, tmp_path: Path
) -> None:
    data = site.files["/a.bin"] = noise(30_000_000)
    with cutting(url, 1_000_000) as (base, proxy):
        got = fetch(
            HttpsSource(),
            remote_file(f"{base}/a.bin", sha256=sha256(data)),
            tmp_path / "a",
            limits=replace(QUICK, chunk_bytes=16 << 20, backoff=0.001),
        )
    assert got.path.read_bytes() == data
    assert proxy.cuts >= 15
    assert got.downloaded_bytes <= 1.05 * len(data)


CHILD = """
import sys
from pathlib import Path
from runs.transfers.base import Limits
from runs.transfers.fetch import fetch
from runs.transfers.https import HttpsSource, remote_file
url, md5, target = sys.argv[1:4]
fetch(HttpsSource(), remote_file(url, md5=md5), Path(target),
      limits=Limits(backoff=0.01, reserve_bytes=0, connections=4),
      progress=lambda d, t, r: print(d, flush=True))
"""


@pytest.mark.services
def test_killed_ten_times_it_brings_hardly_a_byte_twice(
    site: Site, url: str, tmp_path: Path
) -> None:
    """Real processes, kill -9 at random moments, through a proxy that cuts at 5 MB."""
    data = site.files["/a.bin"] = noise(80_000_000)
    target = tmp_path / "a.bin"
    with cutting(url, 5_000_000, rate=3_000_000) as (base, proxy):
        command = [sys.executable, "-c", CHILD, f"{base}/a.bin", md5(data), str(target)]
        kills = 0
        while True:
            child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            assert child.stdout
            start, mark = proxy.passed, 1_000_000 + 1_000_000 * (kills % 7)
            while child.poll() is None and (kills >= 10 or proxy.passed < start + mark):
                time.sleep(0.005)
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
                kills += 1
            child.stdout.close()
            if child.wait() == 0:
                break
        passed = proxy.passed
    assert kills == 10
    assert target.read_bytes() == data
    assert left_over(tmp_path) == []
    assert passed <= 1.05 * len(data), f"{passed / len(data):.3f}"


def test_two_at_once_do_not_write_one_file(
    site: Site, url: str, tmp_path: Path
) -> None:
    from runs.transfers.part import Identity, PartFile

    site.files["/a.bin"] = noise(1000)
    remote = RemoteFile("a.bin", 1000, address=f"{url}/a.bin")
    part = PartFile(tmp_path / "a", Identity.of(remote))
    with pytest.raises(TransferError, match="Another process") as caught:
        fetch(HttpsSource(), remote, tmp_path / "a", limits=QUICK)
    assert caught.value.transient
    part.close()


def test_gzip_without_checksum_is_unpacked_to_the_end(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.files["/cut.vcf.gz"] = gz(100_000)[:-100]
    with pytest.raises(TransferError, match="cut off"):
        fetch(HttpsSource(), remote_file(f"{url}/cut.vcf.gz"), tmp_path / "cut.vcf.gz")
    assert list(tmp_path.iterdir()) == []
