"""The haplotype search: which variants of two call sets spell the same sequences.

Both sides are replayed onto the reference, each as two haplotypes (one when ploidy is
squashed), one emitted base at a time. A path decides for each variant whether it is
left out or included, and in which orientation; it dies when the two sides emit
different bases. Of paths in the same state only the better one goes on, so wherever
both sides are back on the reference at one position ("in sync") one path is left. The
best path includes the most variants of both sides. Its preferences, also among ties,
are those of `rtg vcfeval` (Cleary et al. 2015, doi:10.1101/023754), so that its
verdicts are.

Compiled, on plain matrices, as tuples of arrays are slow to hand on. Sides: 0 is the
call, 1 the truth. Haplotypes are numbered side * 2 + haplotype. `v[side, u]` is variant
u of a side, `w[p]` is path p, and `off` holds the frame of the search: the first
variant of each side in the window of decisions, the window, how many variants each
side has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.haplotypes.reference import base_at

EXCLUDED, STRAIGHT, SWAPPED, TOO_COMPLEX = 0, 1, 2, 9
DONE, NEED_ROOM = 0, 1
MAX_ITERATIONS = 1_000_000
"""Decisions since the last sync point before a region is given up."""
UNKNOWN = 78
NOT_IN_ALLELE = -1
NO_ALLELE = -1
NULL = -1
"""Length of an allele that replays nothing: reference, missing, spanning deletion."""

# Columns of a variant; those of its two alleles follow each other.
START, END, ID, ALLELE_START, ALLELE_END, LENGTH, WHERE, KEY = 0, 1, 2, 4, 6, 8, 10, 12
VARIANT_COLUMNS = 14

# Columns of a path; the first five by haplotype, those up to LAST_ALLELE by side.
POSITION, WITHIN, CURRENT, ALLELE_REACH, FINISHED = 0, 4, 8, 12, 16
LAST, REACH, INCLUDED_REACH, SINCE_SYNC, LAST_ALLELE = 20, 22, 24, 26, 28
INCLUDED, SYNC, SERIAL, DECISIONS = 30, 31, 32, 34


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
def _place(side, u, off):  # type: ignore[no-untyped-def]
    """Column of the decision on variant u."""
    return DECISIONS + side * off[2] + u - off[side]


@njit(cache=True, nogil=True)
def _slot(decision, haplotype, squash):  # type: ignore[no-untyped-def]
    """Which allele of the genotype a haplotype replays under a decision."""
    if squash:
        return decision - 1
    return haplotype if decision == STRAIGHT else 1 - haplotype


@njit(cache=True, nogil=True)
def _next_allele(  # type: ignore[no-untyped-def]
    v, w, p, side, haplotype, after, off, squash,
):  # fmt: skip
    """The next variant after `after` that this haplotype has to replay, or -1."""
    for u in range(after + 1, w[p, LAST + side] + 1):
        decision = w[p, _place(side, u, off)]
        if decision != EXCLUDED:
            slot = _slot(decision, haplotype, squash)
            if v[side, u, LENGTH + slot] != NULL:
                return u
    return NO_ALLELE


@njit(cache=True, nogil=True)
def _slot_of(v, w, p, side, haplotype, u, off, squash):  # type: ignore[no-untyped-def]
    return _slot(w[p, _place(side, u, off)], haplotype, squash)


@njit(cache=True, nogil=True)
def _step(  # type: ignore[no-untyped-def]
    v, w, p, side, haplotype, off, squash, length,
):  # fmt: skip
    """Emit the next base of one haplotype; False when alleles are out of order."""
    h = side * 2 + haplotype
    if w[p, POSITION + h] >= length - 1:
        w[p, FINISHED + h] = True
        return True
    u = w[p, CURRENT + h]
    if w[p, WITHIN + h] == NOT_IN_ALLELE:
        w[p, POSITION + h] += 1
        if u == NO_ALLELE:
            return True
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        if v[side, u, ALLELE_START + slot] != w[p, POSITION + h]:
            return True
        w[p, WITHIN + h] = 0
    else:
        w[p, WITHIN + h] += 1
    while True:
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        if w[p, WITHIN + h] != v[side, u, LENGTH + slot]:
            return True
        w[p, POSITION + h] = v[side, u, ALLELE_END + slot]
        w[p, WITHIN + h] = NOT_IN_ALLELE
        u = _next_allele(v, w, p, side, haplotype, u, off, squash)
        w[p, CURRENT + h] = u
        if u == NO_ALLELE:
            return True
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        start = v[side, u, ALLELE_START + slot]
        if w[p, POSITION + h] < start:
            return True
        if w[p, POSITION + h] > start:
            return False
        w[p, WITHIN + h] = 0


@njit(cache=True, nogil=True)
def _emitted(  # type: ignore[no-untyped-def]
    v, bases, w, p, side, haplotype, off, squash, reference, length,
):  # fmt: skip
    h = side * 2 + haplotype
    if w[p, WITHIN + h] == NOT_IN_ALLELE:
        place = w[p, POSITION + h]
        if place < 0 or place >= length:
            return np.uint8(UNKNOWN)
        base = base_at(reference[0], reference[1], reference[2], reference[3], place)
        if base == 65 or base == 67 or base == 71 or base == 84:
            return np.uint8(base)
        return np.uint8(UNKNOWN)
    u = w[p, CURRENT + h]
    slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
    return bases[v[side, u, WHERE + slot] + w[p, WITHIN + h]]


@njit(cache=True, nogil=True)
def _matches(  # type: ignore[no-untyped-def]
    v, bases, w, p, off, squash, reference, length,
):  # fmt: skip
    for haplotype in range(1 if squash else 2):
        if w[p, FINISHED + haplotype] or w[p, FINISHED + 2 + haplotype]:
            continue
        ours = _emitted(v, bases, w, p, 0, haplotype, off, squash, reference, length)
        theirs = _emitted(v, bases, w, p, 1, haplotype, off, squash, reference, length)
        if ours != theirs:
            return False
    return True


@njit(cache=True, nogil=True)
def _lead(w, p, side, squash):  # type: ignore[no-untyped-def]
    """Position of the side's haplotype that is ahead."""
    if squash:
        return w[p, POSITION + side * 2]
    return max(w[p, POSITION + side * 2], w[p, POSITION + side * 2 + 1])


