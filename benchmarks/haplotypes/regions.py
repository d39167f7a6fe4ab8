"""BED regions as sorted, merged interval arrays, and the tests hap.py makes on them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.records import Contigs, HaplotypesError

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Regions:
    """Intervals, 0-based and half-open, sorted and merged within each contig."""

    contigs: Contigs
    offsets: NDArray[np.int64]
    """Shape (contigs + 1,): intervals of contig c are [offsets[c], offsets[c + 1])."""
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    ignored: tuple[str, ...] = ()
    """Names in the BED that are no contig of the comparison."""

    def size(self) -> int:
        """Bases covered."""
        return int((self.ends - self.starts).sum())

    def __len__(self) -> int:
        return len(self.starts)

    def of(self, contig: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        span = slice(self.offsets[contig], self.offsets[contig + 1])
        return self.starts[span], self.ends[span]


def read_bed(path: str | Path, contigs: Contigs) -> Regions:
    """Regions of a BED file (plain, gzip or bgzip).

    Raises HaplotypesError when a line is not a BED interval, or when no line names a
    contig of the comparison.
    """
    data = Path(path).read_bytes()
    if data[:2] == GZIP_MAGIC:
        data = gzip.decompress(data)
    index = contigs.index()
    rows: list[tuple[int, int, int]] = []
    ignored: dict[str, int] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        name, start, end = _interval(path, number, line)
        if name in index:
            rows.append((index[name], start, end))
        else:
            ignored[name] = ignored.get(name, 0) + 1
    if not rows and ignored:
        raise HaplotypesError(
            f"{path} has no region on a contig of the comparison. It names "
            f"{_some(ignored)}; the comparison has {_some(contigs.names)}."
        )
    return from_intervals(contigs, np.array(rows, dtype=np.int64), tuple(ignored))


def _interval(path: str | Path, number: int, line: str) -> tuple[str, int, int]:
    parts = line.split("\t") if "\t" in line else line.split()
    try:
        name, start, end = parts[0], int(parts[1]), int(parts[2])
    except (IndexError, ValueError):
        start, end = 0, -1
        name = ""
    if not 0 <= start <= end:
        raise HaplotypesError(
            f"{path}, line {number}: not a BED interval (contig, start, end): "
            f"{line[:80]!r}."
        )
    return name, start, end


def _some(names: object, limit: int = 8) -> str:
    listed = [str(name) for name in names]  # type: ignore[attr-defined]
    tail = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + tail


def from_intervals(
    contigs: Contigs, rows: NDArray[np.int64], ignored: tuple[str, ...] = ()
) -> Regions:
    """Regions of rows (contig index, start, end) in any order; overlaps are merged."""
    rows = rows.reshape(-1, 3)
    rows = rows[rows[:, 2] > rows[:, 1]]
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    merged = _merge(rows)
    edges = np.searchsorted(merged[:, 0], np.arange(len(contigs.names) + 1))
    starts, ends = merged[:, 1].copy(), merged[:, 2].copy()
    return Regions(contigs, edges.astype(np.int64), starts, ends, ignored)


def _merge(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join intervals that overlap or touch; rows are sorted."""
    if not len(rows):
        return rows
    stride = np.int64(1) << 40
    start, end = rows[:, 1] + rows[:, 0] * stride, rows[:, 2] + rows[:, 0] * stride
    reach = np.maximum.accumulate(end)
    new = np.concatenate(([True], start[1:] > reach[:-1]))
    first = np.flatnonzero(new)
    last = np.concatenate((first[1:], [len(rows)])) - 1
    return np.column_stack((rows[first, 0], rows[first, 1], reach[last] % stride))


def overlaps(
    regions: Regions,
    contig: NDArray[np.int32],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether [start, end) shares a base with a region; start < end."""
    stride = np.int64(1) << 40
    owner = np.repeat(np.arange(len(regions.contigs.names)), np.diff(regions.offsets))
    region_start = regions.starts + owner * stride
    region_end = regions.ends + owner * stride
    offset = contig.astype(np.int64) * stride
    at = np.searchsorted(region_end, start + offset, side="right")
    found = at < len(region_start)
    result = np.zeros(len(contig), dtype=np.bool_)
    result[found] = region_start[at[found]] < (end + offset)[found]
    return result
