"""Verdicts of one contig: clusters, the easy ones at once, the others by search.

Compiled. Records of both sides are gathered into clusters between which no path of the
haplotype search could stay out of step: behind every cluster the reference differs from
itself shifted by up to as many bases as the cluster could shift it. Clusters with equal
variants on both sides, or on one side only, or of SNVs alone, need no search.
"""

# Plain loops are what the compiler turns into fast code.
# ruff: noqa: SIM110, SIM102

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.haplotypes.normalise import AT
from benchmarks.haplotypes.records import Match
from benchmarks.haplotypes.reference import base_at
from benchmarks.haplotypes.search import (
    ALLELE_END,
    ALLELE_START,
    END,
    EXCLUDED,
    ID,
    KEY,
    LENGTH,
    NEED_ROOM,
    NULL,
    START,
    TOO_COMPLEX,
    WHERE,
    search,
)
from benchmarks.haplotypes.spell import MOST_BASES, all_match, name_groups

NONE, LOCAL = Match.NONE.value, Match.LOCAL.value
ALLELE, GENOTYPE = Match.ALLELE.value, Match.GENOTYPE.value
NOT_JUDGED = Match.NOT_JUDGED.value
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
def _load_side(  # type: ignore[no-untyped-def]
    v, bases, number, side, text, line, rows, squash, used,
):  # fmt: skip
    """Copy the variants of one side into `v` and `bases`; returns the bases used.

    Squashed, both alleles of a variant are ones that replay something.
    """
    prime = np.int64(1099511628211)
    for u in range(len(rows)):
        row = rows[u]
        v[number, u, START] = side[row, START]
        v[number, u, END] = side[row, END]
        for slot in range(2):
            source = slot
            if squash and (
                side[row, ID + slot] <= 0 or side[row, LENGTH + slot] == NULL
            ):
                source = 1 - slot
            size = side[row, LENGTH + source]
            start, end = (
                side[row, ALLELE_START + source],
                side[row, ALLELE_END + source],
            )
            v[number, u, ID + slot] = side[row, ID + source]
            v[number, u, ALLELE_START + slot] = start
            v[number, u, ALLELE_END + slot] = end
            v[number, u, LENGTH + slot] = NULL if size == 0 and start == end else size
            v[number, u, WHERE + slot] = used
            key = (np.int64(start) * prime ^ end) * prime
            at = line[row] + side[row, AT + source]
            for k in range(size):
                base = text[at + k] & 0xDF
                bases[used + k] = base
                key = (key ^ base) * prime
            used += max(size, 0)
            v[number, u, KEY + slot] = key
    return used


@njit(cache=True, nogil=True)
def _bases_of(side, order, first, end):  # type: ignore[no-untyped-def]
    total = 0
    for k in range(first, end):
        for slot in range(2):
            total += max(side[order[k], LENGTH + slot], 0)
    return total


