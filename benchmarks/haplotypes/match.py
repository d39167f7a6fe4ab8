"""Verdicts of the clusters that have to be searched.

Compiled. A cluster is searched with both haplotypes first; what is left on both sides
is searched once more with ploidy squashed, for alleles that match.
"""

from __future__ import annotations

import numpy as np

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.normalise import AT
from benchmarks.haplotypes.paths import (
    ALLELE_END,
    ALLELE_START,
    END,
    EXCLUDED,
    ID,
    KEY,
    LENGTH,
    NULL,
    START,
    WHERE,
)
from benchmarks.haplotypes.records import Match
from benchmarks.haplotypes.search import NEED_ROOM, ROUGH, search

NONE, ALLELE, GENOTYPE = (
    Match.NONE.value,
    Match.ALLELE.value,
    Match.GENOTYPE.value,
)


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
def most_bases(t, order_t, q, order_q, clusters):  # type: ignore[no-untyped-def]
    """Bases of the alleles of the largest cluster."""
    most = 0
    for k in range(len(clusters)):
        first_t, end_t, first_q, end_q = clusters[k]
        total = _bases_of(t, order_t, first_t, end_t)
        most = max(most, total + _bases_of(q, order_q, first_q, end_q))
    return most


@njit(cache=True, nogil=True)
def _nearest_sync(syncs, count, start):  # type: ignore[no-untyped-def]
    """1-based name of the group that a variant at `start` belongs to."""
    place = syncs[0] if count else start - 1
    for k in range(count):
        if syncs[k] <= start - 1:
            place = syncs[k]
    return place + 2


@njit(cache=True, nogil=True)
def search_cluster(  # type: ignore[no-untyped-def]
    t, text_t, line_t, rows_t, q, text_q, line_q, rows_q, reference, length, squash,
    max_paths, last_room, v, bases, paths, heap, free, sync_place, sync_before, decided,
    syncs, rough, match_t, match_q, group_t, group_q,
):  # fmt: skip
    """Verdicts of one cluster; NEED_ROOM when the work arrays are too small."""
    used = _load_side(v, bases, 0, q, text_q, line_q, rows_q, squash, 0)
    _load_side(v, bases, 1, t, text_t, line_t, rows_t, squash, used)
    state, count = search(
        v, (len(rows_q), len(rows_t)), bases, paths, heap, free, sync_place,
        sync_before, squash, reference, length, max_paths, last_room, decided, syncs,
    )  # fmt: skip
    if state == NEED_ROOM:
        return state
    left_t = np.empty(len(rows_t), dtype=np.int32)
    left_q = np.empty(len(rows_q), dtype=np.int32)
    lacking_t = _apply(
        decided[1], rows_t, t, syncs, count, match_t, group_t, left_t, rough[0]
    )
    lacking_q = _apply(
        decided[0], rows_q, q, syncs, count, match_q, group_q, left_q, rough[1]
    )
    if squash or lacking_t == 0 or lacking_q == 0:
        return state
    rows_t, rows_q = left_t[:lacking_t], left_q[:lacking_q]
    used = _load_side(v, bases, 0, q, text_q, line_q, rows_q, True, 0)
    _load_side(v, bases, 1, t, text_t, line_t, rows_t, True, used)
    state, count = search(
        v, (lacking_q, lacking_t), bases, paths, heap, free, sync_place, sync_before,
        True, reference, length, max_paths, last_room, decided, syncs,
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
        match[row] = NONE if decisions[u] & ~ROUGH == EXCLUDED else ALLELE
        group[row] = _nearest_sync(syncs, count, side[row, START])


@njit(cache=True, nogil=True)
def _apply(  # type: ignore[no-untyped-def]
    decisions, rows, side, syncs, count, match, group, left, rough,
):  # fmt: skip
    """Write what the search decided; rows without a match go to `left`.

    rough: gets which of the rows were decided among promising paths only.
    """
    lacking = 0
    for u in range(len(rows)):
        row = rows[u]
        group[row] = _nearest_sync(syncs, count, side[row, START])
        rough[u] = decisions[u] & ROUGH
        if decisions[u] & ~ROUGH == EXCLUDED:
            match[row] = NONE
            left[lacking] = row
            lacking += 1
        else:
            match[row] = GENOTYPE
    return lacking


@njit(cache=True, nogil=True)
def search_all(  # type: ignore[no-untyped-def]
    t, text_t, line_t, order_t, q, text_q, line_q, order_q, reference, length, squash,
    max_paths, last_room, v, bases, paths, heap, free, sync_place, sync_before, decided,
    syncs, rough, match_t, match_q, group_t, group_q, clusters,
):  # fmt: skip
    """Search each cluster; returns the rows of those that need more room.

    rough: shape (2, widest cluster); says of the truth's and the query's rows of the
    cluster that was searched last whether they were decided among promising paths only.
    """
    left = 0
    for k in range(len(clusters)):
        first_t, end_t, first_q, end_q = clusters[k]
        state = search_cluster(
            t, text_t, line_t, order_t[first_t:end_t], q, text_q, line_q,
            order_q[first_q:end_q], reference, length, squash, max_paths, last_room, v,
            bases, paths, heap, free, sync_place, sync_before, decided, syncs, rough,
            match_t, match_q, group_t, group_q,
        )  # fmt: skip
        if state == NEED_ROOM:
            clusters[left] = clusters[k]
            left += 1
    return clusters[:left].copy()
