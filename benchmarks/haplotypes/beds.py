"""BED files as fast as they are read, with the names in their fourth column."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.contigs import alternative
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.records import Contigs
from benchmarks.haplotypes.regions import Regions, from_intervals

DAMAGED: type[Exception] = isal_zlib.error  # type: ignore[assignment]
MOST_NOTED = 10_000
"""Runs of lines on other contigs of which a BED's name is noted."""
TAB, SPACE, NEWLINE, RETURN, HASH = 9, 32, 10, 13, 35
Parts = dict[str, Regions]
"""Regions by the name in the fourth column."""


def read_bed(path: str | Path, contigs: Contigs) -> Regions:
    """Merged regions of a BED file (plain, gzip or bgzip).

    Lines of other contigs are left out; their names stand in `Regions.ignored`. Raises
    BenchmarkError for a line that is no interval and for a damaged file.
    """
    return _read(Path(path), contigs)[0]


def read_either(path: str | Path, contigs: Contigs) -> Regions:
    """As `read_bed`; names in the other style (`chr1`, `1`) when the BED has those."""
    return read_parts(path, contigs)[0]


def read_parts(path: str | Path, contigs: Contigs) -> tuple[Regions, Parts]:
    """As `read_either`, and the regions by the name in the fourth column."""
    regions, parts = _read(Path(path), contigs)
    if len(regions) or not regions.ignored:
        return regions, parts
    other, others = _read(Path(path), alternative(contigs))
    if not len(other):
        return regions, parts
    named = {name: _renamed(part, contigs) for name, part in others.items()}
    return _renamed(other, contigs), named


def _renamed(regions: Regions, contigs: Contigs) -> Regions:
    return Regions(contigs, regions.offsets, regions.starts, regions.ends)


def _read(path: Path, contigs: Contigs) -> tuple[Regions, Parts]:
    data = _text(path)
    starts, lengths, names = _packed(contigs)
    rows, fault, other = _parse(data, starts, lengths, names)
    if fault >= 0:
        line = bytes(data[fault : fault + 80]).split(b"\n")[0]
        number = int(np.count_nonzero(data[:fault] == NEWLINE)) + 1
        raise BenchmarkError(
            [
                f"{path}, line {number}: not a BED interval (contig, start, end): "
                f"{line.decode('utf-8', 'replace')!r}."
            ]
        )
    ignored = dict.fromkeys(
        bytes(data[at : at + 200]).split(None, 1)[0].decode("utf-8", "replace")
        for at in other
    )
    regions = from_intervals(contigs, rows[:, :3], tuple(ignored))
    return regions, _parts(data, rows, contigs)


def _parts(data: NDArray[np.uint8], rows: NDArray[np.int64], contigs: Contigs) -> Parts:
    named = rows[rows[:, 4] > 0]
    if not len(named):
        return {}
    keys = _keys(data, named)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(which, kind="stable")
    edges = np.searchsorted(which[order], np.arange(len(first) + 1))
    parts = {}
    for k, (at, size) in enumerate(named[first, 3:].tolist()):
        name = bytes(data[at : at + size]).decode("utf-8", "replace")
        held = named[order[edges[k] : edges[k + 1]], :3]
        parts[name] = from_intervals(contigs, held)
    return parts


