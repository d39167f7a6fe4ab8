"""The confident regions as hap.py uses them: widened by the truth's own variants.

hap.py's --adjust-conf-regions (on by default): a truth variant that overlaps a region
is confident as a whole. It matters to insertions beside a border, which count as inside
only when both neighbouring bases are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import Classes
from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import Records, Status
from benchmarks.haplotypes.regions import Regions
from benchmarks.haplotypes.strata import OUTSIDE, Extents, place_rows


@dataclass(frozen=True)
class Confident:
    """`size` counts the bases of the BED and those of the variants' intervals.

    As in hap.py's Subset.IS_CONF.Size, bases that are in both count twice.
    """

    regions: Regions
    size: int


def unchanged(bed: Regions) -> Confident:
    return Confident(bed, bed.size())


def widen(bed: Regions, truth: Records, classes: Classes) -> Confident:
    """The BED together with the truth's compared variants that overlap it."""
    start = truth.pos.astype(np.int64)
    whole = Extents(
        truth.contig_slices(),
        start,
        start + truth.ref_len,
        np.zeros(len(truth), dtype=np.bool_),
    )
    inside = place_rows(whole, bed) != OUTSIDE
    inside &= truth.status == Status.JUDGED
    rows = np.column_stack(
        (truth.contig[inside], classes.start[inside], classes.end[inside])
    ).astype(np.int64)
    count = _join(rows)
    rows = rows[:count]
    owner = np.repeat(np.arange(len(bed.contigs.names)), np.diff(bed.offsets))
    both = np.vstack((np.column_stack((owner, bed.starts, bed.ends)), rows))
    both = both[np.argsort(both[:, 0] << 40 | both[:, 1], kind="stable")]
    both = both[: _unite(both)]
    edges = np.searchsorted(both[:, 0], np.arange(len(bed.contigs.names) + 1))
    regions = Regions(
        bed.contigs, edges.astype(np.int64), both[:, 1].copy(), both[:, 2].copy()
    )
    return Confident(regions, bed.size() + int((rows[:, 2] - rows[:, 1]).sum()))


@njit(cache=True, nogil=True)
def _unite(rows: NDArray[np.int64]) -> int:
    """Joins sorted intervals that overlap or touch, in place; how many are left."""
    count = 0
    for i in range(len(rows)):
        last = count - 1
        if count and rows[last, 0] == rows[i, 0] and rows[i, 1] <= rows[last, 2]:
            rows[last, 2] = max(rows[last, 2], rows[i, 2])
        else:
            rows[count] = rows[i]
            count += 1
    return count


@njit(cache=True, nogil=True)
def _join(rows: NDArray[np.int64]) -> int:
    """Joins overlapping neighbours in place; returns how many intervals are left.

    hap.py's gvcf2bed lengthens an interval to the first base of the next variant only.
    """
    count = 0
    for i in range(len(rows)):
        if (
            count
            and rows[count - 1, 0] == rows[i, 0]
            and rows[i, 1] < rows[count - 1, 2]
            and rows[i, 2] > rows[count - 1, 1]
        ):
            rows[count - 1, 1] = min(rows[count - 1, 1], rows[i, 1])
            rows[count - 1, 2] = max(rows[count - 1, 2], rows[i, 1] + 1)
        else:
            rows[count] = rows[i]
            count += 1
    return count
