"""The haplotype search: which variants of two call sets spell the same sequences.

Both sides are replayed onto the reference, each as two haplotypes (one when ploidy is
squashed), one emitted base at a time. A path decides for each variant whether it is left
out or included, and in which orientation; it dies when the two sides emit different
bases. Of paths in the same state only the better one goes on, so wherever both sides are
back on the reference at one position ("in sync") a single path is left. The best path
includes the most variants of both sides. Its preferences, also among ties, are those of
`rtg vcfeval` (Cleary et al. 2015, doi:10.1101/023754), so that its verdicts are.

Compiled. `Work` arrays are reused between searches. Sides: 0 is the call, 1 the truth.
Haplotypes are numbered side * 2 + haplotype.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.haplotypes.reference import base_at

EXCLUDED, STRAIGHT, SWAPPED, TOO_COMPLEX = 0, 1, 2, 9
DONE, NEED_ROOM = 0, 1
MAX_ITERATIONS = 10_000_000
UNKNOWN = 78
NOT_IN_ALLELE = -1
NO_ALLELE = -1
NULL = -1


class Variants(NamedTuple):
    """The variants of one search; first axis: side. Sorted by start, then end."""

    total: NDArray[np.int64]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    ids: NDArray[np.int16]
    allele_start: NDArray[np.int32]
    allele_end: NDArray[np.int32]
    length: NDArray[np.int32]
    """Bases of the allele; NULL: replays nothing (reference, missing, spanning)."""
    where: NDArray[np.int64]
    """Offset of the allele in `bases`."""
    key: NDArray[np.uint64]
    """Equal for equal alleles."""
    bases: NDArray[np.uint8]


class Work(NamedTuple):
    """Paths as rows. `decision` holds a window of variants from `Window` on."""

    position: NDArray[np.int32]
    within: NDArray[np.int32]
    current: NDArray[np.int32]
    allele_end: NDArray[np.int32]
    finished: NDArray[np.bool_]
    decided: NDArray[np.int32]
    reach: NDArray[np.int32]
    included_reach: NDArray[np.int32]
    since_sync: NDArray[np.int32]
    included: NDArray[np.int32]
    last_allele: NDArray[np.int16]
    sync: NDArray[np.int32]
    serial: NDArray[np.int64]
    decision: NDArray[np.uint8]
    heap: NDArray[np.int32]
    free: NDArray[np.int32]
    sync_position: NDArray[np.int32]
    sync_before: NDArray[np.int32]


def make_work(paths: int, window: int) -> Work:
    return Work(
        np.zeros((paths, 4), np.int32),
        np.zeros((paths, 4), np.int32),
        np.zeros((paths, 4), np.int32),
        np.zeros((paths, 4), np.int32),
        np.zeros((paths, 4), np.bool_),
        np.zeros((paths, 2), np.int32),
        np.zeros((paths, 2), np.int32),
        np.zeros((paths, 2), np.int32),
        np.zeros((paths, 2), np.int32),
        np.zeros(paths, np.int32),
        np.zeros((paths, 2), np.int16),
        np.zeros(paths, np.int32),
        np.zeros(paths, np.int64),
        np.zeros((paths, 2, window), np.uint8),
        np.zeros(paths, np.int32),
        np.zeros(paths, np.int32),
        np.zeros(paths * 4, np.int32),
        np.zeros(paths * 4, np.int32),
    )


@njit(cache=True, nogil=True, inline="always")
def _slot(decision, haplotype, squash):  # type: ignore[no-untyped-def]
    """Which allele of the genotype a haplotype replays under a decision."""
    if squash:
        return decision - 1
    return haplotype if decision == STRAIGHT else 1 - haplotype


@njit(cache=True, nogil=True)
def _next_allele(v, w, p, side, haplotype, after, off, squash):  # type: ignore[no-untyped-def]
    """The next variant after `after` that this haplotype has to replay, or -1."""
    for u in range(after + 1, w.decided[p, side] + 1):
        decision = w.decision[p, side, u - off[side]]
        if decision != EXCLUDED:
            slot = _slot(decision, haplotype, squash)
            if v.length[side, u, slot] != NULL:
                return u
    return NO_ALLELE


@njit(cache=True, nogil=True, inline="always")
def _slot_of(v, w, p, side, haplotype, u, off, squash):  # type: ignore[no-untyped-def]
    return _slot(w.decision[p, side, u - off[side]], haplotype, squash)


@njit(cache=True, nogil=True)
def _step(v, w, p, side, haplotype, off, squash, length):  # type: ignore[no-untyped-def]
    """Emit the next base of one haplotype; False when alleles are out of order."""
    h = side * 2 + haplotype
    if w.position[p, h] >= length - 1:
        w.finished[p, h] = True
        return True
    u = w.current[p, h]
    if w.within[p, h] == NOT_IN_ALLELE:
        w.position[p, h] += 1
        if u == NO_ALLELE:
            return True
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        if v.allele_start[side, u, slot] != w.position[p, h]:
            return True
        w.within[p, h] = 0
    else:
        w.within[p, h] += 1
    while True:
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        if w.within[p, h] != v.length[side, u, slot]:
            return True
        w.position[p, h] = v.allele_end[side, u, slot]
        w.within[p, h] = NOT_IN_ALLELE
        u = _next_allele(v, w, p, side, haplotype, u, off, squash)
        w.current[p, h] = u
        if u == NO_ALLELE:
            return True
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        start = v.allele_start[side, u, slot]
        if w.position[p, h] < start:
            return True
        if w.position[p, h] > start:
            return False
        w.within[p, h] = 0


@njit(cache=True, nogil=True)
def _emitted(v, w, p, side, haplotype, off, squash, reference, length):  # type: ignore[no-untyped-def]
    h = side * 2 + haplotype
    if w.within[p, h] == NOT_IN_ALLELE:
        place = w.position[p, h]
        if place < 0 or place >= length:
            return np.uint8(UNKNOWN)
        base = base_at(reference[0], reference[1], reference[2], reference[3], place)
        if base == 65 or base == 67 or base == 71 or base == 84:
            return np.uint8(base)
        return np.uint8(UNKNOWN)
    u = w.current[p, h]
    slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
    return v.bases[v.where[side, u, slot] + w.within[p, h]]


@njit(cache=True, nogil=True)
def _matches(v, w, p, off, squash, reference, length):  # type: ignore[no-untyped-def]
    for haplotype in range(1 if squash else 2):
        if w.finished[p, haplotype] or w.finished[p, 2 + haplotype]:
            continue
        ours = _emitted(v, w, p, 0, haplotype, off, squash, reference, length)
        theirs = _emitted(v, w, p, 1, haplotype, off, squash, reference, length)
        if ours != theirs:
            return False
    return True


@njit(cache=True, nogil=True, inline="always")
def _lead(w, p, side, squash):  # type: ignore[no-untyped-def]
    """Position of the side's haplotype that is ahead."""
    if squash:
        return w.position[p, side * 2]
    return max(w.position[p, side * 2], w.position[p, side * 2 + 1])


