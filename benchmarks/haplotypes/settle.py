"""Clusters of one contig, and the verdicts of those that need no search.

Compiled. Records of both sides are gathered into clusters between which no path of the
haplotype search could stay out of step: behind every cluster the reference differs from
itself shifted by up to as many bases as the cluster could shift it. Clusters with equal
variants on both sides, or on one side only, or of a few records that all match, need no
search.
"""

# Plain loops are what the compiler turns into fast code.
# ruff: noqa: SIM102, SIM110

from __future__ import annotations

import numpy as np

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.normalise import AT
from benchmarks.haplotypes.paths import (
    ALLELE_END,
    ALLELE_START,
    END,
    ID,
    LENGTH,
    NULL,
    START,
)
from benchmarks.haplotypes.records import Match
from benchmarks.haplotypes.reference import base_at
from benchmarks.haplotypes.spell import MOST_BASES, all_match, name_groups

NONE, ALLELE, GENOTYPE = (
    Match.NONE.value,
    Match.ALLELE.value,
    Match.GENOTYPE.value,
)
MAX_SHIFT = 4096


@njit(cache=True, nogil=True)
def order_by_start(status, alleles, low, high):  # type: ignore[no-untyped-def]
    """Rows to compare of [low, high), by start, then end, then row."""
    rows = np.empty(high - low, dtype=np.int32)
    count = 0
    for row in range(low, high):
        if status[row] != 0:
            continue
        start, end, at = alleles[row, START], alleles[row, END], count
        while at > 0:
            before = rows[at - 1]
            if alleles[before, START] < start or (
                alleles[before, START] == start and alleles[before, END] <= end
            ):
                break
            rows[at] = before
            at -= 1
        rows[at] = row
        count += 1
    return rows[:count].copy()


@njit(cache=True, nogil=True)
def _shift_of(side, row):  # type: ignore[no-untyped-def]
    """How far the record can shift its haplotypes against the reference."""
    most = 0
    for slot in range(2):
        if side[row, LENGTH + slot] != NULL:
            span = side[row, ALLELE_END + slot] - side[row, ALLELE_START + slot]
            most = max(most, abs(side[row, LENGTH + slot] - span))
    return most


@njit(cache=True, nogil=True)
def _apart(end, shift, start, reference):  # type: ignore[no-untyped-def]
    """Whether no path can be out of step from a cluster's end to the next start."""
    if shift == 0:
        return start > end
    if start - 1 <= end + shift or shift > MAX_SHIFT:
        return False
    data, offset, width, stride = reference
    for d in range(1, shift + 1):
        alike = True
        for place in range(end + shift, start - 1):
            ours = base_at(data, offset, width, stride, place)
            if ours != base_at(data, offset, width, stride, place - d):
                alike = False
                break
        if alike:
            return False
    return True


@njit(cache=True, nogil=True)
def _same_allele(  # type: ignore[no-untyped-def]
    t, text_t, line_t, i, a, q, text_q, line_q, j, b,
):  # fmt: skip
    """Whether allele a of truth row i equals allele b of query row j, as trimmed."""
    size = t[i, LENGTH + a]
    if size != q[j, LENGTH + b]:
        return False
    if size == NULL:
        return True
    if (
        t[i, ALLELE_START + a] != q[j, ALLELE_START + b]
        or t[i, ALLELE_END + a] != q[j, ALLELE_END + b]
    ):
        return False
    x, y = line_t[i] + t[i, AT + a], line_q[j] + q[j, AT + b]
    for k in range(size):
        if (text_t[x + k] ^ text_q[y + k]) & 0xDF:
            return False
    return True


@njit(cache=True, nogil=True)
def _same_variant(  # type: ignore[no-untyped-def]
    t, text_t, line_t, i, q, text_q, line_q, j,
):  # fmt: skip
    if t[i, START] != q[j, START] or t[i, END] != q[j, END]:
        return False
    if (t[i, ID + 0] == t[i, ID + 1]) != (q[j, ID + 0] == q[j, ID + 1]):
        return False
    if _same_allele(t, text_t, line_t, i, 0, q, text_q, line_q, j, 0):
        return _same_allele(t, text_t, line_t, i, 1, q, text_q, line_q, j, 1)
    return _same_allele(
        t, text_t, line_t, i, 0, q, text_q, line_q, j, 1
    ) and _same_allele(t, text_t, line_t, i, 1, q, text_q, line_q, j, 0)


