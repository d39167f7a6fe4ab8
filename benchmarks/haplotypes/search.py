"""The haplotype search: which variants of two call sets spell the same sequences.

Paths (see `paths`) wait in a heap, the one that is furthest behind first. Of paths in
the same state only the better one goes on, so wherever both sides are back on the
reference at one position one path is left. The best path includes the most variants of
both sides. Its preferences, also among ties, are those of `rtg vcfeval` (Cleary et al.
2015, doi:10.1101/023754), so that its verdicts are.

Where paths become too many, the search goes on with the most promising of them. What
such a path includes on both sides still spells the same sequences, so its matches are
proven; that no other choice includes more is not. Decisions from there on are ROUGH.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.paths import (
    CURRENT,
    DECISIONS,
    EXCLUDED,
    ID,
    INCLUDED,
    KEY,
    LAST,
    LAST_ALLELE,
    LENGTH,
    NO_ALLELE,
    NULL,
    POSITION,
    SERIAL,
    SINCE_SYNC,
    START,
    SYNC,
    WITHIN,
    column_of,
    copy_path,
    decide,
    fits,
    in_sync,
    is_finished,
    next_allele,
    next_variant,
    run_path,
    slot_of,
    start_path,
)

ROUGH = 16
"""Flag of a decision that was made after promising paths were picked."""
DONE, NEED_ROOM = 0, 1
MAX_ITERATIONS = 1_000_000
"""Decisions since the last sync point before the promising paths are picked."""
PROMISING = 250
"""Paths to go on with where they were too many."""


class Work(NamedTuple):
    """Arrays that one search after the other uses."""

    paths: NDArray[np.int32]
    heap: NDArray[np.int32]
    free: NDArray[np.int32]
    sync_place: NDArray[np.int32]
    sync_before: NDArray[np.int32]


def make_work(paths: int, window: int) -> Work:
    """Room for so many paths, and undecided variants of a side."""
    return Work(
        np.zeros((paths, DECISIONS + 2 * window), np.int32),
        np.zeros(paths, np.int32),
        np.zeros(paths, np.int32),
        np.zeros(paths * 4, np.int32),
        np.zeros(paths * 4, np.int32),
    )


@njit(cache=True, nogil=True)
def _compare(v, w, p, q, off, squash):  # type: ignore[no-untyped-def]
    """Order of two states: below zero when p comes first, zero when they are equal."""
    for side in range(2):
        for haplotype in range(1 if squash else 2):
            h = side * 2 + haplotype
            difference = w[p, POSITION + h] - w[q, POSITION + h]
            if difference:
                return difference
            a, b = w[p, CURRENT + h], w[q, CURRENT + h]
            if a == NO_ALLELE or b == NO_ALLELE:
                if a != b:
                    return -1 if a == NO_ALLELE else 1
                continue
            if w[p, WITHIN + h] != w[q, WITHIN + h]:
                return w[p, WITHIN + h] - w[q, WITHIN + h]
            while a != NO_ALLELE and b != NO_ALLELE:
                x = slot_of(v, w, p, side, haplotype, a, off, squash)
                y = slot_of(v, w, q, side, haplotype, b, off, squash)
                if v[side, a, KEY + x] != v[side, b, KEY + y]:
                    if v[side, a, START] != v[side, b, START]:
                        return v[side, a, START] - v[side, b, START]
                    return -1 if v[side, a, KEY + x] < v[side, b, KEY + y] else 1
                a = next_allele(v, w, p, side, haplotype, a, off, squash)
                b = next_allele(v, w, q, side, haplotype, b, off, squash)
            if a != b:
                return -1 if a == NO_ALLELE else 1
    return 0


@njit(cache=True, nogil=True)
def _first_is_better(w, place_of, first, second):  # type: ignore[no-untyped-def]
    """Preference between equal states, `first` being the newer path."""
    if w[first, INCLUDED] != w[second, INCLUDED]:
        return w[first, INCLUDED] > w[second, INCLUDED]
    if w[first, LAST_ALLELE + 1] < 0 or w[second, LAST_ALLELE + 1] < 0:
        return False
    ours = abs(w[first, SINCE_SYNC + 1] - w[first, SINCE_SYNC + 0])
    theirs = abs(w[second, SINCE_SYNC + 1] - w[second, SINCE_SYNC + 0])
    if ours != theirs:
        return ours < theirs
    ours = place_of[w[first, SYNC]]
    theirs = place_of[w[second, SYNC]]
    if ours != theirs:
        return ours > theirs
    return w[first, LAST_ALLELE + 1] < w[second, LAST_ALLELE + 1]


@njit(cache=True, nogil=True)
def _before(v, w, p, q, off, squash):  # type: ignore[no-untyped-def]
    order = _compare(v, w, p, q, off, squash)
    return order < 0 or (order == 0 and w[p, SERIAL] < w[q, SERIAL])


@njit(cache=True, nogil=True)
def _push(v, w, heap, size, p, off, squash):  # type: ignore[no-untyped-def]
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if not _before(v, w, p, heap[above], off, squash):
            break
        heap[at] = heap[above]
        at = above
    heap[at] = p
    return size + 1


@njit(cache=True, nogil=True)
def _pop(v, w, heap, size, off, squash):  # type: ignore[no-untyped-def]
    """Take the first path off the heap; returns it and the new size."""
    top = heap[0]
    size -= 1
    moved, at = heap[size], 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _before(
            v, w, heap[child + 1], heap[child], off, squash
        ):
            child += 1
        if not _before(v, w, heap[child], moved, off, squash):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = moved
    return top, size


@njit(cache=True, nogil=True)
def _commit(  # type: ignore[no-untyped-def]
    w, p, off, squash, decided, rough, syncs, sync_count, place_of, before,
):  # fmt: skip
    """A lone path's past is final: move it out of the window; returns sync_count."""
    for side in range(2):
        keep = w[p, LAST + side] + 1
        for u in range(off[side], keep):
            kept = decided[side, u] & ROUGH
            decided[side, u] = w[p, column_of(side, u, off)] | kept | rough
        for haplotype in range(1 if squash else 2):
            u = w[p, CURRENT + side * 2 + haplotype]
            if u != NO_ALLELE:
                keep = min(keep, u)
        if keep > off[side]:
            base = DECISIONS + side * off[2]
            for u in range(keep, w[p, LAST + side] + 1):
                w[p, base + u - keep] = w[p, base + u - off[side]]
            off[side] = keep
    return _commit_syncs(w, p, syncs, sync_count, place_of, before)