@njit(cache=True, nogil=True)
def _in_sync(w, p, squash):  # type: ignore[no-untyped-def]
    place = w.position[p, 0]
    for side in range(2):
        if place < w.included_reach[p, side]:
            return False
        for haplotype in range(1 if squash else 2):
            h = side * 2 + haplotype
            if w.position[p, h] != place or w.within[p, h] != NOT_IN_ALLELE:
                return False
    return True


@njit(cache=True, nogil=True)
def _is_finished(w, p, squash):  # type: ignore[no-untyped-def]
    for side in range(2):
        for haplotype in range(1 if squash else 2):
            if not w.finished[p, side * 2 + haplotype]:
                return False
    return True


@njit(cache=True, nogil=True)
def _wants_more(v, w, p, side, off, squash):  # type: ignore[no-untyped-def]
    """Whether a haplotype of the side may need the next variant before it can step."""
    for haplotype in range(1 if squash else 2):
        h = side * 2 + haplotype
        u = w.current[p, h]
        if u == NO_ALLELE:
            return True
        slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
        within = w.within[p, h]
        if within != NOT_IN_ALLELE and within < v.length[side, u, slot] - 1:
            continue
        pending = False
        while not pending:
            u = _next_allele(v, w, p, side, haplotype, u, off, squash)
            if u == NO_ALLELE:
                break
            slot = _slot_of(v, w, p, side, haplotype, u, off, squash)
            pending = v.length[side, u, slot] > 0
        if not pending:
            return True
    return False


@njit(cache=True, nogil=True)
def _next_variant(v, w, p, side, off, squash):  # type: ignore[no-untyped-def]
    """The variant to decide now on this side, or -1."""
    u = w.decided[p, side] + 1
    if u >= v.total[side]:
        return -1
    start = v.start[side, u]
    if start <= _lead(w, p, side, squash) + 1:
        return u
    if start <= w.reach[p, side] and _wants_more(v, w, p, side, off, squash):
        return u
    return -1