@njit(cache=True, nogil=True)
def _keys(data: NDArray[np.uint8], named: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number for the name of each row, the same for the same name (FNV-1a)."""
    keys = np.empty(len(named), dtype=np.uint64)
    for i in range(len(named)):
        key = np.uint64(14695981039346656037)
        for at in range(named[i, 3], named[i, 3] + named[i, 4]):
            key = (key ^ np.uint64(data[at])) * np.uint64(1099511628211)
        keys[i] = key
    return keys


def _text(path: Path) -> NDArray[np.uint8]:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = _inflate(data)
    except OSError as error:
        raise BenchmarkError([f"{path} cannot be read: {error.strerror}."]) from error
    except (EOFError, zlib.error, DAMAGED) as error:
        raise BenchmarkError(
            [f"{path} is damaged or cut off: it cannot be decompressed."]
        ) from error
    return np.frombuffer(data, dtype=np.uint8)


def _inflate(data: bytes) -> bytes:
    """All members of a gzip file."""
    parts = []
    while data[:2] == b"\x1f\x8b":
        member = isal_zlib.decompressobj(31)
        parts.append(member.decompress(data))
        if not member.eof:
            raise EOFError
        data = member.unused_data
    return b"".join(parts)


def _packed(
    contigs: Contigs,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    encoded = [name.encode() for name in contigs.names]
    lengths = np.array([len(name) for name in encoded], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)
    return starts, lengths, np.frombuffer(b"".join(encoded) or b" ", dtype=np.uint8)


@njit(cache=True, nogil=True)
def _same(
    a: NDArray[np.uint8], at: int, size: int, b: NDArray[np.uint8], other: int
) -> bool:
    for k in range(size):  # noqa: SIM110 (a loop is what compiles to fast code)
        if a[at + k] != b[other + k]:
            return False
    return True


@njit(cache=True, nogil=True)
def _number(data: NDArray[np.uint8], at: int, stop: int) -> tuple[int, int]:
    """(value or -1, offset after it)."""
    value, begin = 0, at
    while at < stop and 48 <= data[at] <= 57:
        value = value * 10 + data[at] - 48
        at += 1
        if at - begin > 18:
            return -1, at
    return (value if at > begin else -1), at


@njit(cache=True, nogil=True)
def _parse(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    names: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], int, NDArray[np.int64]]:
    """(rows; offset of the first bad line or -1; offsets of other contigs' names).

    Rows hold contig, start, end, and where the fourth column lies and its size. A name
    that is no contig is noted once for each run of lines that carry it.
    """
    lines = 1
    for byte in data:
        lines += byte == NEWLINE
    rows = np.empty((lines, 5), dtype=np.int64)
    count, at, size = 0, 0, len(data)
    name_at, name_size, contig = 0, -1, -1
    other, others = np.empty(MOST_NOTED, dtype=np.int64), 0
    while at < size:
        begin, stop = at, at
        while stop < size and data[stop] != NEWLINE:
            stop += 1
        at = stop + 1
        if stop > begin and data[stop - 1] == RETURN:
            stop -= 1
        cut = begin
        while cut < stop and data[cut] != TAB and data[cut] != SPACE:
            cut += 1
        width = cut - begin
        blank = width == 0 and cut == stop
        if blank or data[begin] == HASH or _is_directive(data, begin, width):
            continue
        if width != name_size or not _same(data, begin, width, data, name_at):
            name_at, name_size = begin, width
            contig = _contig(data, begin, width, starts, lengths, names)
            if contig < 0 and others < MOST_NOTED:
                other[others] = begin
                others += 1
        first, mid = _number(data, _skip(data, cut, stop), stop)
        last, tail = _number(data, _skip(data, mid, stop), stop)
        ended = tail == stop or data[tail] == TAB or data[tail] == SPACE
        if width == 0 or first < 0 or last < first or not ended:
            return rows[:count], begin, other[:others]
        if contig >= 0:
            rows[count, 0], rows[count, 1], rows[count, 2] = contig, first, last
            rows[count, 3], rows[count, 4] = _fourth(data, tail, stop)
            count += 1
    return rows[:count], -1, other[:others]


@njit(cache=True, nogil=True)
def _contig(
    data: NDArray[np.uint8],
    at: int,
    width: int,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    names: NDArray[np.uint8],
) -> int:
    """Number of the contig of this name, -1 without one."""
    for c in range(len(starts)):
        if lengths[c] == width and _same(data, at, width, names, starts[c]):
            return c
    return -1


@njit(cache=True, nogil=True)
def _fourth(data: NDArray[np.uint8], at: int, stop: int) -> tuple[int, int]:
    """(offset, size) of the fourth column, which only a tab can begin."""
    if at == stop or data[at] != TAB:
        return at, 0
    begin = at + 1
    end = begin
    while end < stop and data[end] != TAB:
        end += 1
    return begin, end - begin


@njit(cache=True, nogil=True)
def _skip(data: NDArray[np.uint8], at: int, stop: int) -> int:
    while at < stop and (data[at] == TAB or data[at] == SPACE):
        at += 1
    return at


@njit(cache=True, nogil=True)
def _is_directive(data: NDArray[np.uint8], at: int, width: int) -> bool:
    """Whether the line is a `track` or `browser` line of the genome browser."""
    track = np.array([116, 114, 97, 99, 107], dtype=np.uint8)
    browser = np.array([98, 114, 111, 119, 115, 101, 114], dtype=np.uint8)
    if width == 5:
        return bool(_same(data, at, 5, track, 0))
    return width == 7 and bool(_same(data, at, 7, browser, 0))