@njit(cache=True, nogil=True)
def _in_sync(w, p, squash):  # type: ignore[no-untyped-def]
    place = w[p, POSITION + 0]
    for side in range(2):
        if place < w[p, INCLUDED_REACH + side]:
            return False
        for haplotype in range(1 if squash else 2):
            h = side * 2 + haplotype
            if w[p, POSITION + h] != place or w[p, WITHIN + h] != NOT_IN_ALLELE:
                return False
    return True


@njit(cache=True, nogil=True)
def _is_finished(w, p, squash):  # type: ignore[no-untyped-def]
    for side in range(2):
        for haplotype in range(1 if squash else 2):
            if not w[p, FINISHED + side * 2 + haplotype]:
                return False
    return True


@njit(cache=True, nogil=True)
def _wants_more(v, w, p, side, off, squash):  # type: ignore[no-untyped-def]
    """Whether a haplotype of the side may need the next variant before it can step."""
    for haplotype in range(1 if squash else 2):
        h = side * 2 + haplotype
        u = w[p, CURRENT + h]
        if u == NO_ALLELE:
            return True
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        within = w[p, WITHIN + h]
        if within != NOT_IN_ALLELE and within < v[side, u, LENGTH + slot] - 1:
            continue
        pending = False
        while not pending:
            u = _next_allele(v, w, p, side, haplotype, u, off, squash)
            if u == NO_ALLELE:
                break
            slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
            pending = v[side, u, LENGTH + slot] > 0
        if not pending:
            return True
    return False


@njit(cache=True, nogil=True)
def _next_variant(v, w, p, side, off, squash):  # type: ignore[no-untyped-def]
    """The variant to decide now on this side, or -1."""
    u = w[p, LAST + side] + 1
    if u >= off[3 + side]:
        return -1
    start = v[side, u, START]
    if start <= _lead(w, p, side, squash) + 1:
        return u
    if start <= w[p, REACH + side] and _wants_more(v, w, p, side, off, squash):
        return u
    return -1


