"""Builders shared by the tests of transfers."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs.transfers import pull, slots
from runs.transfers.base import Limits
from runs.transfers.blocks import Block
from runs.transfers.crew import Gate
from tests.transfers.servers import Site, serving

QUICK = Limits(
    attempts=3,
    backoff=0.01,
    backoff_max=0.05,
    connect_timeout=2,
    read_timeout=1,
    stall_seconds=1,
    chunk_bytes=256 * 1024,
    reserve_bytes=0,
)


def noise(size: int, seed: int = 7) -> bytes:
    return random.Random(seed).randbytes(size)


def gz(size: int = 1000, seed: int = 7) -> bytes:
    return gzip.compress(noise(size, seed), mtime=0)


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fill(block: Block, data: bytes) -> Block:
    """As much of the data as there is room for."""
    space = block.space(len(data))
    space[:] = data[: len(space)]
    block.end += len(space)
    return block


@pytest.fixture(autouse=True)
def own_slots(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """All tests of this machine talk to one host; none may wait for another's
    connections, nor for those of a thread that an earlier test has left."""
    folder = tmp_path_factory.mktemp("slots")
    monkeypatch.setattr(slots, "slots_folder", lambda: folder)
    monkeypatch.setattr(pull, "GATE", Gate())
    return folder


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with serving(site) as base:
        yield base
