"""Bases of a FASTA file, addressed where they lie in it: nothing is copied.

A plain FASTA is mapped; a compressed one is inflated contig by contig when asked for.
The index (`.fai`) is used where it stands beside the file, and made in memory
otherwise.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.inflate import (
    HEADER_SIZE,
    Bytes,
    block_table,
    inflate_blocks,
    is_bgzf,
    map_file,
    read_all,
)
from benchmarks.haplotypes.records import Contigs, HaplotypesError

GREATER, NEWLINE, RETURN = 62, 10, 13


@dataclass(frozen=True)
class Sequence:
    """One contig: base p is data[offset + p // width * stride + p % width]."""

    data: Bytes
    offset: int
    length: int
    width: int
    """Bases in a line."""
    stride: int
    """Bytes in a line, line end included."""

    def bases(self, start: int, end: int) -> str:
        """Upper-case bases of [start, end), cut to the contig: for messages, tests."""
        places = np.arange(max(start, 0), min(end, self.length))
        where = self.offset + places // self.width * self.stride + places % self.width
        return bytes(self.data[where]).decode("ascii", "replace").upper()


@dataclass
class Reference:
    """A FASTA file; `sequence(i)` gives contig i."""

    path: Path
    contigs: Contigs
    layout: NDArray[np.int64]
    """Shape (contigs, 3): offset in the text, bases a line, bytes a line."""
    _data: Bytes
    _blocks: NDArray[np.int64] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sequence(self, contig: int) -> Sequence:
        offset, width, stride = (int(value) for value in self.layout[contig])
        length = int(self.contigs.lengths[contig])
        if self._blocks is None:
            return Sequence(self._data, offset, length, width, stride)
        size = (length // width + 1) * stride
        ends = np.cumsum(self._blocks[:, 2])
        first = int(np.searchsorted(ends, offset, side="right"))
        last = int(np.searchsorted(ends, offset + size, side="left")) + 1
        text = inflate_blocks(self._data, self._blocks[first:last], self.path)
        before = int(ends[first - 1]) if first else 0
        return Sequence(text, offset - before, length, width, stride)


def open_reference(path: str | Path) -> Reference:
    """Raises HaplotypesError when the file is no FASTA or its lines are uneven."""
    path = Path(path)
    if not path.is_file():
        raise HaplotypesError(f"The reference {path} does not exist.")
    data = map_file(path)
    blocks: NDArray[np.int64] | None = None
    head = data[:HEADER_SIZE].tobytes()
    if is_bgzf(head):
        blocks = block_table(data, path)
    elif head[:2] == b"\x1f\x8b":
        data = read_all(path)
    rows = _read_index(path) or _make_index(path, data, blocks)
    names = tuple(row[0] for row in rows)
    numbers = np.array([row[1:] for row in rows], dtype=np.int64).reshape(-1, 4)
    contigs = Contigs(names, numbers[:, 0].copy())
    return Reference(path, contigs, numbers[:, 1:].copy(), data, blocks)


Row = tuple[str, int, int, int, int]


def _read_index(path: Path) -> list[Row]:
    """Rows (name, length, offset, width, stride) of the .fai; none without one."""
    index = path.with_name(path.name + ".fai")
    if not index.is_file() or index.stat().st_mtime < path.stat().st_mtime - 60:
        return []
    rows: list[Row] = []
    for line in index.read_text().splitlines():
        parts = line.split("\t")
        try:
            length, offset, width, stride = (int(part) for part in parts[1:5])
        except ValueError:
            return []
        rows.append((parts[0], length, offset, max(width, 1), max(stride, 1)))
    return rows


def _make_index(path: Path, data: Bytes, blocks: NDArray[np.int64] | None) -> list[Row]:
    text = data if blocks is None else inflate_blocks(data, blocks, path)
    if not len(text) or text[0] != GREATER:
        raise HaplotypesError(
            f"The reference {path} is no FASTA file: it does not begin with `>`."
        )
    starts = header_starts(text)
    rows, uneven = [], []
    for i, start in enumerate(starts):
        stop = int(starts[i + 1]) if i + 1 < len(starts) else len(text)
        line_end = start + int(np.argmax(text[start:stop] == NEWLINE))
        name = text[start + 1 : line_end].tobytes().split() or [b""]
        length, width, stride, even = measure(text, line_end + 1, stop)
        if not even:
            uneven.append(name[0].decode("utf-8", "replace"))
        rows.append(
            (name[0].decode("utf-8", "replace"), length, line_end + 1, width, stride)
        )
    if uneven:
        raise HaplotypesError(
            f"The reference {path} has lines of different lengths within "
            f"{', '.join(uneven[:5])}. Rewrite it with `samtools faidx` or seqkit."
        )
    return rows


@njit(cache=True, nogil=True)
def header_starts(text):  # type: ignore[no-untyped-def]
    """Offsets of the lines that begin with `>`.

    Within a sequence the eye jumps from line end to line end while the lines are as
    long as the one before.
    """
    found = [np.int64(0)]
    size, at, stride = len(text), 0, 0
    while at < size:
        if text[at] == GREATER:
            if at:
                found.append(np.int64(at))
            stride = 0
        if stride and at + stride <= size and text[at + stride - 1] == NEWLINE:
            at += stride
            continue
        begin = at
        while at < size and text[at] != NEWLINE:
            at += 1
        at += 1
        stride = 0 if text[begin] == GREATER else at - begin
    return np.array(found)


@njit(cache=True, nogil=True)
def measure(text, at, stop):  # type: ignore[no-untyped-def]
    """(length, width, stride, even) of the sequence lines in text[at:stop]."""
    length, width, stride, even, short = 0, 0, 0, True, False
    while at < stop:
        begin = at
        if width and at + stride <= stop and text[at + stride - 1] == NEWLINE:
            at += stride - 1
        while at < stop and text[at] != NEWLINE:
            at += 1
        bases = at - begin
        if bases and text[at - 1] == RETURN:
            bases -= 1
        at += 1
        if bases == 0:
            continue
        if width == 0:
            width, stride = bases, at - begin
        even = even and not short and bases <= width
        short = bases < width
        length += bases
    return length, max(width, 1), max(stride, 1), even


@njit(cache=True, nogil=True)
def base_at(data, offset, width, stride, place):  # type: ignore[no-untyped-def]
    """The upper-case base at `place`; the caller keeps it within the contig."""
    line = np.uint32(place) // np.uint32(width)
    return data[offset + np.int64(line) * (stride - width) + place] & 0xDF