@njit(cache=True, nogil=True)
def _fits(v, w, p, side, u, decision, squash):  # type: ignore[no-untyped-def]
    """Whether including the variant overlaps nothing its haplotypes replay already."""
    if v.start[side, u] >= w.included_reach[p, side]:
        return True
    for haplotype in range(1 if squash else 2):
        slot = _slot(decision, haplotype, squash)
        if v.length[side, u, slot] == NULL:
            continue
        if v.allele_start[side, u, slot] < w.allele_end[p, side * 2 + haplotype]:
            return False
    return True


@njit(cache=True, nogil=True)
def _compare(v, w, p, q, off, squash):  # type: ignore[no-untyped-def]
    """Order of two states: below zero when p comes first, zero when they are equal."""
    for side in range(2):
        for haplotype in range(1 if squash else 2):
            h = side * 2 + haplotype
            difference = w.position[p, h] - w.position[q, h]
            if difference:
                return difference
            a, b = w.current[p, h], w.current[q, h]
            if a == NO_ALLELE or b == NO_ALLELE:
                if a != b:
                    return -1 if a == NO_ALLELE else 1
                continue
            if w.within[p, h] != w.within[q, h]:
                return w.within[p, h] - w.within[q, h]
            while a != NO_ALLELE and b != NO_ALLELE:
                x = _slot_of(v, w, p, side, haplotype, a, off, squash)
                y = _slot_of(v, w, q, side, haplotype, b, off, squash)
                if v.key[side, a, x] != v.key[side, b, y]:
                    if v.start[side, a] != v.start[side, b]:
                        return v.start[side, a] - v.start[side, b]
                    return -1 if v.key[side, a, x] < v.key[side, b, y] else 1
                a = _next_allele(v, w, p, side, haplotype, a, off, squash)
                b = _next_allele(v, w, q, side, haplotype, b, off, squash)
            if a != b:
                return -1 if a == NO_ALLELE else 1
    return 0


@njit(cache=True, nogil=True)
def _first_is_better(w, first, second):  # type: ignore[no-untyped-def]
    """Preference between equal states, `first` being the newer path."""
    if w.included[first] != w.included[second]:
        return w.included[first] > w.included[second]
    if w.last_allele[first, 1] < 0 or w.last_allele[second, 1] < 0:
        return False
    ours = abs(w.since_sync[first, 1] - w.since_sync[first, 0])
    theirs = abs(w.since_sync[second, 1] - w.since_sync[second, 0])
    if ours != theirs:
        return ours < theirs
    ours = w.sync_position[w.sync[first]]
    theirs = w.sync_position[w.sync[second]]
    if ours != theirs:
        return ours > theirs
    return w.last_allele[first, 1] < w.last_allele[second, 1]


@njit(cache=True, nogil=True)
def _before(v, w, p, q, off, squash):  # type: ignore[no-untyped-def]
    order = _compare(v, w, p, q, off, squash)
    return order < 0 or (order == 0 and w.serial[p] < w.serial[q])


@njit(cache=True, nogil=True)
def _push(v, w, size, p, off, squash):  # type: ignore[no-untyped-def]
    heap = w.heap
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
def _pop(v, w, size, off, squash):  # type: ignore[no-untyped-def]
    """Take the first path off the heap; returns it and the new size."""
    heap = w.heap
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
def _copy(w, p, q, used0, used1):  # type: ignore[no-untyped-def]
    """Make row q a copy of path p, with so many decisions of each side."""
    for h in range(4):
        w.position[q, h] = w.position[p, h]
        w.within[q, h] = w.within[p, h]
        w.current[q, h] = w.current[p, h]
        w.allele_end[q, h] = w.allele_end[p, h]
        w.finished[q, h] = w.finished[p, h]
    for side in range(2):
        w.decided[q, side] = w.decided[p, side]
        w.reach[q, side] = w.reach[p, side]
        w.included_reach[q, side] = w.included_reach[p, side]
        w.since_sync[q, side] = w.since_sync[p, side]
        w.last_allele[q, side] = w.last_allele[p, side]
    w.included[q] = w.included[p]
    w.sync[q] = w.sync[p]
    for k in range(used0):
        w.decision[q, 0, k] = w.decision[p, 0, k]
    for k in range(used1):
        w.decision[q, 1, k] = w.decision[p, 1, k]