@njit(cache=True, nogil=True)
def _fits(v, w, p, side, u, decision, squash):  # type: ignore[no-untyped-def]
    """Whether including the variant overlaps nothing its haplotypes replay already."""
    if v[side, u, START] >= w[p, INCLUDED_REACH + side]:
        return True
    for haplotype in range(1 if squash else 2):
        slot = _slot(decision, haplotype, squash)
        if v[side, u, LENGTH + slot] == NULL:
            continue
        if v[side, u, ALLELE_START + slot] < w[p, ALLELE_REACH + side * 2 + haplotype]:
            return False
    return True


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
                x = _slot_of(v, w, p, side, haplotype, a, off, squash)
                y = _slot_of(v, w, q, side, haplotype, b, off, squash)
                if v[side, a, KEY + x] != v[side, b, KEY + y]:
                    if v[side, a, START] != v[side, b, START]:
                        return v[side, a, START] - v[side, b, START]
                    return -1 if v[side, a, KEY + x] < v[side, b, KEY + y] else 1
                a = _next_allele(v, w, p, side, haplotype, a, off, squash)
                b = _next_allele(v, w, q, side, haplotype, b, off, squash)
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
def _copy(w, p, q, used0, used1, window):  # type: ignore[no-untyped-def]
    """Make row q a copy of path p, with so many decisions of each side."""
    for k in range(DECISIONS):
        w[q, k] = w[p, k]
    for k in range(DECISIONS, DECISIONS + used0):
        w[q, k] = w[p, k]
    for k in range(DECISIONS + window, DECISIONS + window + used1):
        w[q, k] = w[p, k]


@njit(cache=True, nogil=True)
def _decide(v, w, p, side, u, decision, off, squash):  # type: ignore[no-untyped-def]
    """Extend path p by the decision on variant u."""
    w[p, LAST + side] = u
    w[p, _place(side, u, off)] = decision
    end = v[side, u, END]
    w[p, REACH + side] = max(w[p, REACH + side], end)
    if decision == EXCLUDED:
        return
    w[p, INCLUDED_REACH + side] = max(w[p, INCLUDED_REACH + side], end)
    w[p, SINCE_SYNC + side] += 1
    w[p, INCLUDED] += 1
    w[p, LAST_ALLELE + side] = max(v[side, u, ID + _slot(decision, 0, squash)], 0)
    for haplotype in range(1 if squash else 2):
        h = side * 2 + haplotype
        slot = _slot(decision, haplotype, squash)
        if v[side, u, LENGTH + slot] == NULL:
            continue
        w[p, ALLELE_REACH + h] = v[side, u, ALLELE_END + slot]
        if w[p, CURRENT + h] == NO_ALLELE:
            w[p, CURRENT + h] = u


@njit(cache=True, nogil=True)
def _commit(  # type: ignore[no-untyped-def]
    w, p, off, squash, decided, syncs, sync_count, place_of, before,
):  # fmt: skip
    """A lone path's past is final: move it out of the window; returns sync_count."""
    for side in range(2):
        keep = w[p, LAST + side] + 1
        for u in range(off[side], keep):
            decided[side, u] = w[p, _place(side, u, off)]
        for haplotype in range(1 if squash else 2):
            u = w[p, CURRENT + side * 2 + haplotype]
            if u != NO_ALLELE:
                keep = min(keep, u)
        if keep > off[side]:
            base = DECISIONS + side * off[2]
            for u in range(keep, w[p, LAST + side] + 1):
                w[p, base + u - keep] = w[p, base + u - off[side]]
            off[side] = keep
    fresh, at = 0, w[p, SYNC]
    while at > 0:
        fresh += 1
        at = before[at]
    at = w[p, SYNC]
    w_last = place_of[at]
    for k in range(fresh):
        syncs[sync_count + fresh - 1 - k] = place_of[at]
        at = before[at]
    place_of[0] = w_last
    w[p, SYNC] = 0
    return sync_count + fresh


