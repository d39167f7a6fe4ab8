"""Verdicts of one contig: clusters, the easy ones at once, the others by search.

Compiled. Records of both sides are gathered into clusters between which no path of the
haplotype search could stay out of step: behind every cluster the reference differs from
itself shifted by up to as many bases as the cluster could shift it. Clusters with equal
variants on both sides, or on one side only, or of SNVs alone, need no search.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.haplotypes.records import Match
from benchmarks.haplotypes.reference import base_at
from benchmarks.haplotypes.search import (
    EXCLUDED,
    NEED_ROOM,
    NULL,
    TOO_COMPLEX,
    search,
)

NONE, LOCAL = Match.NONE.value, Match.LOCAL.value
ALLELE, GENOTYPE = Match.ALLELE.value, Match.GENOTYPE.value
NOT_JUDGED = Match.NOT_JUDGED.value
MAX_SHIFT = 4096


@njit(cache=True, nogil=True)
def order_by_start(status, start, end, low, high):  # type: ignore[no-untyped-def]
    """Rows to compare of [low, high), by start, then end, then row."""
    rows = np.empty(high - low, dtype=np.int32)
    count = 0
    for row in range(low, high):
        if status[row] != 0:
            continue
        at = count
        while at > 0:
            before = rows[at - 1]
            if start[before] < start[row] or (
                start[before] == start[row] and end[before] <= end[row]
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
        if side.length[row, slot] != NULL:
            span = side.allele_end[row, slot] - side.allele_start[row, slot]
            most = max(most, abs(side.length[row, slot] - span))
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


@njit(cache=True, nogil=True, inline="always")
def _same_allele(t, text_t, i, a, q, text_q, j, b):  # type: ignore[no-untyped-def]
    """Whether allele a of truth row i equals allele b of query row j, as trimmed."""
    size = t.length[i, a]
    if size != q.length[j, b]:
        return False
    if size == NULL:
        return True
    if (
        t.allele_start[i, a] != q.allele_start[j, b]
        or t.allele_end[i, a] != q.allele_end[j, b]
    ):
        return False
    x, y = t.where[i, a], q.where[j, b]
    for k in range(size):
        if (text_t[x + k] ^ text_q[y + k]) & 0xDF:
            return False
    return True


@njit(cache=True, nogil=True)
def _same_variant(t, text_t, i, q, text_q, j):  # type: ignore[no-untyped-def]
    if t.start[i] != q.start[j] or t.end[i] != q.end[j]:
        return False
    if (t.ids[i, 0] == t.ids[i, 1]) != (q.ids[j, 0] == q.ids[j, 1]):
        return False
    if _same_allele(t, text_t, i, 0, q, text_q, j, 0):
        return _same_allele(t, text_t, i, 1, q, text_q, j, 1)
    return _same_allele(t, text_t, i, 0, q, text_q, j, 1) and _same_allele(
        t, text_t, i, 1, q, text_q, j, 0
    )


@njit(cache=True, nogil=True)
def _all_same(t, text_t, rows_t, q, text_q, rows_q):  # type: ignore[no-untyped-def]
    """Whether both sides hold the same variants, none overlapping another."""
    if len(rows_t) != len(rows_q):
        return False
    reach = -1
    for k in range(len(rows_t)):
        if t.start[rows_t[k]] < reach:
            return False
        reach = t.end[rows_t[k]]
        if not _same_variant(t, text_t, rows_t[k], q, text_q, rows_q[k]):
            return False
    return True


@njit(cache=True, nogil=True)
def _spelled(side, text, row, slot, place, reference):  # type: ignore[no-untyped-def]
    """Base number `place` - start of the haplotype that the allele makes."""
    data, offset, width, stride = reference
    begin = side.allele_start[row, slot]
    size = side.length[row, slot]
    if place >= begin:
        if place < begin + size:
            return text[side.where[row, slot] + place - begin] & 0xDF
        place += side.allele_end[row, slot] - begin - size
    return base_at(data, offset, width, stride, place)


@njit(cache=True, nogil=True)
def _same_haplotype(t, text_t, i, a, q, text_q, j, b, reference):  # type: ignore[no-untyped-def]
    """Whether the two alleles, each alone, turn the reference into the same sequence."""
    ours, theirs = t.length[i, a], q.length[j, b]
    if ours == NULL or theirs == NULL:
        return ours == theirs
    span = t.allele_end[i, a] - t.allele_start[i, a]
    other = q.allele_end[j, b] - q.allele_start[j, b]
    if ours - span != theirs - other:
        return False
    first = min(t.allele_start[i, a], q.allele_start[j, b])
    stop = max(
        t.allele_start[i, a] + ours,
        q.allele_start[j, b] + theirs,
    )
    for place in range(first, stop):
        if _spelled(t, text_t, i, a, place, reference) != _spelled(
            q, text_q, j, b, place, reference
        ):
            return False
    return True


@njit(cache=True, nogil=True)
def _pair_level(t, text_t, i, q, text_q, j, reference):  # type: ignore[no-untyped-def]
    """Match level of one truth and one query record that are alone together."""
    same = np.zeros((2, 2), dtype=np.bool_)
    for a in range(2):
        for b in range(2):
            same[a, b] = _same_haplotype(t, text_t, i, a, q, text_q, j, b, reference)
    if (same[0, 0] and same[1, 1]) or (same[0, 1] and same[1, 0]):
        return GENOTYPE
    for a in range(2):
        for b in range(2):
            if same[a, b] and t.length[i, a] != NULL and t.ids[i, a] > 0:
                if q.ids[j, b] > 0:
                    return ALLELE
    return NONE


@njit(cache=True, nogil=True)
def _load_side(v, number, side, text, rows, squash, used):  # type: ignore[no-untyped-def]
    """Copy the variants of one side into `v`; returns bases used."""
    v.total[number] = len(rows)
    for u in range(len(rows)):
        row = rows[u]
        v.start[number, u] = side.start[row]
        v.end[number, u] = side.end[row]
        for slot in range(2):
            source = slot
            if squash and (side.ids[row, slot] <= 0 or side.length[row, slot] == NULL):
                source = 1 - slot
            v.ids[number, u, slot] = side.ids[row, source]
            size = side.length[row, source]
            v.length[number, u, slot] = size
            v.allele_start[number, u, slot] = side.allele_start[row, source]
            v.allele_end[number, u, slot] = side.allele_end[row, source]
            v.where[number, u, slot] = used
            key = np.uint64(14695981039346656037)
            key = (key ^ np.uint64(side.allele_start[row, source])) * np.uint64(
                1099511628211
            )
            key = (key ^ np.uint64(side.allele_end[row, source])) * np.uint64(
                1099511628211
            )
            for k in range(size):
                base = text[side.where[row, source] + k] & 0xDF
                v.bases[used + k] = base
                key = (key ^ np.uint64(base)) * np.uint64(1099511628211)
            used += max(size, 0)
            v.key[number, u, slot] = key
            if v.allele_start[number, u, slot] == v.allele_end[number, u, slot] and (
                size == 0
            ):
                v.length[number, u, slot] = NULL
    return used


@njit(cache=True, nogil=True)
def bases_of(side, rows):  # type: ignore[no-untyped-def]
    total = 0
    for row in rows:
        for slot in range(2):
            total += max(side.length[row, slot], 0)
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
def _name_groups(t, rows_t, q, rows_q, group_t, group_q):  # type: ignore[no-untyped-def]
    """Superloci of a cluster whose variants are all the same on both sides."""
    name, reach = 0, -1
    for k in range(len(rows_t)):
        start = t.start[rows_t[k]]
        if start > reach:
            name = start + 1
        reach = max(reach, t.end[rows_t[k]], start + 1)
        group_t[rows_t[k]] = name
        group_q[rows_q[k]] = name


@njit(cache=True, nogil=True)
def settle(  # type: ignore[no-untyped-def]
    t, text_t, order_t, q, text_q, order_q, reference, length, squash,
    match_t, match_q, group_t, group_q, hard_clusters,
):  # fmt: skip
    """Verdicts of all clusters that need no search; returns how many are left.

    hard_clusters: rows (first truth, end truth, first query, end query), as positions
    in the orders, of the clusters that are left.
    """
    i, j, hard = 0, 0, 0
    while i < len(order_t) or j < len(order_q):
        first_t, first_q = i, j
        reach, shift = -1, 0
        while True:
            take = -1
            if i < len(order_t):
                take = 1
            if j < len(order_q) and (
                take < 0 or q.start[order_q[j]] < t.start[order_t[i]]
            ):
                take = 0
            if take < 0:
                break
            row = order_t[i] if take else order_q[j]
            side = t if take else q
            start = side.start[row]
            if reach >= 0 and start > reach and _apart(reach, shift, start, reference):
                break
            shift += _shift_of(side, row)
            reach = max(reach, side.end[row], start + 1)
            if take:
                i += 1
            else:
                j += 1
        rows_t, rows_q = order_t[first_t:i], order_q[first_q:j]
        if len(rows_t) == 0 or len(rows_q) == 0:
            for row in rows_t:
                match_t[row], group_t[row] = NONE, t.start[row] + 1
            for row in rows_q:
                match_q[row], group_q[row] = NONE, q.start[row] + 1
        elif _all_same(t, text_t, rows_t, q, text_q, rows_q):
            for k in range(len(rows_t)):
                match_t[rows_t[k]] = GENOTYPE
                match_q[rows_q[k]] = GENOTYPE
            _name_groups(t, rows_t, q, rows_q, group_t, group_q)
        elif len(rows_t) == 1 and len(rows_q) == 1 and not squash:
            level = _pair_level(t, text_t, rows_t[0], q, text_q, rows_q[0], reference)
            match_t[rows_t[0]] = level
            match_q[rows_q[0]] = level
            name = min(t.start[rows_t[0]], q.start[rows_q[0]]) + 1
            group_t[rows_t[0]] = name
            group_q[rows_q[0]] = name
        else:
            hard_clusters[hard, 0], hard_clusters[hard, 1] = first_t, i
            hard_clusters[hard, 2], hard_clusters[hard, 3] = first_q, j
            hard += 1
    return hard


@njit(cache=True, nogil=True)
def search_cluster(  # type: ignore[no-untyped-def]
    t, text_t, rows_t, q, text_q, rows_q, reference, length, squash, max_paths,
    v, w, decided, syncs, match_t, match_q, group_t, group_q,
):  # fmt: skip
    """Verdicts of one cluster; NEED_ROOM when the work arrays are too small."""
    used = _load_side(v, 0, q, text_q, rows_q, squash, 0)
    _load_side(v, 1, t, text_t, rows_t, squash, used)
    state, count = search(v, w, squash, reference, length, max_paths, decided, syncs)
    if state == NEED_ROOM:
        return state
    left_t = np.empty(len(rows_t), dtype=np.int32)
    left_q = np.empty(len(rows_q), dtype=np.int32)
    lacking_t = _apply(decided[1], rows_t, t, syncs, count, match_t, group_t, left_t)
    lacking_q = _apply(decided[0], rows_q, q, syncs, count, match_q, group_q, left_q)
    if squash or lacking_t == 0 or lacking_q == 0:
        return state
    rows_t, rows_q = left_t[:lacking_t], left_q[:lacking_q]
    used = _load_side(v, 0, q, text_q, rows_q, True, 0)
    _load_side(v, 1, t, text_t, rows_t, True, used)
    state, count = search(v, w, True, reference, length, max_paths, decided, syncs)
    if state == NEED_ROOM:
        return state
    for side in range(2):
        rows = rows_t if side else rows_q
        match = match_t if side else match_q
        group = group_t if side else group_q
        start = t.start if side else q.start
        for u in range(len(rows)):
            row = rows[u]
            if decided[side, u] == TOO_COMPLEX:
                continue
            match[row] = NONE if decided[side, u] == EXCLUDED else ALLELE
            group[row] = _nearest_sync(syncs, count, start[row])
    return state


@njit(cache=True, nogil=True)
def _apply(decisions, rows, side, syncs, count, match, group, left):  # type: ignore[no-untyped-def]
    """Write what the search decided; rows without a match go to `left`."""
    lacking = 0
    for u in range(len(rows)):
        row = rows[u]
        group[row] = _nearest_sync(syncs, count, side.start[row])
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
    t, text_t, order_t, q, text_q, order_q, reference, length, squash, max_paths,
    v, w, decided, syncs, match_t, match_q, group_t, group_q, clusters,
):  # fmt: skip
    """Search each cluster; returns the rows of those that need more room."""
    left = 0
    for k in range(len(clusters)):
        first_t, end_t, first_q, end_q = clusters[k]
        state = search_cluster(
            t, text_t, order_t[first_t:end_t], q, text_q, order_q[first_q:end_q],
            reference, length, squash, max_paths, v, w, decided, syncs,
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
        total = bases_of(t, order_t[first_t:end_t])
        most = max(most, total + bases_of(q, order_q[first_q:end_q]))
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
