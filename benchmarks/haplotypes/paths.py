"""One path of the haplotype search: what it has decided, and how it emits bases.

A path replays both sides onto the reference, each as two haplotypes (one when ploidy
is squashed), one emitted base at a time. It decides for each variant whether it is left
out or included, and in which orientation; it dies when the two sides emit different
bases. It is "in sync" where all haplotypes are back on the reference at one position.

Compiled, on plain matrices, as tuples of arrays are slow to hand on. Sides: 0 is the
call, 1 the truth. Haplotypes are numbered side * 2 + haplotype. `v[side, u]` is variant
u of a side, `w[p]` is path p, and `off` holds the frame of the search: the first
variant of each side in the window of decisions, the window, how many variants each
side has.
"""

from __future__ import annotations

import numpy as np

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.reference import base_at

EXCLUDED, STRAIGHT, SWAPPED = 0, 1, 2
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


@njit(cache=True, nogil=True)
def column_of(side, u, off):  # type: ignore[no-untyped-def]
    """Column of the decision on variant u."""
    return DECISIONS + side * off[2] + u - off[side]


@njit(cache=True, nogil=True)
def slot_under(decision, haplotype, squash):  # type: ignore[no-untyped-def]
    """Which allele of the genotype a haplotype replays under a decision."""
    if squash:
        return decision - 1
    return haplotype if decision == STRAIGHT else 1 - haplotype


@njit(cache=True, nogil=True)
def slot_of(v, w, p, side, haplotype, u, off, squash):  # type: ignore[no-untyped-def]
    return slot_under(w[p, column_of(side, u, off)], haplotype, squash)


@njit(cache=True, nogil=True)
def next_allele(  # type: ignore[no-untyped-def]
    v, w, p, side, haplotype, after, off, squash,
):  # fmt: skip
    """The next variant after `after` that this haplotype has to replay, or -1."""
    for u in range(after + 1, w[p, LAST + side] + 1):
        decision = w[p, column_of(side, u, off)]
        if decision != EXCLUDED:
            slot = slot_under(decision, haplotype, squash)
            if v[side, u, LENGTH + slot] != NULL:
                return u
    return NO_ALLELE


@njit(cache=True, nogil=True)
def start_path(v, w, off, place_of, before):  # type: ignore[no-untyped-def]
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
def copy_path(w, p, q, used0, used1, window):  # type: ignore[no-untyped-def]
    """Make row q a copy of path p, with so many decisions of each side."""
    for k in range(DECISIONS):
        w[q, k] = w[p, k]
    for k in range(DECISIONS, DECISIONS + used0):
        w[q, k] = w[p, k]
    for k in range(DECISIONS + window, DECISIONS + window + used1):
        w[q, k] = w[p, k]


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
        slot = slot_of(v, w, p, side, haplotype, u, off, squash)
        if v[side, u, ALLELE_START + slot] != w[p, POSITION + h]:
            return True
        w[p, WITHIN + h] = 0
    else:
        w[p, WITHIN + h] += 1
    while True:
        slot = slot_of(v, w, p, side, haplotype, u, off, squash)
        if w[p, WITHIN + h] != v[side, u, LENGTH + slot]:
            return True
        w[p, POSITION + h] = v[side, u, ALLELE_END + slot]
        w[p, WITHIN + h] = NOT_IN_ALLELE
        u = next_allele(v, w, p, side, haplotype, u, off, squash)
        w[p, CURRENT + h] = u
        if u == NO_ALLELE:
            return True
        slot = slot_of(v, w, p, side, haplotype, u, off, squash)
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
    slot = slot_of(v, w, p, side, haplotype, u, off, squash)
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
def in_sync(w, p, squash):  # type: ignore[no-untyped-def]
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
def is_finished(w, p, squash):  # type: ignore[no-untyped-def]
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
        slot = slot_of(v, w, p, side, haplotype, u, off, squash)
        within = w[p, WITHIN + h]
        if within != NOT_IN_ALLELE and within < v[side, u, LENGTH + slot] - 1:
            continue
        pending = False
        while not pending:
            u = next_allele(v, w, p, side, haplotype, u, off, squash)
            if u == NO_ALLELE:
                break
            slot = slot_of(v, w, p, side, haplotype, u, off, squash)
            pending = v[side, u, LENGTH + slot] > 0
        if not pending:
            return True
    return False


@njit(cache=True, nogil=True)
def next_variant(v, w, p, side, off, squash):  # type: ignore[no-untyped-def]
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
def fits(v, w, p, side, u, decision, squash):  # type: ignore[no-untyped-def]
    """Whether including the variant overlaps nothing its haplotypes replay already."""
    if v[side, u, START] >= w[p, INCLUDED_REACH + side]:
        return True
    for haplotype in range(1 if squash else 2):
        slot = slot_under(decision, haplotype, squash)
        if v[side, u, LENGTH + slot] == NULL:
            continue
        if v[side, u, ALLELE_START + slot] < w[p, ALLELE_REACH + side * 2 + haplotype]:
            return False
    return True


@njit(cache=True, nogil=True)
def decide(v, w, p, side, u, decision, off, squash):  # type: ignore[no-untyped-def]
    """Extend path p by the decision on variant u."""
    w[p, LAST + side] = u
    w[p, column_of(side, u, off)] = decision
    end = v[side, u, END]
    w[p, REACH + side] = max(w[p, REACH + side], end)
    if decision == EXCLUDED:
        return
    w[p, INCLUDED_REACH + side] = max(w[p, INCLUDED_REACH + side], end)
    w[p, SINCE_SYNC + side] += 1
    w[p, INCLUDED] += 1
    w[p, LAST_ALLELE + side] = max(v[side, u, ID + slot_under(decision, 0, squash)], 0)
    for haplotype in range(1 if squash else 2):
        h = side * 2 + haplotype
        slot = slot_under(decision, haplotype, squash)
        if v[side, u, LENGTH + slot] == NULL:
            continue
        w[p, ALLELE_REACH + h] = v[side, u, ALLELE_END + slot]
        if w[p, CURRENT + h] == NO_ALLELE:
            w[p, CURRENT + h] = u


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


@njit(cache=True, nogil=True)
def run_path(  # type: ignore[no-untyped-def]
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
        if in_sync(w, p, squash):
            if (w[p, SINCE_SYNC] == 0) != (w[p, SINCE_SYNC + 1] == 0):
                return False
            _skip(v, w, p, off, length)
            return _matches(v, bases, w, p, off, squash, reference, length)
        if not _matches(v, bases, w, p, off, squash, reference, length):
            return False
        if (
            next_variant(v, w, p, 0, off, squash) >= 0
            or next_variant(v, w, p, 1, off, squash) >= 0
            or is_finished(w, p, squash)
        ):
            return True
