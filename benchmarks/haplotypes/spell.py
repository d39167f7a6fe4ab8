"""Small clusters without a search: do all variants of both sides spell the same?

Compiled. Where including everything on both sides gives the same two sequences, no
other choice can include more, so every record is a genotype match. All orientations of
the heterozygous variants are tried, as there are few.
"""

# Plain loops are what the compiler turns into fast code.
# ruff: noqa: SIM110

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
from benchmarks.haplotypes.reference import base_at

MOST_VARIANTS = 10
MOST_HETS = 5
MOST_BASES = 2048
OVERLAP = -1


@njit(cache=True, nogil=True)
def hets_of(side, order, first, end):  # type: ignore[no-untyped-def]
    """Heterozygous variants among order[first:end]."""
    hets = 0
    for k in range(first, end):
        hets += side[order[k], ID] != side[order[k], ID + 1]
    return hets


@njit(cache=True, nogil=True)
def write_haplotype(  # type: ignore[no-untyped-def]
    side, text, line, order, first, end, swaps, haplotype, low, high, reference, out
):
    """Bases of [low, high) with all variants applied into `out`; returns how many.

    swaps: bit k is set where heterozygous variant number k is swapped. OVERLAP when two
    alleles of the haplotype overlap or there are too many bases.
    """
    data, offset, width, stride = reference
    at, size, het = low, 0, 0
    for k in range(first, end):
        row = order[k]
        slot = haplotype
        if side[row, ID] != side[row, ID + 1]:
            slot ^= (swaps >> het) & 1
            het += 1
        length = side[row, LENGTH + slot]
        if length == NULL:
            continue
        start = side[row, ALLELE_START + slot]
        if start < at or size + start - at + length > MOST_BASES:
            return OVERLAP
        for place in range(at, start):
            out[size] = base_at(data, offset, width, stride, place)
            size += 1
        source = line[row] + side[row, AT + slot]
        for m in range(length):
            out[size] = text[source + m] & 0xDF
            size += 1
        at = side[row, ALLELE_END + slot]
    if size + high - at > MOST_BASES:
        return OVERLAP
    for place in range(at, high):
        out[size] = base_at(data, offset, width, stride, place)
        size += 1
    return size


@njit(cache=True, nogil=True)
def _equal(a, b, size):  # type: ignore[no-untyped-def]
    for k in range(size):
        if a[k] != b[k]:
            return False
    return True


@njit(cache=True, nogil=True)
def all_match(  # type: ignore[no-untyped-def]
    t, text_t, line_t, order_t, first_t, end_t, q, text_q, line_q, order_q, first_q,
    end_q, reference, room,
):  # fmt: skip
    """(found, swaps of the truth, swaps of the query) with which both sides agree.

    room: shape (4, MOST_BASES), overwritten.
    """
    low, high = t[order_t[first_t], START], 0
    low = min(low, q[order_q[first_q], START])
    for k in range(first_t, end_t):
        high = max(high, t[order_t[k], END])
    for k in range(first_q, end_q):
        high = max(high, q[order_q[k], END])
    hets_t = hets_of(t, order_t, first_t, end_t)
    hets_q = hets_of(q, order_q, first_q, end_q)
    if (
        end_t - first_t + end_q - first_q > MOST_VARIANTS
        or hets_t + hets_q > MOST_HETS
        or high - low > MOST_BASES
    ):
        return False, 0, 0
    for swaps_t in range(1 << max(hets_t - 1, 0)):
        size_a = write_haplotype(
            t, text_t, line_t, order_t, first_t, end_t, swaps_t, 0, low, high,
            reference, room[0],
        )  # fmt: skip
        size_b = write_haplotype(
            t, text_t, line_t, order_t, first_t, end_t, swaps_t, 1, low, high,
            reference, room[1],
        )  # fmt: skip
        if size_a == OVERLAP or size_b == OVERLAP:
            continue
        for swaps_q in range(1 << hets_q):
            size = write_haplotype(
                q, text_q, line_q, order_q, first_q, end_q, swaps_q, 0, low, high,
                reference, room[2],
            )  # fmt: skip
            if size != size_a or not _equal(room[0], room[2], size):
                continue
            size = write_haplotype(
                q, text_q, line_q, order_q, first_q, end_q, swaps_q, 1, low, high,
                reference, room[3],
            )  # fmt: skip
            if size == size_b and _equal(room[1], room[3], size):
                return True, swaps_t, swaps_q
    return False, 0, 0


@njit(cache=True, nogil=True)
def _shift(side, row, swapped, haplotype):  # type: ignore[no-untyped-def]
    """Bases that the variant adds to a haplotype."""
    slot = haplotype ^ swapped if side[row, ID] != side[row, ID + 1] else haplotype
    if side[row, LENGTH + slot] == NULL:
        return 0
    span = side[row, ALLELE_END + slot] - side[row, ALLELE_START + slot]
    return side[row, LENGTH + slot] - span


@njit(cache=True, nogil=True)
def name_groups(  # type: ignore[no-untyped-def]
    t, order_t, first_t, end_t, swaps_t, group_t, q, order_q, first_q, end_q, swaps_q,
    group_q,
):  # fmt: skip
    """Superloci of a cluster in which everything matches.

    A new one begins where both sides have added the same bases to both haplotypes and
    no variant is under way.
    """
    shift = np.zeros(2, dtype=np.int64)
    i, j, het_t, het_q, name, reach = first_t, first_q, 0, 0, 0, -1
    while i < end_t or j < end_q:
        from_truth = j >= end_q or (
            i < end_t and t[order_t[i], START] <= q[order_q[j], START]
        )
        row = order_t[i] if from_truth else order_q[j]
        start = t[row, START] if from_truth else q[row, START]
        if start > reach and shift[0] == 0 and shift[1] == 0:
            name = start + 1
        if from_truth:
            group_t[row] = name
            swapped = (swaps_t >> het_t) & 1
            het_t += t[row, ID] != t[row, ID + 1]
            for haplotype in range(2):
                shift[haplotype] += _shift(t, row, swapped, haplotype)
            reach = max(reach, t[row, END], start + 1)
            i += 1
        else:
            group_q[row] = name
            swapped = (swaps_q >> het_q) & 1
            het_q += q[row, ID] != q[row, ID + 1]
            for haplotype in range(2):
                shift[haplotype] -= _shift(q, row, swapped, haplotype)
            reach = max(reach, q[row, END], start + 1)
            j += 1
