"""Global alignment of a REF and an ALT allele, as hap.py counts and splits alleles.

Gotoh's affine alignment with hap.py's scores and its library's (klib `ksw_global`)
choice among equal paths: a gap before a match, a deleted base before an inserted one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit

MATCH, MISMATCH, UNKNOWN = 1, -4, 0
GAP_OPEN, GAP_EXTEND = 6, 1
CELLS = 4_000_000
"""Alleles whose table would have more cells are compared base by base from the left."""
MINUS_INF = -(1 << 30)


@njit(cache=True, nogil=True)
def _score(a: int, b: int) -> int:
    a, b = a & 0xDF, b & 0xDF
    for base in (a, b):
        if base not in (65, 67, 71, 84):
            return UNKNOWN
    return MATCH if a == b else MISMATCH


@njit(cache=True, nogil=True)
def _fill(ref: NDArray[np.uint8], alt: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Choices of each cell: bits 0-1 from a match, 2-3 along ALT, 4-5 along REF."""
    width = len(ref)
    choices = np.zeros((len(alt), width), dtype=np.uint8)
    best = np.empty(width + 1, dtype=np.int64)
    along_alt = np.full(width + 1, MINUS_INF, dtype=np.int64)
    best[0] = 0
    for j in range(1, width + 1):
        best[j] = -(GAP_OPEN + GAP_EXTEND * j)
    for i in range(len(alt)):
        left = -(GAP_OPEN + GAP_EXTEND * (i + 1))
        along_ref = MINUS_INF
        for j in range(width):
            h = best[j] + _score(ref[j], alt[i])
            e = along_alt[j]
            best[j] = left
            choice = 0 if h > e else 1
            h = max(h, e)
            if h <= along_ref:
                choice = 2
                h = along_ref
            left = h
            h -= GAP_OPEN + GAP_EXTEND
            e -= GAP_EXTEND
            if e > h:
                choice |= 1 << 2
            along_alt[j] = max(e, h)
            along_ref -= GAP_EXTEND
            if along_ref > h:
                choice |= 2 << 4
            along_ref = max(along_ref, h)
            choices[i, j] = choice
        best[width] = left
    return choices


@njit(cache=True, nogil=True)
def primitives(
    ref: NDArray[np.uint8], alt: NDArray[np.uint8]
) -> list[tuple[int, int, int, int]]:
    """Where the alleles differ, left to right: (REF offset, bases, ALT offset, bases).

    A substitution is (r, 1, a, 1), one a base; a deletion (r, n, a, 0); an insertion
    (r, 0, a, n), before REF base r.
    """
    found = [(0, 0, 0, 0)]
    found.pop()
    if len(ref) < 2 or len(alt) < 2 or len(ref) * len(alt) > CELLS:
        shared = min(len(ref), len(alt))
        for k in range(shared):
            if ref[k] & 0xDF != alt[k] & 0xDF:
                found.append((k, 1, k, 1))
        if len(ref) > shared or len(alt) > shared:
            found.append((shared, len(ref) - shared, shared, len(alt) - shared))
        return found
    choices = _fill(ref, alt)
    i, j, which = len(alt) - 1, len(ref) - 1, 0
    while i >= 0 and j >= 0:
        which = (choices[i, j] >> (which << 1)) & 3
        if which == 0:
            if ref[j] & 0xDF != alt[i] & 0xDF:
                found.append((j, 1, i, 1))
            i -= 1
            j -= 1
        elif which == 1:
            _grow(found, j + 1, 0, i, 1)
            i -= 1
        else:
            _grow(found, j, 1, i + 1, 0)
            j -= 1
    while i >= 0:
        _grow(found, 0, 0, i, 1)
        i -= 1
    while j >= 0:
        _grow(found, j, 1, 0, 0)
        j -= 1
    return found[::-1]


@njit(cache=True, nogil=True)
def _grow(
    found: list[tuple[int, int, int, int]], r: int, rn: int, a: int, an: int
) -> None:
    """Add one gap base, going left, to the gap it continues or as a new one."""
    if len(found):
        r0, rn0, a0, an0 = found[-1]
        continues = (rn and an0 == 0 and r0 == r + 1 and a0 == a) or (
            an and rn0 == 0 and a0 == a + 1 and r0 == r
        )
        if continues:
            found[-1] = (r, rn0 + rn, a, an0 + an)
            return
    found.append((r, rn, a, an))
