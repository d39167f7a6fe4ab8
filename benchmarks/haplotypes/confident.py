"""The confident regions as hap.py uses them: widened by the truth's own variants.

hap.py's --adjust-conf-regions (on by default): a truth variant that overlaps a region is
confident as a whole. It matters to insertions beside a border, which count as inside only
when both neighbouring bases are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import Classes
from benchmarks.haplotypes.records import Records, Status
from benchmarks.haplotypes.regions import Regions, from_intervals, overlaps


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
    inside = overlaps(bed, truth.contig, start, start + truth.ref_len)
    inside &= truth.status == Status.JUDGED
    rows = np.column_stack(
        (truth.contig[inside], classes.start[inside], classes.end[inside])
    ).astype(np.int64)
    count = _join(rows)
    rows = rows[:count]
    owner = np.repeat(np.arange(len(bed.contigs.names)), np.diff(bed.offsets))
    both = np.vstack((np.column_stack((owner, bed.starts, bed.ends)), rows))
    added = int((rows[:, 2] - rows[:, 1]).sum())
    return Confident(from_intervals(bed.contigs, both), bed.size() + added)


@numba.njit(cache=True, nogil=True)
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