@njit(cache=True, nogil=True)
def _decide(v, w, p, side, u, decision, off, squash):  # type: ignore[no-untyped-def]
    """Extend path p by the decision on variant u."""
    w.decided[p, side] = u
    w.decision[p, side, u - off[side]] = decision
    end = v.end[side, u]
    w.reach[p, side] = max(w.reach[p, side], end)
    if decision == EXCLUDED:
        return
    w.included_reach[p, side] = max(w.included_reach[p, side], end)
    w.since_sync[p, side] += 1
    w.included[p] += 1
    w.last_allele[p, side] = max(v.ids[side, u, _slot(decision, 0, squash)], 0)
    for haplotype in range(1 if squash else 2):
        h = side * 2 + haplotype
        slot = _slot(decision, haplotype, squash)
        if v.length[side, u, slot] == NULL:
            continue
        w.allele_end[p, h] = v.allele_end[side, u, slot]
        if w.current[p, h] == NO_ALLELE:
            w.current[p, h] = u


@njit(cache=True, nogil=True)
def _commit(v, w, p, off, squash, decided, syncs, sync_count):  # type: ignore[no-untyped-def]
    """A lone path's past is final: move it out of the window; returns sync_count."""
    for side in range(2):
        keep = w.decided[p, side] + 1
        for u in range(off[side], keep):
            decided[side, u] = w.decision[p, side, u - off[side]]
        for haplotype in range(1 if squash else 2):
            u = w.current[p, side * 2 + haplotype]
            if u != NO_ALLELE:
                keep = min(keep, u)
        shift = keep - off[side]
        if shift:
            for u in range(keep, w.decided[p, side] + 1):
                w.decision[p, side, u - keep] = w.decision[p, side, u - off[side]]
            off[side] = keep
    fresh, at = 0, w.sync[p]
    while at > 0:
        fresh += 1
        at = w.sync_before[at]
    at = w.sync[p]
    w_last = w.sync_position[at]
    for k in range(fresh):
        syncs[sync_count + fresh - 1 - k] = w.sync_position[at]
        at = w.sync_before[at]
    w.sync_position[0] = w_last
    w.sync[p] = 0
    return sync_count + fresh


@njit(cache=True, nogil=True)
def _give_up(v, w, p, off, furthest, length, decided):  # type: ignore[no-untyped-def]
    """Drop the variants that start before `furthest` + 1 and go on behind them."""
    for side in range(2):
        u = w.decided[p, side] + 1
        while u < v.total[side] and v.start[side, u] < furthest + 1:
            decided[side, u] = TOO_COMPLEX
            u += 1
        w.decided[p, side] = u - 1
        off[side] = u
    place = min(furthest + 1, length - 1)
    for h in range(4):
        w.position[p, h] = place
        w.within[p, h] = NOT_IN_ALLELE
        w.current[p, h] = NO_ALLELE


@njit(cache=True, nogil=True)
def _start(v, w, squash):  # type: ignore[no-untyped-def]
    """Path 0: on the reference just before the first variant."""
    first = 2147483647
    for side in range(2):
        if v.total[side]:
            first = min(first, v.start[side, 0])
    for h in range(4):
        w.position[0, h] = first - 1
        w.within[0, h] = NOT_IN_ALLELE
        w.current[0, h] = NO_ALLELE
        w.allele_end[0, h] = -1
        w.finished[0, h] = False
    for side in range(2):
        w.decided[0, side] = -1
        w.reach[0, side] = 0
        w.included_reach[0, side] = 0
        w.since_sync[0, side] = 0
        w.last_allele[0, side] = -1
    w.included[0] = 0
    w.sync[0] = 0
    w.serial[0] = 0
    w.sync_position[0] = -2
    w.sync_before[0] = -1


