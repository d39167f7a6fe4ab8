"""What kind of variant each record is: BVT, BI and BLT of the GA4GH VCF, vectorised.

The rules are hap.py's (`VariantStatistics`, `GA4GHQuantify`): alleles that the
genotype names are trimmed, aligned to REF where both sides keep two bases or more, and
counted in substituted, inserted and deleted bases. A substitution alone is a SNP,
whatever its length; anything else is an INDEL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.align import primitives
from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import HAPLOID, Field, Records
from benchmarks.haplotypes.scan import POLYPLOID


class VariantType(IntEnum):
    """BVT."""

    NOCALL = 0
    SNP = 1
    INDEL = 2
    HOMREF = 3
    UNK = 4


class LocationType(IntEnum):
    """BLT."""

    NOCALL = 0
    HOMREF = 1
    HET = 2
    HOMALT = 3
    HETALT = 4
    HEMI = 5
    HALFCALL = 6
    AMBI = 7
    UNKNOWN = 8


SUBTYPES = (
    "ti",
    "tv",
    "i1_5",
    "i6_15",
    "i16_plus",
    "d1_5",
    "d6_15",
    "d16_plus",
    "c1_5",
    "c6_15",
    "c16_plus",
)
"""Names of the bits of `Classes.subtypes`, lowest first."""

TI, TV = 1, 2
Whole = Any
"""An integer of compiled code, of whatever width."""
INSERTED, DELETED, COMPLEX = 2, 5, 8
"""First bit of each family of lengths 1-5, 6-15, 16 and more."""


@dataclass(frozen=True)
class Classes:
    """One value a record; `start` and `end` are the extent of its trimmed alleles.

    The extent is 0-based and half-open. A pure insertion (all ALTs only insert) spans
    the two bases beside the inserted ones: both have to be in a region for it to be in.
    """

    variant: NDArray[np.uint8]
    location: NDArray[np.uint8]
    subtypes: NDArray[np.uint16]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    insertion: NDArray[np.bool_]


def classify(records: Records) -> Classes:
    """Classes of all records, whatever their status."""
    n = len(records)
    classes = Classes(
        variant=np.zeros(n, dtype=np.uint8),
        location=np.zeros(n, dtype=np.uint8),
        subtypes=np.zeros(n, dtype=np.uint16),
        start=np.zeros(n, dtype=np.int64),
        end=np.zeros(n, dtype=np.int64),
        insertion=np.zeros(n, dtype=np.bool_),
    )
    _classify(
        records.text,
        records.line,
        records.fields,
        records.pos,
        records.gt,
        classes.variant,
        classes.location,
        classes.subtypes,
        classes.start,
        classes.end,
        classes.insertion,
    )
    return classes


@njit(cache=True, nogil=True, inline="always")
def _upper(base: Whole) -> Whole:
    return base & 0xDF


@njit(cache=True, nogil=True)
def is_sequence(text: NDArray[np.uint8], start: Whole, end: Whole) -> bool:
    """Whether all bytes are letters: a spelled-out allele."""
    if end <= start:
        return False
    for i in range(start, end):
        base = text[i] & 0xDF
        if base < 65 or base > 90:
            return False
    return True


@njit(cache=True, nogil=True, inline="always")
def _is_transition(a: Whole, b: Whole) -> Whole:
    """1 transition, 0 transversion, -1 when a letter is no base."""
    low, high = min(a, b), max(a, b)
    for base in (low, high):
        if base not in (65, 67, 71, 84):
            return -1
    if (low == 65 and high == 71) or (low == 67 and high == 84):
        return 1
    return 0


@njit(cache=True, nogil=True, inline="always")
def _length_bit(family: Whole, length: Whole) -> Whole:
    if length <= 0:
        return 0
    if length <= 5:
        return 1 << family
    if length <= 15:
        return 1 << (family + 1)
    return 1 << (family + 2)


@njit(cache=True, nogil=True)
def allele_kind(
    text: NDArray[np.uint8], ref: Whole, ref_end: Whole, alt: Whole, alt_end: Whole
) -> tuple[Whole, Whole]:
    """(1 substitution | 2 insertion | 4 deletion, bits of SUBTYPES) of one allele."""
    while ref < ref_end and alt < alt_end and _upper(text[ref]) == _upper(text[alt]):
        ref += 1
        alt += 1
    while (
        ref < ref_end
        and alt < alt_end
        and _upper(text[ref_end - 1]) == _upper(text[alt_end - 1])
    ):
        ref_end -= 1
        alt_end -= 1
    substituted = inserted = deleted = bits = 0
    if ref_end - ref == 1 and alt_end - alt == 1:
        substituted = 1
        kind = _is_transition(_upper(text[ref]), _upper(text[alt]))
        bits = TI if kind == 1 else (TV if kind == 0 else 0)
    elif ref_end == ref or alt_end == alt:
        inserted, deleted = alt_end - alt, ref_end - ref
    else:
        for op in primitives(text[ref:ref_end], text[alt:alt_end]):
            if op[1] and op[3]:
                substituted += 1
                kind = _is_transition(
                    _upper(text[ref + op[0]]), _upper(text[alt + op[2]])
                )
                bits |= TI if kind == 1 else (TV if kind == 0 else 0)
            else:
                deleted += op[1]
                inserted += op[3]
    if substituted == 0:
        bits |= _length_bit(INSERTED, inserted) | _length_bit(DELETED, deleted)
    else:
        bits |= _length_bit(COMPLEX, inserted + deleted)
    kinds = (1 if substituted else 0) | (2 if inserted else 0) | (4 if deleted else 0)
    return kinds, bits


@njit(cache=True, nogil=True)
def allele_span(
    text: NDArray[np.uint8], start: Whole, end: Whole, wanted: Whole
) -> tuple[Whole, Whole]:
    """Bytes of the `wanted`-th (1..) comma-separated ALT; (end, end) when absent."""
    number = 1
    at = start
    for i in range(start, end + 1):
        if i == end or text[i] == 44:
            if number == wanted:
                return at, i
            number += 1
            at = i + 1
    return end, end


@njit(cache=True, nogil=True)
def _location(first: Whole, second: Whole) -> Whole:
    if second == POLYPLOID:
        return 7
    if second == HAPLOID:
        if first < 0:
            return 0
        return 1 if first == 0 else 5
    if first == 0 and second == 0:
        return 1
    if first > 0 and second == first:
        return 3
    if first > 0 and second > 0:
        return 4
    if first >= 0 and second >= 0:
        return 2
    if first < 0 and second < 0:
        return 0
    return 6


@njit(cache=True, nogil=True)
def _extent(
    text: NDArray[np.uint8],
    pos: Whole,
    ref: Whole,
    ref_end: Whole,
    alt: Whole,
    alt_end: Whole,
) -> tuple[Whole, Whole, bool]:
    """(start, end, only inserts) of all spelled-out ALTs, trimmed from the right."""
    low, high, insertion = 1 << 60, -1, True
    at = alt
    for i in range(alt, alt_end + 1):
        if i < alt_end and text[i] != 44:
            continue
        if is_sequence(text, at, i):
            r, r_end, a, a_end = ref, ref_end, at, i
            while (
                r < r_end
                and a < a_end
                and _upper(text[r_end - 1]) == _upper(text[a_end - 1])
            ):
                r_end -= 1
                a_end -= 1
            while r < r_end and a < a_end and _upper(text[r]) == _upper(text[a]):
                r += 1
                a += 1
            start = pos + r - ref
            if r_end > r:
                insertion = False
                low, high = min(low, start), max(high, pos + r_end - ref)
            else:
                low, high = min(low, start - 1), max(high, start + 1)
        at = i + 1
    if high < 0:
        return pos, pos + ref_end - ref, False
    return max(low, 0), high, insertion


@njit(cache=True, nogil=True)
def _classify(
    text: NDArray[np.uint8],
    line: NDArray[np.int64],
    fields: NDArray[np.uint32],
    pos: NDArray[np.int32],
    gt: NDArray[np.int16],
    variant: NDArray[np.uint8],
    location: NDArray[np.uint8],
    subtypes: NDArray[np.uint16],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    insertion: NDArray[np.bool_],
) -> None:
    for i in range(len(line)):
        ref = line[i] + fields[i, 2]
        alt = line[i] + fields[i, 3]
        ref_end, alt_end = alt - 1, line[i] + fields[i, 4] - 1
        first, second = gt[i, 0], gt[i, 1]
        location[i] = _location(first, second)
        if (
            ref_end - ref == 1
            and alt_end - alt == 1
            and is_sequence(text, alt, alt_end)
        ):
            start[i], end[i] = pos[i], pos[i] + 1
        else:
            start[i], end[i], insertion[i] = _extent(
                text, pos[i], ref, ref_end, alt, alt_end
            )
        if first < 0 and second < 0:
            continue
        if first <= 0 and second <= 0:
            if first >= 0 and (second == 0 or second == HAPLOID):
                variant[i] = 3
            else:
                variant[i] = 4
            continue
        kinds = bits = 0
        for side in range(2):
            allele = gt[i, side]
            if allele <= 0 or (side == 1 and allele == first):
                continue
            a, a_end = allele_span(text, alt, alt_end, allele)
            if is_sequence(text, a, a_end):
                kind, more = allele_kind(text, ref, ref_end, a, a_end)
                kinds |= kind
                bits |= more
        variant[i] = 1 if kinds == 1 else (2 if kinds else 4)
        subtypes[i] = bits


FIELDS_USED = (Field.REF, Field.ALT, Field.QUAL)
"""The columns that `_classify` addresses by number: 2, 3 and 4."""
