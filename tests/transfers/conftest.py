"""Builders shared by the tests of transfers."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator

import pytest

from runs.transfers.base import Limits
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


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with serving(site) as base:
        yield base