@njit(cache=True, nogil=True)
def _give_up(v, w, p, off, furthest, length, decided):  # type: ignore[no-untyped-def]
    """Drop the variants that start before `furthest` + 1 and go on behind them."""
    for side in range(2):
        u = w[p, LAST + side] + 1
        while u < off[3 + side] and v[side, u, START] < furthest + 1:
            decided[side, u] = TOO_COMPLEX
            u += 1
        w[p, LAST + side] = u - 1
        off[side] = u
    place = min(furthest + 1, length - 1)
    for h in range(4):
        w[p, POSITION + h] = place
        w[p, WITHIN + h] = NOT_IN_ALLELE
        w[p, CURRENT + h] = NO_ALLELE


@njit(cache=True, nogil=True)
def _start(v, w, off, place_of, before):  # type: ignore[no-untyped-def]
    """Path 0: on the reference just before the first variant."""
    first = 2147483647
    for side in range(2):
        if off[3 + side]:
            first = min(first, v[side, 0, START])
    for h in range(4):
        w[0, POSITION + h] = first - 1
        w[0, WITHIN + h] = NOT_IN_ALLELE
        w[0, CURRENT + h] = NO_ALLELE
        w[0, ALLELE_REACH + h] = -1
        w[0, FINISHED + h] = False
    for side in range(2):
        w[0, LAST + side] = -1
        w[0, REACH + side] = 0
        w[0, INCLUDED_REACH + side] = 0
        w[0, SINCE_SYNC + side] = 0
        w[0, LAST_ALLELE + side] = -1
    w[0, INCLUDED] = 0
    w[0, SYNC] = 0
    w[0, SERIAL] = 0
    place_of[0] = -2
    before[0] = -1


@njit(cache=True, nogil=True)
def _run(  # type: ignore[no-untyped-def]
    v, bases, w, p, off, squash, reference, length,
):  # fmt: skip
    """Emit bases until a variant has to be decided, or the path is in sync or ends.

    False when the path is dead: the sides differ, or what it included since it was last
    in sync cancels itself out on one side.
    """
    while True:
        lagging = 0 if squash else w[p, POSITION] - w[p, POSITION + 1]
        for side in range(2):
            if lagging <= 0 and not _step(v, w, p, side, 0, off, squash, length):
                return False
            if (
                lagging >= 0
                and not squash
                and not _step(v, w, p, side, 1, off, squash, length)
            ):
                return False
        if _in_sync(w, p, squash):
            if (w[p, SINCE_SYNC] == 0) != (w[p, SINCE_SYNC + 1] == 0):
                return False
            _skip(v, w, p, off, length)
            return _matches(v, bases, w, p, off, squash, reference, length)
        if not _matches(v, bases, w, p, off, squash, reference, length):
            return False
        if (
            _next_variant(v, w, p, 0, off, squash) >= 0
            or _next_variant(v, w, p, 1, off, squash) >= 0
            or _is_finished(w, p, squash)
        ):
            return True