@njit(cache=True, nogil=True)
def _all_same(  # type: ignore[no-untyped-def]
    t, text_t, line_t, order_t, first_t, q, text_q, line_q, order_q, first_q, count
):
    """Whether both sides hold the same variants, none overlapping another."""
    reach = -1
    for k in range(count):
        i, j = order_t[first_t + k], order_q[first_q + k]
        if t[i, START] < reach:
            return False
        reach = t[i, END]
        if not _same_variant(t, text_t, line_t, i, q, text_q, line_q, j):
            return False
    return True


@njit(cache=True, nogil=True)
def _spelled(  # type: ignore[no-untyped-def]
    side, text, line, row, slot, place, reference,
):  # fmt: skip
    """Base number `place` - start of the haplotype that the allele makes."""
    data, offset, width, stride = reference
    begin = side[row, ALLELE_START + slot]
    size = side[row, LENGTH + slot]
    if place >= begin:
        if place < begin + size:
            return text[line[row] + side[row, AT + slot] + place - begin] & 0xDF
        place += side[row, ALLELE_END + slot] - begin - size
    return base_at(data, offset, width, stride, place)


@njit(cache=True, nogil=True)
def _same_haplotype(  # type: ignore[no-untyped-def]
    t, text_t, line_t, i, a, q, text_q, line_q, j, b, reference,
):  # fmt: skip
    """Whether the two alleles, each alone, make the same of the reference."""
    ours, theirs = t[i, LENGTH + a], q[j, LENGTH + b]
    if ours == NULL or theirs == NULL:
        return ours == theirs
    span = t[i, ALLELE_END + a] - t[i, ALLELE_START + a]
    other = q[j, ALLELE_END + b] - q[j, ALLELE_START + b]
    if ours - span != theirs - other:
        return False
    first = min(t[i, ALLELE_START + a], q[j, ALLELE_START + b])
    stop = max(
        t[i, ALLELE_START + a] + ours,
        q[j, ALLELE_START + b] + theirs,
    )
    for place in range(first, stop):
        if _spelled(t, text_t, line_t, i, a, place, reference) != _spelled(
            q, text_q, line_q, j, b, place, reference
        ):
            return False
    return True


@njit(cache=True, nogil=True)
def _pair_level(  # type: ignore[no-untyped-def]
    t, text_t, line_t, i, q, text_q, line_q, j, reference,
):  # fmt: skip
    """Match level of one truth and one query record that are alone together."""
    same = np.zeros((2, 2), dtype=np.bool_)
    for a in range(2):
        for b in range(2):
            same[a, b] = _same_haplotype(
                t, text_t, line_t, i, a, q, text_q, line_q, j, b, reference
            )
    if (same[0, 0] and same[1, 1]) or (same[0, 1] and same[1, 0]):
        return GENOTYPE
    for a in range(2):
        for b in range(2):
            if same[a, b] and t[i, LENGTH + a] != NULL and t[i, ID + a] > 0:
                if q[j, ID + b] > 0:
                    return ALLELE
    return NONE


@njit(cache=True, nogil=True)
def _leave(side, order, first, end, match, group):  # type: ignore[no-untyped-def]
    """Records that stand alone on their side: no match, grouped where they touch."""
    name, reach = 0, -1
    for k in range(first, end):
        row = order[k]
        start = side[row, START]
        if start > reach:
            name = start + 1
        reach = max(reach, side[row, END])
        match[row] = NONE
        group[row] = name


@njit(cache=True, nogil=True, inline="always")
def _gather(t, order_t, i, q, order_q, j, reference):  # type: ignore[no-untyped-def]
    """End of the cluster that begins at (i, j), as positions in both orders."""
    count_t, count_q = len(order_t), len(order_q)
    reach, shift = -1, 0
    while True:
        from_truth = j >= count_q or (
            i < count_t and t[order_t[i], START] <= q[order_q[j], START]
        )
        if from_truth and i >= count_t:
            return i, j
        row = order_t[i] if from_truth else order_q[j]
        start = t[row, START] if from_truth else q[row, START]
        if reach >= 0 and start > reach and _apart(reach, shift, start, reference):
            return i, j
        if from_truth:
            shift += _shift_of(t, row)
            reach = max(reach, t[row, END], start + 1)
            i += 1
        else:
            shift += _shift_of(q, row)
            reach = max(reach, q[row, END], start + 1)
            j += 1


