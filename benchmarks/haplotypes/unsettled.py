"""Regions whose verdicts are not proven to be the best, for the reader of a result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.paths import END, START
from benchmarks.haplotypes.records import Match, Unsettled

Rough = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Truth and query rows of one cluster."""
Pair = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Alleles of the truth and of the query."""
Matches = tuple[NDArray[np.uint8], NDArray[np.uint8]]
NEAR = 1_000
"""Bases within which records that were left out are one region."""
IN_PART = "too many combinations to try all of them"
LEFT_OUT = "too many records that may depend on each other"


def sentence(region: Unsettled) -> str:
    """Where, how many records, and why, for a log; 1-based and closed."""
    told = (
        f"{region.contig}:{region.start + 1}-{region.end}: {region.truth_records} "
        f"truth and {region.query_records} query records are not judged ({region.why})"
    )
    if region.truth_matched or region.query_matched:
        told += (
            f"; {region.truth_matched} and {region.query_matched} more are proven to "
            "match"
        )
    return f"{told}."


def left_out(
    contig: str,
    alleles: Pair,
    matches: Matches,
    orders: Sequence[NDArray[np.int32]],
) -> list[Unsettled]:
    """Regions of the compared rows that got no verdict, joined when near."""
    spans: list[tuple[int, int, int]] = []
    for number in range(2):
        order = orders[number]
        rows = order[matches[number][order] == Match.NOT_JUDGED]
        held = alleles[number][rows][:, [START, END]].tolist()
        spans += [(start, end, number) for start, end in held]
    regions: list[Unsettled] = []
    for start, end, number in sorted(spans):
        first, of_truth, of_query = start, 1 - number, number
        if regions and start <= regions[-1].end + NEAR:
            last = regions.pop()
            first, end = last.start, max(last.end, end)
            of_truth += last.truth_records
            of_query += last.query_records
        regions.append(Unsettled(contig, first, end, of_truth, of_query, LEFT_OUT))
    return regions


def in_part(
    contig: str, alleles: Pair, matches: Matches, rough: Sequence[Rough]
) -> list[tuple[Unsettled, Rough]]:
    """Where the rows of a cluster were decided among few paths: the open ones.

    A match found so is proven; a row without one may have one after all.
    """
    found = []
    for rows in rough:
        held = tuple(matches[n][rows[n]] == Match.GENOTYPE for n in range(2))
        left = (rows[0][~held[0]], rows[1][~held[1]])
        if not len(left[0]) + len(left[1]):
            continue  # all included: nothing could include more
        spans = np.concatenate([alleles[n][left[n]][:, [START, END]] for n in range(2)])
        counts = (len(left[0]), len(left[1]))
        proven = (int(held[0].sum()), int(held[1].sum()))
        first, end = int(spans[:, 0].min()), int(spans[:, 1].max())
        region = Unsettled(contig, first, end, *counts, IN_PART, *proven)
        found.append((region, left))
    return found
