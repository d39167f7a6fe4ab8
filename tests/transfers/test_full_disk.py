"""A disk that fills up: said in words, and a retry after making room completes.

On a real tmpfs of a few megabytes, which takes root to mount.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from runs.transfers import part
from runs.transfers.archive import extract
from runs.transfers.archive_table import ArchiveLimits
from runs.transfers.base import SpaceError
from runs.transfers.chunks import UploadStore
from runs.transfers.fetch import fetch
from runs.transfers.https import HttpsSource, remote_file
from runs.transfers.paths import LocalFile, copy_local
from tests.disks import small_disk
from tests.transfers.conftest import QUICK, md5, noise
from tests.transfers.crafted import Entry, craft
from tests.transfers.servers import Site
from tests.transfers.test_faults import chunked

pytestmark = pytest.mark.services
DATA = noise(3_000_000)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """An 8 MB disk with a little over 2 MB free."""
    with small_disk(tmp_path / "small", "8m") as folder:
        (folder / "ballast").write_bytes(b"x" * 6 * 1024 * 1024)
        yield folder


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if another process had filled the disk after the check."""
    for module in ("part", "fetch", "archive", "paths", "chunks"):
        monkeypatch.setattr(f"runs.transfers.{module}.check_space", lambda *_args: None)


def test_too_little_is_said_before_the_first_byte(
    small: Path, site: Site, url: str
) -> None:
    site.files["/a.bin"] = DATA
    with pytest.raises(SpaceError) as caught:
        fetch(HttpsSource(), remote_file(f"{url}/a.bin"), small / "a", limits=QUICK)
    assert str(small) in caught.value.sentence
    assert "3.00 MB are needed" in caught.value.sentence
    assert " 2.0" in caught.value.sentence
    assert site.gets("/a.bin") == 0


def test_a_download_goes_on_after_room_is_made(
    small: Path, site: Site, url: str, unchecked: None
) -> None:
    site.files["/a.bin"] = DATA
    remote = remote_file(f"{url}/a.bin", md5=md5(DATA))
    with pytest.raises(SpaceError, match="The disk is full: a write to"):
        fetch(HttpsSource(), remote, small / "a.bin", limits=QUICK)
    assert not (small / "a.bin").exists()
    (small / "ballast").unlink()
    got = fetch(HttpsSource(), remote, small / "a.bin", limits=QUICK)
    assert got.resumed_bytes >= 500_000
    assert got.path.read_bytes() == DATA


@pytest.mark.parametrize("room", [-1, 0, 1_000_000])
def test_a_file_of_unknown_size_that_finds_no_room_leaves_nothing(
    site: Site, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    site.faults["/a.bin"] = lambda handler, _: chunked(handler, iter([DATA]), end=True)
    free = SimpleNamespace(free=QUICK.reserve_bytes + room)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: free)
    remote = remote_file(f"{url}/a.bin")
    with pytest.raises(SpaceError, match="does not say how long it is") as caught:
        fetch(HttpsSource(), remote, tmp_path / "a.bin", limits=QUICK)
    assert str(tmp_path) in caught.value.sentence
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_unknown_size_that_just_fits_is_whole(
    site: Site, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.faults["/a.bin"] = lambda handler, _: chunked(handler, iter([DATA]), end=True)
    free = SimpleNamespace(free=QUICK.reserve_bytes + len(DATA))
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: free)
    remote = remote_file(f"{url}/a.bin")
    got = fetch(HttpsSource(), remote, tmp_path / "a.bin", limits=QUICK)
    assert got.path.read_bytes() == DATA


def test_an_archive_leaves_nothing(
    small: Path, tmp_path: Path, unchecked: None
) -> None:
    (tmp_path / "a.zip").write_bytes(craft(Entry("a.bin", DATA)))
    limits = ArchiveLimits(reserve_bytes=0)
    with pytest.raises(SpaceError, match="The disk is full"):
        extract(tmp_path / "a.zip", small / "S1", limits=limits)
    assert [p.name for p in small.iterdir()] == ["ballast"]
    (small / "ballast").unlink()
    assert extract(tmp_path / "a.zip", small / "S1", limits=limits)[0].size == 3_000_000


def test_a_copy_leaves_nothing(small: Path, tmp_path: Path, unchecked: None) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    file = LocalFile("a.bin", tmp_path / "a.bin", len(DATA))
    with pytest.raises(SpaceError, match="The disk is full"):
        copy_local(file, small / "a.bin")
    assert [p.name for p in small.iterdir()] == ["ballast"]


def test_an_upload_keeps_what_came(small: Path, unchecked: None) -> None:
    store = UploadStore(small / "up", most_bytes=1 << 30, reserve_bytes=0)
    upload = store.create("a.zip", len(DATA), owner="7")
    pieces = [DATA[at : at + 100_000] for at in range(0, len(DATA), 100_000)]
    with pytest.raises(SpaceError, match="The disk is full"):
        store.append(upload.id, 0, pieces, owner="7")
    (small / "ballast").unlink()
    offset = store.get(upload.id, owner="7").offset
    assert offset >= 1_000_000
    store.append(upload.id, offset, [DATA[offset:]], owner="7")
    with store.taken(upload.id, small / "a.zip", owner="7") as path:
        assert path.read_bytes() == DATA


def test_other_faults_of_writing_are_no_full_disk(tmp_path: Path) -> None:
    fault = part.full_disk(tmp_path, OSError(5, "Input/output error"))
    assert not isinstance(fault, SpaceError)
    assert "Input/output error" in fault.sentence
