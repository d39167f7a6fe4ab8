"""Uploads in parts: they go on after a cut, and never count before they are whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.transfers.base import SpaceError, TransferError
from runs.transfers.chunks import OffsetConflict, UploadStore, UploadUnknown
from tests.transfers.conftest import noise, sha256

DATA = noise(100_000)


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "up", most_bytes=1_000_000, reserve_bytes=0)


def test_parts_make_the_file(store: UploadStore, tmp_path: Path) -> None:
    upload = store.create("S1.zip", len(DATA), owner="7", sha256=sha256(DATA))
    assert store.append(upload.id, 0, [DATA[:10], DATA[10:40_000]], owner="7") == 40_000
    assert store.append(upload.id, 40_000, [DATA[40_000:]], owner="7") == len(DATA)
    with store.taken(upload.id, tmp_path / "in" / "S1.zip", owner="7") as path:
        assert path.read_bytes() == DATA
    assert path.read_bytes() == DATA
    assert list(store.folder.iterdir()) == []


def test_a_file_that_could_not_be_used_is_an_upload_again(
    store: UploadStore, tmp_path: Path
) -> None:
    upload = store.create("S1.zip", len(DATA), owner="7")
    store.append(upload.id, 0, [DATA], owner="7")
    with (
        pytest.raises(KeyError),
        store.taken(upload.id, tmp_path / "in" / "a.zip", owner="7"),
    ):
        raise KeyError
    assert not (tmp_path / "in" / "a.zip").exists()
    assert store.get(upload.id, owner="7").offset == len(DATA)
    with store.taken(upload.id, tmp_path / "in" / "b.zip", owner="7") as path:
        assert path.read_bytes() == DATA


def test_a_file_of_no_use_goes(store: UploadStore, tmp_path: Path) -> None:
    upload = store.create("S1.zip", 1, owner="7")
    store.append(upload.id, 0, [b"x"], owner="7")
    with (
        pytest.raises(TransferError, match="No archive"),
        store.taken(upload.id, tmp_path / "in" / "a.zip", owner="7"),
    ):
        raise TransferError("No archive.")
    assert list((tmp_path / "in").iterdir()) == list(store.folder.iterdir()) == []


def test_an_upload_that_is_cancelled_while_it_is_checked(
    store: UploadStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = store.create("S1.zip", 1, owner="7")
    store.append(upload.id, 0, [b"x"], owner="7")
    monkeypatch.setattr(
        store, "_check", lambda *_args: store.cancel(upload.id, owner="7")
    )
    with (
        pytest.raises(UploadUnknown),
        store.taken(upload.id, tmp_path / "in" / "a.zip", owner="7"),
    ):
        pytest.fail("taken all the same")


def test_what_came_before_a_cut_counts(store: UploadStore) -> None:
    def broken() -> Iterator[bytes]:
        yield DATA[:30_000]
        raise ConnectionResetError("browser closed")

    upload = store.create("S1.zip", len(DATA), owner="7")
    with pytest.raises(ConnectionResetError):
        store.append(upload.id, 0, broken(), owner="7")
    again = UploadStore(store.folder, most_bytes=1_000_000)  # after a restart
    assert again.get(upload.id, owner="7").offset == 30_000


def test_a_wrong_offset_names_the_right_one(store: UploadStore) -> None:
    upload = store.create("S1.zip", len(DATA), owner="7")
    store.append(upload.id, 0, [DATA[:50]], owner="7")
    for offset in (0, 49, 51):
        with pytest.raises(OffsetConflict, match=r"Go on from 50\.") as caught:
            store.append(upload.id, offset, [b"x"], owner="7")
        assert caught.value.offset == 50


def test_two_writers_at_once(store: UploadStore) -> None:
    upload = store.create("S1.zip", len(DATA), owner="7")
    fd = os.open(store.folder / f"{upload.id}.part", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with pytest.raises(OffsetConflict, match="Another request"):
        store.append(upload.id, 0, [b"x"], owner="7")
    os.close(fd)


def test_more_than_announced_is_refused(store: UploadStore) -> None:
    upload = store.create("S1.zip", 10, owner="7")
    with pytest.raises(TransferError, match="More came than the 10 bytes"):
        store.append(upload.id, 0, [b"x" * 11], owner="7")
    assert store.get(upload.id, owner="7").offset == 0


def test_incomplete_is_not_whole(store: UploadStore, tmp_path: Path) -> None:
    upload = store.create("S1.zip", 10, owner="7")
    store.append(upload.id, 0, [b"x" * 9], owner="7")
    with (
        pytest.raises(OffsetConflict, match="9 of 10 bytes"),
        store.taken(upload.id, tmp_path / "t", owner="7"),
    ):
        pytest.fail("taken all the same")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("early", [True, False])
def test_a_wrong_checksum_begins_again(
    store: UploadStore, tmp_path: Path, early: bool
) -> None:
    wrong = sha256(b"other")
    upload = store.create("S1.zip", 3, owner="7", sha256=wrong if early else None)
    store.append(upload.id, 0, [b"abc"], owner="7")
    late = None if early else wrong
    with (
        pytest.raises(TransferError, match="did not arrive as it was sent"),
        store.taken(upload.id, tmp_path / "t", owner="7", sha256=late),
    ):
        pytest.fail("taken all the same")
    with pytest.raises(UploadUnknown):
        store.get(upload.id, owner="7")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("name", ["", "nonsense", "../../etc/passwd", "0" * 32])
def test_unknown_uploads(store: UploadStore, name: str) -> None:
    with pytest.raises(UploadUnknown, match="no such upload"):
        store.get(name, owner="7")


def test_the_uploads_of_others_are_unknown(store: UploadStore) -> None:
    upload = store.create("S1.zip", 3, owner="7")
    with pytest.raises(UploadUnknown):
        store.append(upload.id, 0, [b"abc"], owner="8")
    with pytest.raises(UploadUnknown):
        store.cancel(upload.id, owner="8")


def test_all_faults_of_a_beginning_at_once(store: UploadStore) -> None:
    with pytest.raises(TransferError) as caught:
        store.create("a/b", 2_000_000, owner="7", sha256="x")
    for words in ("file name", "at most 1.00 MB", "SHA-256"):
        assert words in caught.value.sentence
    with pytest.raises(TransferError, match="the file is empty"):
        store.create("a", 0, owner="7")


def test_a_limit_for_each_user(store: UploadStore) -> None:
    for _ in range(5):
        store.create("S1.zip", 3, owner="7")
    with pytest.raises(TransferError, match="5 uploads of yours"):
        store.create("S1.zip", 3, owner="7")
    store.create("S1.zip", 3, owner="8")


def test_space_that_is_promised_is_not_promised_twice(tmp_path: Path) -> None:
    store = UploadStore(tmp_path / "up", most_bytes=1 << 60, reserve_bytes=0)
    free = store.free_bytes()
    store.create("a.zip", free * 2 // 3, owner="7")
    with pytest.raises(SpaceError, match="Not enough space"):
        store.create("b.zip", free * 2 // 3, owner="7")


def test_cancelled_and_forgotten_uploads_leave_nothing(store: UploadStore) -> None:
    upload = store.create("S1.zip", 3, owner="7")
    store.cancel(upload.id, owner="7")
    assert list(store.folder.iterdir()) == []
    old = store.create("S2.zip", 3, owner="7")
    store.create("S3.zip", 3, owner="7")
    os.utime(store.folder / f"{old.id}.part", (1, 1))
    assert store.expire(3600) == 1
    assert [upload.name for upload in store.all()] == ["S3.zip"]