@njit(cache=True, nogil=True)
def _commit_syncs(  # type: ignore[no-untyped-def]
    w, p, syncs, sync_count, place_of, before,
):  # fmt: skip
    """Write the path's sync points, oldest first, and forget all but the last."""
    fresh, at = 0, w[p, SYNC]
    while at > 0:
        fresh += 1
        at = before[at]
    at = w[p, SYNC]
    last = place_of[at]
    for k in range(fresh):
        syncs[sync_count + fresh - 1 - k] = place_of[at]
        at = before[at]
    place_of[0] = last
    w[p, SYNC] = 0
    return sync_count + fresh


@njit(cache=True, nogil=True)
def _take(  # type: ignore[no-untyped-def]
    v, w, heap, size, free, free_count, place_of, off, squash,
):  # fmt: skip
    """The path furthest behind, the better one where several are in its state."""
    p, size = _pop(v, w, heap, size, off, squash)
    while size and _compare(v, w, p, heap[0], off, squash) == 0:
        q, size = _pop(v, w, heap, size, off, squash)
        if _first_is_better(w, place_of, q, p):
            p, q = q, p
        free[free_count] = q
        free_count += 1
    return p, size, free_count


@njit(cache=True, nogil=True)
def _promise(w, p, squash):  # type: ignore[no-untyped-def]
    """The more a path includes, and the less it is out of step, the higher."""
    apart = abs(w[p, POSITION] - w[p, POSITION + 2])
    if not squash:
        apart += abs(w[p, POSITION + 1] - w[p, POSITION + 3])
    return 4 * w[p, INCLUDED] - apart


@njit(cache=True, nogil=True)
def _keep_promising(  # type: ignore[no-untyped-def]
    v, w, heap, size, free, free_count, most, off, squash,
):  # fmt: skip
    """Free all waiting paths but the most promising, and the best one in sync.

    A path in sync can always leave out what comes, so the search cannot die out.
    """
    score = np.empty(size, dtype=np.int64)
    safe = -1
    for k in range(size):
        score[k] = _promise(w, heap[k], squash)
        if in_sync(w, heap[k], squash) and (safe < 0 or score[k] > score[safe]):
            safe = k
    if safe >= 0:
        score[safe] = np.int64(1) << 40
    order = np.argsort(-score, kind="mergesort")
    waiting = heap[:size].copy()
    kept = 0
    for k in range(size):
        p = waiting[order[k]]
        if k < most:
            kept = _push(v, w, heap, kept, p, off, squash)
        else:
            free[free_count] = p
            free_count += 1
    return kept, free_count


@njit(cache=True, nogil=True)
def _note_sync(  # type: ignore[no-untyped-def]
    w, p, place_of, before, sync_used, squash,
):  # fmt: skip
    """Link a sync point to the path if it is in sync; returns sync_used."""
    if not in_sync(w, p, squash):
        return sync_used
    place = w[p, POSITION]
    if place_of[w[p, SYNC]] != place:
        place_of[sync_used] = place
        before[sync_used] = w[p, SYNC]
        w[p, SYNC] = sync_used
        sync_used += 1
    w[p, SINCE_SYNC] = 0
    w[p, SINCE_SYNC + 1] = 0
    return sync_used


