"""Writes to a part file: past the page cache where that can be, else through it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runs.transfers import part
from runs.transfers.base import RemoteFile, SpaceError, TransferError
from runs.transfers.blocks import PAGE, SIZE, Block
from runs.transfers.part import Identity, PartFile
from tests.transfers.conftest import fill, noise

DATA = noise(2 * SIZE)
ODD = [(0, SIZE), (PAGE, SIZE), (5, SIZE), (PAGE - 1, SIZE - 7), (123_456, 1_500_001)]


@contextmanager
def opened(folder: Path) -> Iterator[PartFile]:
    file = PartFile(folder / "a", Identity.of(RemoteFile("a", len(DATA))))
    yield file
    file.close()


def write(file: PartFile, start: int, size: int) -> bool:
    block = Block()
    block.begin(start)
    fill(block, DATA[start : start + size])
    return file.write(block.data, start)


def can_go_direct(folder: Path) -> bool:
    try:
        os.close(os.open(folder / "try", os.O_CREAT | os.O_WRONLY | os.O_DIRECT))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("start", "size"), ODD)
def test_large_writes_go_past_the_page_cache(
    tmp_path: Path, start: int, size: int
) -> None:
    with opened(tmp_path) as file:
        assert write(file, start, size) == can_go_direct(tmp_path)
        assert os.pread(file.fd, size, start) == DATA[start : start + size]


def test_small_writes_go_through_it(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        assert not write(file, 1, part.DIRECT_BYTES)
        assert os.pread(file.fd, part.DIRECT_BYTES, 1) == DATA[1:][: part.DIRECT_BYTES]


def test_pieces_that_share_pages_add_up(tmp_path: Path) -> None:
    at, sizes = 0, [1_500_001, 3, 2_000_000, PAGE, 1_234_567, 4_095]
    with opened(tmp_path) as file:
        for size in sizes:
            write(file, at, size)
            at += size
        assert os.pread(file.fd, at + 1, 0) == DATA[:at]


def test_a_disk_that_refuses_direct_writes_is_written_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite, asked = os.pwrite, 0
    with opened(tmp_path) as file:

        def refuse(fd: int, data: memoryview, offset: int) -> int:
            nonlocal asked
            if fd != file.fd:
                asked += 1
                raise OSError(errno.EINVAL, "Invalid argument")
            return pwrite(fd, data, offset)

        monkeypatch.setattr(os, "pwrite", refuse)
        assert not write(file, 5, SIZE)
        assert not write(file, 5, SIZE)
        assert os.pread(file.fd, SIZE, 5) == DATA[5 : SIZE + 5]
        assert asked <= 1  # not again for each piece


def test_a_file_system_without_direct_writes_is_written_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ = os.open

    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return open_(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    with opened(tmp_path) as file:
        assert not write(file, 0, SIZE)
        assert os.pread(file.fd, SIZE, 0) == DATA[:SIZE]


def test_another_fault_of_a_direct_write_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_fd: int, _data: memoryview, _offset: int) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pwrite", broken)
    with (
        opened(tmp_path) as file,
        pytest.raises(TransferError, match="failed: Input/output error"),
    ):
        write(file, 0, SIZE)


def held(folder: Path) -> list[Path]:
    """Files of a folder that this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.exists()]
    return [path for link in links if folder in (path := link.resolve()).parents]


def test_a_disk_that_fills_up_while_a_part_begins_anew_leaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(tmp_path) as file, monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(SpaceError, match="The disk is full"):
            file.reset()
        assert held(tmp_path)
    assert not held(tmp_path)
    with opened(tmp_path) as file:  # not locked any more
        file.reset()
    assert not held(tmp_path)
