"""Whole gzip, however many members it has and however far it unpacks."""

from __future__ import annotations

import gzip
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from runs.transfers.base import TransferCancelled, TransferError
from runs.transfers.content import check_content, nothing, unpack_all

MIB = 1024 * 1024
LONG = gzip.compress(bytes(3 * MIB), mtime=0)
PATIENCE = 10


@pytest.fixture(autouse=True)
def endless_loops_fail() -> Iterator[None]:
    def fail(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"Not unpacked within {PATIENCE} seconds.")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "body",
    [LONG * 3, LONG + b"\0" * 512, LONG + gzip.compress(b"") + LONG + b"\0"],
    ids=["members", "padding", "an empty member and padding"],
)
def test_what_follows_a_long_member_is_read_once(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(body)
    unpack_all(path, path.name, nothing)


@pytest.mark.parametrize(
    ("more", "words"), [(LONG[:-5], "is cut off"), (b"rubbish", "is damaged")]
)
def test_a_fault_behind_a_long_member(tmp_path: Path, more: bytes, words: str) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(LONG + more)
    with pytest.raises(TransferError, match=f"a.gz {words}"):
        unpack_all(path, path.name, nothing)


@pytest.mark.parametrize("body", [gzip.compress(bytes(64 * MIB)), LONG * 20])
def test_long_unpacking_of_little_data_is_stopped(tmp_path: Path, body: bytes) -> None:
    assert len(body) < MIB  # read at once
    path = tmp_path / "a.gz"
    path.write_bytes(body)
    asked = iter([False] * 10)

    def check_stop() -> None:
        if next(asked, True):
            raise TransferCancelled

    with pytest.raises(TransferCancelled):
        check_content(path, path.name, "", thorough=True, check_stop=check_stop)