@njit(cache=True, nogil=True)
def _branch(  # type: ignore[no-untyped-def]
    v, w, heap, size, free, free_count, p, side, u, serial, off, squash,
):  # fmt: skip
    """Push path p once for each decision on the variant that is possible."""
    used0, used1 = w[p, LAST] + 1 - off[0], w[p, LAST + 1] + 1 - off[1]
    choices = 1 if v[side, u, ID] == v[side, u, ID + 1] else 2
    for decision in range(choices, -1, -1):
        q = p
        if decision != EXCLUDED:
            if squash and v[side, u, LENGTH + decision - 1] == NULL:
                continue
            if not fits(v, w, p, side, u, decision, squash):
                continue
            free_count -= 1
            q = free[free_count]
            copy_path(w, p, q, used0, used1, off[2])
        decide(v, w, q, side, u, decision, off, squash)
        w[q, SERIAL] = serial + decision
        size = _push(v, w, heap, size, q, off, squash)
    return size, free_count


@njit(cache=True, nogil=True)
def _has_ended(w, p, off, squash):  # type: ignore[no-untyped-def]
    """Whether nothing is left to decide and both sides are back on the reference."""
    if w[p, LAST] + 1 < off[3] or w[p, LAST + 1] + 1 < off[4]:
        return is_finished(w, p, squash)
    return in_sync(w, p, squash) or is_finished(w, p, squash)


@njit(cache=True, nogil=True)
def _clear(decided, total, free, room):  # type: ignore[no-untyped-def]
    """Forget an earlier search; all paths but the first are free."""
    for side in range(2):
        decided[side, : total[side]] = EXCLUDED
    for p in range(1, room):
        free[p - 1] = room - p


@njit(cache=True, nogil=True)
def search(  # type: ignore[no-untyped-def]
    v, total, bases, w, heap, free, place_of, before, squash, reference, length,
    max_paths, last_room, decided, syncs,
):  # fmt: skip
    """Decide every variant; returns (DONE or NEED_ROOM, number of sync points).

    reference: (data, offset, width, stride) of the contig. last_room: there is no
    larger room, so too many paths become fewer. decided: shape (2, n), gets a decision
    for each variant, with ROUGH. syncs: gets the positions (0-based) where a lone path
    was in sync just before a variant, ascending; room for the variants of both sides.
    """
    window = (w.shape[1] - DECISIONS) // 2
    off = np.zeros(5, dtype=np.int64)
    off[2], off[3], off[4] = window, total[0], total[1]
    _clear(decided, total, free, len(heap))
    start_path(v, w, off, place_of, before)
    heap[0] = 0
    size, free_count, sync_used, sync_count = 1, len(heap) - 1, 1, 0
    best, serial, iterations, limit, rough = -1, 0, 0, max_paths, 0
    promising = max(min(PROMISING, max_paths // 4), 1)
    while size:
        iterations += 1
        p, size, free_count = _take(
            v, w, heap, size, free, free_count, place_of, off, squash
        )
        if size == 0 and best < 0:
            sync_count = _commit(
                w, p, off, squash, decided, rough, syncs, sync_count, place_of, before
            )
            sync_used, iterations, limit = 1, 0, max_paths
        elif size > limit or iterations > MAX_ITERATIONS or free_count < 4:
            if not last_room:
                return NEED_ROOM, sync_count
            size, free_count = _keep_promising(
                v, w, heap, size, free, free_count, promising, off, squash
            )
            iterations, limit, rough = 0, 4 * promising, ROUGH
        if _has_ended(w, p, off, squash):
            if best < 0 or _first_is_better(w, place_of, p, best):
                p, best = best, p
            if p >= 0:
                free[free_count] = p
                free_count += 1
            continue
        side, u = 0, next_variant(v, w, p, 0, off, squash)
        if u < 0:
            side, u = 1, next_variant(v, w, p, 1, off, squash)
        if u >= 0:
            if u - off[side] >= window or sync_used + 1 >= len(place_of):
                return NEED_ROOM, sync_count
            sync_used = _note_sync(w, p, place_of, before, sync_used, squash)
            size, free_count = _branch(
                v, w, heap, size, free, free_count, p, side, u, serial, off, squash
            )
            serial += 3
        elif run_path(v, bases, w, p, off, squash, reference, length):
            w[p, SERIAL] = serial
            serial += 1
            size = _push(v, w, heap, size, p, off, squash)
        else:
            free[free_count] = p
            free_count += 1
    if best >= 0:
        sync_count = _commit(
            w, best, off, squash, decided, rough, syncs, sync_count, place_of, before
        )
    return DONE, sync_count
