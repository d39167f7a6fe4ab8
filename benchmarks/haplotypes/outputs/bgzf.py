"""BGZF compression of text and the tabix index of it, made while writing.

Formats: SAM specification section 4.1 (BGZF), and the tabix specification (.tbi).
"""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

BLOCK = 65_280
"""Bytes of text in a block; with it a block's size always fits 16 bits."""
END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
TABIX_LIMIT = 1 << 29
"""A contig must be shorter than this to be indexed by .tbi."""
_HEAD = struct.Struct("<4BI2BH2B2H")
_TAIL = struct.Struct("<2I")


def compress_block(data: bytes | memoryview, level: int = 1) -> bytes:
    """One BGZF block of at most BLOCK bytes of text."""
    packed = isal_zlib.compress(data, level, -15)
    size = len(packed) + 25
    head = _HEAD.pack(31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, size)
    return head + packed + _TAIL.pack(isal_zlib.crc32(data), len(data))


def compress_text(data: bytes | NDArray[np.uint8]) -> tuple[bytes, NDArray[np.int64]]:
    """(the blocks, the size of each) of text that starts a block of its own."""
    view = memoryview(data if isinstance(data, bytes) else data.data).cast("B")
    blocks = [
        compress_block(view[at : at + BLOCK]) for at in range(0, len(view), BLOCK)
    ]
    return b"".join(blocks), np.array([len(b) for b in blocks], dtype=np.int64)


@dataclass
class IndexRows:
    """What the index has to know of the rows, in file order.

    `begin` and `end` are 0-based and half-open; `offset` has one virtual file offset
    more than there are rows (the end of the last row).
    """

    contig: NDArray[np.int32]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    offset: NDArray[np.uint64]


def virtual_offsets(
    offsets: NDArray[np.int64], sizes: NDArray[np.int64], file_start: int
) -> NDArray[np.uint64]:
    """Virtual offsets of text offsets in blocks that start at `file_start`."""
    block = offsets // BLOCK
    starts = file_start + np.concatenate(([0], np.cumsum(sizes)))
    return (starts[block].astype(np.uint64) << np.uint64(16)) | (
        offsets - block * BLOCK
    ).astype(np.uint64)


def bins(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """The smallest bin that holds [begin, end): 16 kb to 512 Mb, numbered as in BAM."""
    last = np.maximum(end, begin + 1) - 1
    result = np.zeros(len(begin), dtype=np.int64)
    for shift, first in ((26, 1), (23, 9), (20, 73), (17, 585), (14, 4681)):
        same = begin >> shift == last >> shift
        result[same] = first + (begin[same] >> shift)
    return result


def tabix(names: list[str], rows: IndexRows, pool: ThreadPoolExecutor) -> bytes:
    """The compressed .tbi of a VCF; `names` are the contigs that have rows, in order.

    `rows.contig` numbers into `names`; rows are in order of their begin.
    """
    listed = b"".join(name.encode() + b"\0" for name in names)
    head = struct.pack("<4s8i", b"TBI\1", len(names), 2, 1, 2, 0, 35, 0, len(listed))
    edges = np.searchsorted(rows.contig, np.arange(len(names) + 1))

    def one(contig: int) -> bytes:
        parts = _contig_index(rows, int(edges[contig]), int(edges[contig + 1]))
        return b"".join(parts)

    data = b"".join([head, listed, *pool.map(one, range(len(names)))])
    blocks, _ = compress_text(data)
    return blocks + END_OF_FILE


def _contig_index(rows: IndexRows, first: int, last: int) -> list[bytes]:
    begin, end = rows.begin[first:last], rows.end[first:last]
    start, stop = rows.offset[first:last], rows.offset[first + 1 : last + 1]
    number = bins(begin, end)
    new = np.concatenate(([True], number[1:] != number[:-1]))
    run = np.flatnonzero(new)
    run_last = np.concatenate((run[1:], [last - first])) - 1
    order = np.argsort(number[run], kind="stable")
    run, run_last = run[order], run_last[order]
    binned = _packed_bins(number[run], start[run], stop[run_last])
    return [*binned, _linear(begin, end, start)]


def _packed_bins(
    number: NDArray[np.int64], start: NDArray[np.uint64], stop: NDArray[np.uint64]
) -> list[bytes]:
    """n_bin, then each bin's number, n_chunk and chunks, as one run of 32-bit words."""
    first = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    sizes = np.diff(np.concatenate((first, [len(number)])))
    words = np.empty(2 * len(first) + 4 * len(number), dtype=np.uint32)
    head = 2 * np.arange(len(first)) + 4 * first
    words[head], words[head + 1] = number[first], sizes
    rank = np.repeat(np.arange(len(first)), sizes)
    at = 2 * (rank + 1) + 4 * np.arange(len(number))
    low = np.uint64(0xFFFFFFFF)
    for k, value in enumerate((start, stop)):
        words[at + 2 * k] = (value & low).astype(np.uint32)
        words[at + 2 * k + 1] = (value >> np.uint64(32)).astype(np.uint32)
    return [struct.pack("<i", len(first)), words.astype("<u4").tobytes()]


def _linear(
    begin: NDArray[np.int64], end: NDArray[np.int64], start: NDArray[np.uint64]
) -> bytes:
    """For each 16 kb window the offset of the first row that reaches into it."""
    windows = int((np.maximum(end, begin + 1).max() - 1) >> 14) + 1
    first = np.full(windows, np.iinfo(np.uint64).max, dtype=np.uint64)
    low, high = begin >> 14, (np.maximum(end, begin + 1) - 1) >> 14
    new = np.concatenate(([True], low[1:] != low[:-1]))
    first[low[new]] = start[new]
    for i in np.flatnonzero(high > low):
        span = slice(int(low[i]) + 1, int(high[i]) + 1)
        first[span] = np.minimum(first[span], start[i])
    empty = first == np.iinfo(np.uint64).max
    held = np.where(empty, 0, first)
    filled = np.maximum.accumulate(held)
    return struct.pack("<i", windows) + filled.astype("<u8").tobytes()


def gzip_text(data: bytes) -> bytes:
    """Plain gzip, for the tables."""
    return igzip.compress(data, 1)