@njit(cache=True, nogil=True)
def search(  # type: ignore[no-untyped-def]
    v, w, squash, reference, length, max_paths, decided, syncs
):
    """Decide every variant; returns (DONE or NEED_ROOM, number of sync points).

    reference: (data, offset, width, stride) of the contig. decided: shape (2, n), gets a
    decision for each variant. syncs: gets the positions (0-based) at which a lone path
    was in sync just before a variant, ascending; room for the variants of both sides.
    """
    room, window = w.heap.shape[0], w.decision.shape[2]
    off = np.zeros(2, dtype=np.int64)
    _start(v, w, squash)
    w.heap[0] = 0
    size, free_count, sync_used, sync_count = 1, 0, 1, 0
    for slot in range(room - 1, 1, -1):
        w.free[free_count] = slot
        free_count += 1
    lone = 1  # a copy of the last lone path
    best, serial, iterations, furthest = -1, 0, 0, 0
    have_lone = False
    while size:
        iterations += 1
        p, size = _pop(v, w, size, off, squash)
        while size and _compare(v, w, p, w.heap[0], off, squash) == 0:
            q, size = _pop(v, w, size, off, squash)
            if _first_is_better(w, q, p):
                p, q = q, p
            w.free[free_count] = q
            free_count += 1
        if size == 0 and best < 0:
            iterations = 0
            sync_count = _commit(v, w, p, off, squash, decided, syncs, sync_count)
            sync_used = 1
            used0, used1 = w.decided[p, 0] + 1 - off[0], w.decided[p, 1] + 1 - off[1]
            _copy(w, p, lone, used0, used1)
            have_lone = True
        elif size > max_paths or iterations > MAX_ITERATIONS:
            if not have_lone or best >= 0:
                return NEED_ROOM, sync_count
            while size:
                size -= 1
                w.free[free_count] = w.heap[size]
                free_count += 1
            used0 = w.decided[lone, 0] + 1 - off[0]
            used1 = w.decided[lone, 1] + 1 - off[1]
            _copy(w, lone, p, used0, used1)
            _give_up(v, w, p, off, furthest, length, decided)
            sync_used = 1
            iterations = 0
        ended = (
            w.decided[p, 0] + 1 >= v.total[0]
            and w.decided[p, 1] + 1 >= v.total[1]
            and _in_sync(w, p, squash)
        )
        if ended or _is_finished(w, p, squash):
            if best < 0:
                best = p
            elif _first_is_better(w, p, best):
                w.free[free_count] = best
                free_count += 1
                best = p
            else:
                w.free[free_count] = p
                free_count += 1
            continue
        side = 0
        u = _next_variant(v, w, p, 0, off, squash)
        if u < 0:
            side = 1
            u = _next_variant(v, w, p, 1, off, squash)
        if u >= 0:
            furthest = max(furthest, v.start[side, u])
            if u - off[side] >= window or free_count < 4:
                return NEED_ROOM, sync_count
            if _in_sync(w, p, squash):
                place = w.position[p, 0]
                if w.sync_position[w.sync[p]] != place:
                    if sync_used >= len(w.sync_position):
                        return NEED_ROOM, sync_count
                    w.sync_position[sync_used] = place
                    w.sync_before[sync_used] = w.sync[p]
                    w.sync[p] = sync_used
                    sync_used += 1
                w.since_sync[p, 0] = 0
                w.since_sync[p, 1] = 0
            used0, used1 = w.decided[p, 0] + 1 - off[0], w.decided[p, 1] + 1 - off[1]
            choices = 2
            if v.ids[side, u, 0] == v.ids[side, u, 1]:
                choices = 1
            for decision in range(choices, -1, -1):
                if decision != EXCLUDED and (
                    (squash and v.length[side, u, decision - 1] == NULL)
                    or not _fits(v, w, p, side, u, decision, squash)
                ):
                    continue
                q = p
                if decision != EXCLUDED:
                    free_count -= 1
                    q = w.free[free_count]
                    _copy(w, p, q, used0, used1)
                _decide(v, w, q, side, u, decision, off, squash)
                w.serial[q] = serial + decision
                size = _push(v, w, size, q, off, squash)
            serial += 3
            continue
        alive = True
        lagging = 0 if squash else w.position[p, 0] - w.position[p, 1]
        for side in range(2):
            if lagging <= 0:
                alive = _step(v, w, p, side, 0, off, squash, length) and alive
            if lagging >= 0 and not squash:
                alive = _step(v, w, p, side, 1, off, squash, length) and alive
        if alive and _in_sync(w, p, squash):
            only_one = (w.since_sync[p, 0] == 0) != (w.since_sync[p, 1] == 0)
            if only_one:
                alive = False
            else:
                _skip(v, w, p, length)
        if alive and _matches(v, w, p, off, squash, reference, length):
            w.serial[p] = serial
            serial += 1
            size = _push(v, w, size, p, off, squash)
        else:
            w.free[free_count] = p
            free_count += 1
    if best >= 0:
        sync_count = _commit(v, w, best, off, squash, decided, syncs, sync_count)
    return DONE, sync_count


@njit(cache=True, nogil=True, inline="always")
def _skip(v, w, p, length):  # type: ignore[no-untyped-def]
    """Move a path that is in sync to just before the next variant."""
    target = length - 1
    for side in range(2):
        u = w.decided[p, side] + 1
        if u < v.total[side]:
            target = min(target, v.start[side, u])
    target -= 1
    if target > w.position[p, 0]:
        for h in range(4):
            w.position[p, h] = target


Kernel = Any