@njit(cache=True, nogil=True)
def _nearest_sync(syncs, count, start):  # type: ignore[no-untyped-def]
    """1-based name of the group that a variant at `start` belongs to."""
    place = syncs[0] if count else start - 1
    for k in range(count):
        if syncs[k] <= start - 1:
            place = syncs[k]
    return place + 2


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
    count_t, count_q = len(order_t), len(order_q)
    while i < count_t or j < count_q:
        first_t, first_q = i, j
        reach, shift = -1, 0
        while True:
            from_truth = j >= count_q or (
                i < count_t and t[order_t[i], START] <= q[order_q[j], START]
            )
            if from_truth and i >= count_t:
                break
            row = order_t[i] if from_truth else order_q[j]
            start = t[row, START] if from_truth else q[row, START]
            if reach >= 0 and start > reach and _apart(reach, shift, start, reference):
                break
            if from_truth:
                shift += _shift_of(t, row)
                reach = max(reach, t[row, END], start + 1)
                i += 1
            else:
                shift += _shift_of(q, row)
                reach = max(reach, q[row, END], start + 1)
                j += 1
        alone_t, alone_q = i - first_t, j - first_q
        if alone_t == 0 or alone_q == 0:
            _leave(t, order_t, first_t, i, match_t, group_t)
            _leave(q, order_q, first_q, j, match_q, group_q)
        elif alone_t == alone_q and _all_same(
            t, text_t, line_t, order_t, first_t, q, text_q, line_q, order_q, first_q,
            alone_t,
        ):  # fmt: skip
            name, reach = 0, -1
            for k in range(alone_t):
                row, other = order_t[first_t + k], order_q[first_q + k]
                start = t[row, START]
                if start > reach:
                    name = start + 1
                reach = max(reach, t[row, END], start + 1)
                match_t[row] = GENOTYPE
                match_q[other] = GENOTYPE
                group_t[row] = name
                group_q[other] = name
        elif alone_t == 1 and alone_q == 1 and not squash:
            row, other = order_t[first_t], order_q[first_q]
            level = _pair_level(
                t, text_t, line_t, row, q, text_q, line_q, other, reference
            )
            match_t[row] = level
            match_q[other] = level
            name = min(t[row, START], q[other, START]) + 1
            group_t[row] = name
            group_q[other] = name
        else:
            found = False
            if not squash:
                found, swaps_t, swaps_q = all_match(
                    t, text_t, line_t, order_t, first_t, i, q, text_q, line_q, order_q,
                    first_q, j, reference, room,
                )  # fmt: skip
            if found:
                for k in range(first_t, i):
                    match_t[order_t[k]] = GENOTYPE
                for k in range(first_q, j):
                    match_q[order_q[k]] = GENOTYPE
                name_groups(
                    t, order_t, first_t, i, swaps_t, group_t, q, order_q, first_q, j,
                    swaps_q, group_q,
                )  # fmt: skip
                continue
            hard_clusters[hard, 0], hard_clusters[hard, 1] = first_t, i
            hard_clusters[hard, 2], hard_clusters[hard, 3] = first_q, j
            hard += 1
    return hard


@njit(cache=True, nogil=True)
def search_cluster(  # type: ignore[no-untyped-def]
    t, text_t, line_t, rows_t, q, text_q, line_q, rows_q, reference, length, squash,
    max_paths, v, bases, paths, heap, free, sync_place, sync_before, decided, syncs,
    match_t, match_q, group_t, group_q,
):  # fmt: skip
    """Verdicts of one cluster; NEED_ROOM when the work arrays are too small."""
    used = _load_side(v, bases, 0, q, text_q, line_q, rows_q, squash, 0)
    _load_side(v, bases, 1, t, text_t, line_t, rows_t, squash, used)
    state, count = search(
        v, (len(rows_q), len(rows_t)), bases, paths, heap, free, sync_place,
        sync_before, squash, reference, length, max_paths, decided, syncs,
    )  # fmt: skip
    if state == NEED_ROOM:
        return state
    left_t = np.empty(len(rows_t), dtype=np.int32)
    left_q = np.empty(len(rows_q), dtype=np.int32)
    lacking_t = _apply(decided[1], rows_t, t, syncs, count, match_t, group_t, left_t)
    lacking_q = _apply(decided[0], rows_q, q, syncs, count, match_q, group_q, left_q)
    if squash or lacking_t == 0 or lacking_q == 0:
        return state
    rows_t, rows_q = left_t[:lacking_t], left_q[:lacking_q]
    used = _load_side(v, bases, 0, q, text_q, line_q, rows_q, True, 0)
    _load_side(v, bases, 1, t, text_t, line_t, rows_t, True, used)
    state, count = search(
        v, (lacking_q, lacking_t), bases, paths, heap, free, sync_place, sync_before,
        True, reference, length, max_paths, decided, syncs,
    )  # fmt: skip
    if state == NEED_ROOM:
        return state
    _apply_alleles(decided[1], rows_t, t, syncs, count, match_t, group_t)
    _apply_alleles(decided[0], rows_q, q, syncs, count, match_q, group_q)
    return state


@njit(cache=True, nogil=True)
def _apply_alleles(  # type: ignore[no-untyped-def]
    decisions, rows, side, syncs, count, match, group,
):  # fmt: skip
    """Write what the squashed search decided."""
    for u in range(len(rows)):
        row = rows[u]
        if decisions[u] == TOO_COMPLEX:
            continue
        match[row] = NONE if decisions[u] == EXCLUDED else ALLELE
        group[row] = _nearest_sync(syncs, count, side[row, START])