@njit(cache=True, nogil=True)
def search(  # type: ignore[no-untyped-def]
    v, total, bases, w, heap, free, place_of, before, squash, reference, length,
    max_paths, decided, syncs,
):  # fmt: skip
    """Decide every variant; returns (DONE or NEED_ROOM, number of sync points).

    reference: (data, offset, width, stride) of the contig. decided: shape (2, n), gets
    a decision for each variant. syncs: gets the positions (0-based) where a lone path
    was in sync just before a variant, ascending; room for the variants of both sides.
    """
    room, window = len(heap), (w.shape[1] - DECISIONS) // 2
    off = np.zeros(5, dtype=np.int64)
    off[2] = window
    off[3], off[4] = total
    _start(v, w, off, place_of, before)
    heap[0] = 0
    size, free_count, sync_used, sync_count = 1, 0, 1, 0
    for slot in range(room - 1, 1, -1):
        free[free_count] = slot
        free_count += 1
    lone = 1  # a copy of the last lone path
    best, serial, iterations, furthest = -1, 0, 0, 0
    have_lone = False
    while size:
        iterations += 1
        p, size = _pop(v, w, heap, size, off, squash)
        while size and _compare(v, w, p, heap[0], off, squash) == 0:
            q, size = _pop(v, w, heap, size, off, squash)
            if _first_is_better(w, place_of, q, p):
                p, q = q, p
            free[free_count] = q
            free_count += 1
        if size == 0 and best < 0:
            iterations = 0
            sync_count = _commit(
                w, p, off, squash, decided, syncs, sync_count, place_of, before
            )
            sync_used = 1
            used0, used1 = w[p, LAST + 0] + 1 - off[0], w[p, LAST + 1] + 1 - off[1]
            _copy(w, p, lone, used0, used1, window)
            have_lone = True
        elif size > max_paths or iterations > MAX_ITERATIONS:
            if not have_lone or best >= 0:
                return NEED_ROOM, sync_count
            while size:
                size -= 1
                free[free_count] = heap[size]
                free_count += 1
            used0 = w[lone, LAST + 0] + 1 - off[0]
            used1 = w[lone, LAST + 1] + 1 - off[1]
            _copy(w, lone, p, used0, used1, window)
            _give_up(v, w, p, off, furthest, length, decided)
            sync_used = 1
            iterations = 0
        ended = (
            w[p, LAST + 0] + 1 >= off[3]
            and w[p, LAST + 1] + 1 >= off[4]
            and _in_sync(w, p, squash)
        )
        if ended or _is_finished(w, p, squash):
            if best < 0:
                best = p
            elif _first_is_better(w, place_of, p, best):
                free[free_count] = best
                free_count += 1
                best = p
            else:
                free[free_count] = p
                free_count += 1
            continue
        side = 0
        u = _next_variant(v, w, p, 0, off, squash)
        if u < 0:
            side = 1
            u = _next_variant(v, w, p, 1, off, squash)
        if u >= 0:
            furthest = max(furthest, v[side, u, START])
            if u - off[side] >= window or free_count < 4:
                return NEED_ROOM, sync_count
            if _in_sync(w, p, squash):
                place = w[p, POSITION + 0]
                if place_of[w[p, SYNC]] != place:
                    if sync_used >= len(place_of):
                        return NEED_ROOM, sync_count
                    place_of[sync_used] = place
                    before[sync_used] = w[p, SYNC]
                    w[p, SYNC] = sync_used
                    sync_used += 1
                w[p, SINCE_SYNC + 0] = 0
                w[p, SINCE_SYNC + 1] = 0
            used0, used1 = w[p, LAST + 0] + 1 - off[0], w[p, LAST + 1] + 1 - off[1]
            choices = 2
            if v[side, u, ID] == v[side, u, ID + 1]:
                choices = 1
            for decision in range(choices, -1, -1):
                if decision != EXCLUDED and (
                    (squash and v[side, u, LENGTH + decision - 1] == NULL)
                    or not _fits(v, w, p, side, u, decision, squash)
                ):
                    continue
                q = p
                if decision != EXCLUDED:
                    free_count -= 1
                    q = free[free_count]
                    _copy(w, p, q, used0, used1, window)
                _decide(v, w, q, side, u, decision, off, squash)
                w[q, SERIAL] = serial + decision
                size = _push(v, w, heap, size, q, off, squash)
            serial += 3
            continue
        if _run(v, bases, w, p, off, squash, reference, length):
            w[p, SERIAL] = serial
            serial += 1
            size = _push(v, w, heap, size, p, off, squash)
        else:
            free[free_count] = p
            free_count += 1
    if best >= 0:
        sync_count = _commit(
            w, best, off, squash, decided, syncs, sync_count, place_of, before
        )
    return DONE, sync_count


@njit(cache=True, nogil=True)
def _skip(v, w, p, off, length):  # type: ignore[no-untyped-def]
    """Move a path that is in sync to just before the next variant."""
    target = length - 1
    for side in range(2):
        u = w[p, LAST + side] + 1
        if u < off[3 + side]:
            target = min(target, v[side, u, START])
    target -= 1
    if target > w[p, POSITION + 0]:
        for h in range(4):
            w[p, POSITION + h] = target
