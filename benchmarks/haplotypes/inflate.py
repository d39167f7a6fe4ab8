"""Decompressed text of a file in large slabs: bgzip on all cores, gzip and plain too.

A bgzip file is a chain of independent blocks of at most 64 KiB, so slabs of blocks are
inflated at once by as many threads as there are cores (isal leaves the interpreter
lock while it works).
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from isal import igzip_lib, isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from benchmarks.haplotypes.records import HaplotypesError

Bytes = NDArray[np.uint8]
Slab = Callable[..., Bytes]
BGZF_HEADER = b"\x1f\x8b\x08\x04"
GZIP_HEADER = b"\x1f\x8b"
SLAB = 4 << 20
"""Decompressed bytes of a slab, about."""
HEADER_SIZE = 18
TRAILER_SIZE = 8


def is_bgzf(head: bytes) -> bool:
    return head[:4] == BGZF_HEADER and head[12:14] == b"BC"


def block_table(data: Bytes, path: str | Path) -> NDArray[np.int64]:
    """Rows (start, end, inflated size) of the blocks of a bgzip file; end exclusive."""
    rows: list[tuple[int, int, int]] = []
    view, at, size = data.data, 0, len(data)
    while at + HEADER_SIZE < size:
        end = at + int.from_bytes(view[at + 16 : at + 18], "little") + 1
        if end > size or bytes(view[at : at + 4]) != BGZF_HEADER:
            raise _broken(path, at)
        rows.append((at, end, int.from_bytes(view[end - 4 : end], "little")))
        at = end
    if at != size:
        raise _broken(path, at)
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _broken(path: str | Path, at: int) -> HaplotypesError:
    return HaplotypesError(
        f"{path} is damaged or cut off: its compressed data cannot be read at byte "
        f"{at}. Copy or compress the file again."
    )


def inflate_blocks(
    data: Bytes,
    blocks: NDArray[np.int64],
    path: str | Path,
    room: Bytes | None = None,
) -> Bytes:
    """The text of consecutive blocks, in `room` if it is given."""
    size = int(blocks[:, 2].sum())
    out = np.empty(size, dtype=np.uint8) if room is None else room[:size]
    source, target, at = data.data, out.data, 0
    for start, end, size in blocks.tolist():
        body = source[start + HEADER_SIZE : end - TRAILER_SIZE]
        try:
            piece = igzip_lib.decompress(body, igzip_lib.DECOMP_DEFLATE, 15, size or 1)
        except IsalError as error:  # type: ignore[misc] # its stub names no class
            raise _broken(path, start) from error
        if len(piece) != size:
            raise _broken(path, start)
        target[at : at + size] = piece
        at += size
    return out


def map_file(path: str | Path) -> Bytes:
    """The bytes of a file without reading them yet; empty for an empty file.

    The array can be written to, which leaves the file alone: compiled code would be
    compiled a second time for arrays that cannot.
    """
    with Path(path).open("rb") as handle:
        if not Path(path).stat().st_size:
            return np.empty(0, dtype=np.uint8)
        mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_COPY)
    return np.frombuffer(mapped, dtype=np.uint8)


def slabs(path: str | Path) -> Iterator[Slab]:
    """The text of a file as slabs in order, cut anywhere; each inflates when called.

    Called with an array, a slab of a bgzip file is inflated into it if it has the room.
    """
    data = map_file(path)
    head = data[:HEADER_SIZE].tobytes()
    if is_bgzf(head):
        blocks = block_table(data, path)
        group = np.cumsum(blocks[:, 2]) // SLAB
        for rows in np.split(blocks, np.flatnonzero(np.diff(group)) + 1):
            yield partial(_inflate_slab, data, rows, path)
    elif head[:2] == GZIP_HEADER:
        for piece in _gunzip(data, path):
            yield partial(_ready, piece)
    else:
        for start in range(0, len(data), SLAB):
            yield partial(_ready, data[start : start + SLAB])


def _inflate_slab(
    data: Bytes, rows: NDArray[np.int64], path: str | Path, room: Bytes | None = None
) -> Bytes:
    fits = room is not None and int(rows[:, 2].sum()) <= len(room)
    return inflate_blocks(data, rows, path, room if fits else None)


def _ready(piece: Bytes, room: Bytes | None = None) -> Bytes:
    return piece


def _gunzip(data: Bytes, path: str | Path) -> Iterator[Bytes]:
    """A plain gzip file, of one or many members, as slabs."""
    view, at = data.data, 0
    while at < len(view):
        member = isal_zlib.decompressobj(16 + zlib.MAX_WBITS)
        pending: memoryview | bytes = view[at:]
        while not member.eof:
            try:
                text = member.decompress(pending, SLAB)
            except IsalError as error:  # type: ignore[misc] # its stub names no class
                raise _broken(path, at) from error
            pending = member.unconsumed_tail
            if text:
                yield np.frombuffer(bytearray(text), dtype=np.uint8)
            elif not member.eof:
                raise _broken(path, len(view))
        at = len(view) - len(member.unused_data)
        if not any(view[at : at + 2]):
            return


def read_all(path: str | Path) -> Bytes:
    """The whole text of a file in one array."""
    pieces = [slab() for slab in slabs(path)]
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.uint8)