@njit(cache=True, nogil=True)
def _apply(  # type: ignore[no-untyped-def]
    decisions, rows, side, syncs, count, match, group, left,
):  # fmt: skip
    """Write what the search decided; rows without a match go to `left`."""
    lacking = 0
    for u in range(len(rows)):
        row = rows[u]
        group[row] = _nearest_sync(syncs, count, side[row, START])
        if decisions[u] == TOO_COMPLEX:
            match[row] = NOT_JUDGED
            group[row] = 0
        elif decisions[u] == EXCLUDED:
            match[row] = NONE
            left[lacking] = row
            lacking += 1
        else:
            match[row] = GENOTYPE
    return lacking


@njit(cache=True, nogil=True)
def find_local(  # type: ignore[no-untyped-def]
    match, pos, ref_len, low, high, other, other_pos, other_len, other_low, other_high,
    distance,
):  # fmt: skip
    """Raise NONE to LOCAL where a judged record of the other side lies near.

    Distances are between the spans of REF as written; both sides are sorted.
    """
    behind, ahead, reach = other_low, other_low, -1
    last_end = -1
    for row in range(low, high):
        start, end = pos[row], pos[row] + ref_len[row]
        while behind < other_high and other_pos[behind] <= start:
            if other[behind] != NOT_JUDGED:
                last_end = other_pos[behind] + other_len[behind]
            behind += 1
        if match[row] != NONE:
            continue
        while ahead < other_high and (
            other[ahead] == NOT_JUDGED or other_pos[ahead] + other_len[ahead] <= start
        ):
            ahead += 1
        near = last_end >= 0 and start < last_end + distance
        near |= ahead < other_high and other_pos[ahead] - distance < end
        if near:
            match[row] = LOCAL
    return reach


@njit(cache=True, nogil=True)
def search_all(  # type: ignore[no-untyped-def]
    t, text_t, line_t, order_t, q, text_q, line_q, order_q, reference, length, squash,
    max_paths, v, bases, paths, heap, free, sync_place, sync_before, decided, syncs,
    match_t, match_q, group_t, group_q, clusters,
):  # fmt: skip
    """Search each cluster; returns the rows of those that need more room."""
    left = 0
    for k in range(len(clusters)):
        first_t, end_t, first_q, end_q = clusters[k]
        state = search_cluster(
            t, text_t, line_t, order_t[first_t:end_t], q, text_q, line_q,
            order_q[first_q:end_q], reference, length, squash, max_paths, v, bases,
            paths, heap, free, sync_place, sync_before, decided, syncs,
            match_t, match_q, group_t, group_q,
        )  # fmt: skip
        if state == NEED_ROOM:
            clusters[left] = clusters[k]
            left += 1
    return clusters[:left].copy()


@njit(cache=True, nogil=True)
def most_bases(t, order_t, q, order_q, clusters):  # type: ignore[no-untyped-def]
    """Bases of the alleles of the largest cluster."""
    most = 0
    for k in range(len(clusters)):
        first_t, end_t, first_q, end_q = clusters[k]
        total = _bases_of(t, order_t, first_t, end_t)
        most = max(most, total + _bases_of(q, order_q, first_q, end_q))
    return most


@njit(cache=True, nogil=True)
def pair_rows(  # type: ignore[no-untyped-def]
    text_t, line_t, fields_t, pos_t, len_t, low_t, high_t,
    text_q, line_q, fields_q, pos_q, len_q, low_q, high_q,
    partner_t, partner_q,
):  # fmt: skip
    """Partners: records of both sides with one position and REF, in file order."""
    j = low_q
    for i in range(low_t, high_t):
        while j < high_q and pos_q[j] < pos_t[i]:
            j += 1
        k = j
        while k < high_q and pos_q[k] == pos_t[i]:
            if partner_q[k] < 0 and len_q[k] == len_t[i]:
                ours = line_t[i] + fields_t[i, 2]
                theirs = line_q[k] + fields_q[k, 2]
                same = True
                for m in range(len_t[i]):
                    same &= text_t[ours + m] & 0xDF == text_q[theirs + m] & 0xDF
                if same:
                    partner_t[i], partner_q[k] = k, i
                    break
            k += 1