@njit(cache=True, nogil=True, inline="always")
def _match_equal(  # type: ignore[no-untyped-def]
    t, order_t, first_t, order_q, first_q, count, match_t, match_q, group_t, group_q,
):  # fmt: skip
    """Records that are the same on both sides: matched, grouped where they touch."""
    name, reach = 0, -1
    for k in range(count):
        row, other = order_t[first_t + k], order_q[first_q + k]
        start = t[row, START]
        if start > reach:
            name = start + 1
        reach = max(reach, t[row, END], start + 1)
        match_t[row] = GENOTYPE
        match_q[other] = GENOTYPE
        group_t[row] = name
        group_q[other] = name


@njit(cache=True, nogil=True)
def _match_pair(  # type: ignore[no-untyped-def]
    t, text_t, line_t, row, q, text_q, line_q, other, reference, match_t, match_q,
    group_t, group_q,
):  # fmt: skip
    """One record of each side, alone together."""
    level = _pair_level(t, text_t, line_t, row, q, text_q, line_q, other, reference)
    match_t[row] = level
    match_q[other] = level
    name = min(t[row, START], q[other, START]) + 1
    group_t[row] = name
    group_q[other] = name


@njit(cache=True, nogil=True)
def _match_all(  # type: ignore[no-untyped-def]
    t, text_t, line_t, order_t, first_t, end_t, q, text_q, line_q, order_q, first_q,
    end_q, reference, room, match_t, match_q, group_t, group_q,
):  # fmt: skip
    """Whether everything matches; if so, write that it does."""
    found, swaps_t, swaps_q = all_match(
        t, text_t, line_t, order_t, first_t, end_t, q, text_q, line_q, order_q,
        first_q, end_q, reference, room,
    )  # fmt: skip
    if not found:
        return False
    for k in range(first_t, end_t):
        match_t[order_t[k]] = GENOTYPE
    for k in range(first_q, end_q):
        match_q[order_q[k]] = GENOTYPE
    name_groups(
        t, order_t, first_t, end_t, swaps_t, group_t, q, order_q, first_q, end_q,
        swaps_q, group_q,
    )  # fmt: skip
    return True


@njit(cache=True, nogil=True)
def settle(  # type: ignore[no-untyped-def]
    t, text_t, line_t, order_t, q, text_q, line_q, order_q, reference, length, squash,
    match_t, match_q, group_t, group_q, hard_clusters,
):  # fmt: skip
    """Verdicts of all clusters that need no search; returns how many are left.

    hard_clusters: rows (first truth, end truth, first query, end query), as positions
    in the orders, of the clusters that are left.
    """
    i, j, hard = 0, 0, 0
    room = np.empty((4, MOST_BASES), dtype=np.uint8)
    while i < len(order_t) or j < len(order_q):
        first_t, first_q = i, j
        i, j = _gather(t, order_t, i, q, order_q, j, reference)
        alone_t, alone_q = i - first_t, j - first_q
        if alone_t == 0 or alone_q == 0:
            _leave(t, order_t, first_t, i, match_t, group_t)
            _leave(q, order_q, first_q, j, match_q, group_q)
        elif alone_t == alone_q and _all_same(
            t, text_t, line_t, order_t, first_t, q, text_q, line_q, order_q, first_q,
            alone_t,
        ):  # fmt: skip
            _match_equal(
                t, order_t, first_t, order_q, first_q, alone_t, match_t, match_q,
                group_t, group_q,
            )  # fmt: skip
        elif alone_t == 1 and alone_q == 1 and not squash:
            _match_pair(
                t, text_t, line_t, order_t[first_t], q, text_q, line_q,
                order_q[first_q], reference, match_t, match_q, group_t, group_q,
            )  # fmt: skip
        elif squash or not _match_all(
            t, text_t, line_t, order_t, first_t, i, q, text_q, line_q, order_q,
            first_q, j, reference, room, match_t, match_q, group_t, group_q,
        ):  # fmt: skip
            hard_clusters[hard, 0], hard_clusters[hard, 1] = first_t, i
            hard_clusters[hard, 2], hard_clusters[hard, 3] = first_q, j
            hard += 1
    return hard
