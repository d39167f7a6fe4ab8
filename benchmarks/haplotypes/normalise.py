"""What each record replays: its two alleles, trimmed, and why it is not compared.

Compiled; one call for the records of one contig. With `ref_overlap` an allele loses all
leading, then all trailing bases that it shares with REF, and the reference allele
replays nothing, so records may overlap where neither changes what the other does.
Without, only one leading base that all alleles share is dropped, and REF is an allele
like the others.
"""

# Plain loops are what the compiler turns into fast code.
# ruff: noqa: SIM110

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import HAPLOID, MISSING, Field, Records, Status
from benchmarks.haplotypes.reference import Sequence, base_at
from benchmarks.haplotypes.scan import POLYPLOID, allele_kind, allele_span

MAX_LENGTH = 1000
"""Bases; records with a longer allele are not compared (vcfeval's limit)."""
NULL = -1

REF, ALT, ALT_END = Field.REF.value, Field.ALT.value, Field.QUAL.value
JUDGED, NO_CALL, HOM_REF = Status.JUDGED.value, Status.NO_CALL.value, Status.HOM_REF
FILTERED, TOO_LONG = Status.FILTERED.value, Status.TOO_LONG.value
MANY, BAD_GENOTYPE = Status.POLYPLOID.value, Status.BAD_GENOTYPE.value
BAD_ALLELE = Status.BAD_ALLELE.value
OUTSIDE_CONTIG = Status.OUTSIDE_CONTIG.value
IS_REF = HOM_REF.value


# Columns of the alleles of a record: the reference bases that its genotype's alleles
# replace together, then for each of the two alleles: number, bases replaced, length
# (NULL where it replays nothing) and offset of its bases in the line.
START, END, ID, ALLELE_START, ALLELE_END, LENGTH, AT = 0, 1, 2, 4, 6, 8, 10
ALLELE_COLUMNS = 12


def empty_alleles(rows: int) -> NDArray[np.int32]:
    return np.empty((rows, ALLELE_COLUMNS), np.int32)


@njit(cache=True, nogil=True)
def _genotype_status(gt, row, n_alts):  # type: ignore[no-untyped-def]
    a, b = gt[row, 0], gt[row, 1]
    if b == POLYPLOID:
        return MANY
    if b == HAPLOID:
        b = a
    if a > n_alts or b > n_alts:
        return BAD_GENOTYPE
    if a == MISSING and b == MISSING:
        return NO_CALL
    if a <= 0 and b <= 0:
        return IS_REF
    return JUDGED


@njit(cache=True, nogil=True)
def _longest(text, at, end):  # type: ignore[no-untyped-def]
    """Length of the longest ALT in text[at:end], symbolic ones left out."""
    longest, size, symbolic = 0, 0, False
    for k in range(at, end + 1):
        if k == end or text[k] == 44:
            longest = max(longest, 0 if symbolic else size)
            size, symbolic = 0, False
        else:
            symbolic |= text[k] == 60 or text[k] == 91 or text[k] == 93
            size += 1
    return longest


@njit(cache=True, nogil=True)
def _agrees(text, at, size, place, reference):  # type: ignore[no-untyped-def]
    """Whether REF is what the FASTA says; letters other than ACGT fit any base."""
    data, offset, width, stride = reference
    for k in range(size):
        ours = text[at + k] & 0xDF
        base = base_at(data, offset, width, stride, place + k)
        if ours != base and _plain(ours) and _plain(base):
            return False
    return True


@njit(cache=True, nogil=True)
def _plain(byte):  # type: ignore[no-untyped-def]
    return byte == 65 or byte == 67 or byte == 71 or byte == 84


@njit(cache=True, nogil=True)
def _shares_first_base(text, ref_at, alt_at, alt_end):  # type: ignore[no-untyped-def]
    """Whether all ALTs begin with the first base of REF; `*` and `<..>` are passed."""
    first = text[ref_at] & 0xDF
    begin, shared = True, False
    for k in range(alt_at, alt_end):
        if begin and text[k] != 42 and text[k] != 60:
            if (text[k] & 0xDF) != first:
                return False
            shared = True
        begin = text[k] == 44
    return shared


@njit(cache=True, nogil=True)
def _same_bases(text, a, b, size):  # type: ignore[no-untyped-def]
    for k in range(size):
        if (text[a + k] ^ text[b + k]) & 0xDF:
            return False
    return True


@njit(cache=True, nogil=True)
def prepare(  # type: ignore[no-untyped-def]
    text,
    line,
    fields,
    pos,
    ref_len,
    n_alts,
    gt,
    passed,
    status,
    alleles,
    low,
    high,
    reference,
    length,
    pass_only,
    max_length,
    ref_overlap,
):
    """Set status and alleles of the rows [low, high), all of one contig.

    Returns how many disagree with the reference in REF, and the first that does. Such
    records are compared by what they make of the reference (as vcfeval does).
    """
    mismatches, first_mismatch = 0, -1
    for row in range(low, high):
        if status[row] != JUDGED:
            continue
        if pass_only and not passed[row]:
            status[row] = FILTERED
            continue
        state = _genotype_status(gt, row, n_alts[row])
        ref_at = line[row] + fields[row, REF]
        alt_at = line[row] + fields[row, ALT]
        alt_end = line[row] + fields[row, ALT_END] - 1
        size = ref_len[row]
        if state == JUDGED and (
            size > max_length or _longest(text, alt_at, alt_end) > max_length
        ):
            state = TOO_LONG
        if state == JUDGED and pos[row] + size > length:
            state = OUTSIDE_CONTIG
        if state == JUDGED:
            for k in range(ref_at, ref_at + size):
                letter = text[k] & 0xDF
                if letter < 65 or letter > 90:
                    state = BAD_ALLELE
        if state == JUDGED and pos[row] < 0:
            state = OUTSIDE_CONTIG
        if state == JUDGED and not _agrees(text, ref_at, size, pos[row], reference):
            mismatches += 1
            if first_mismatch < 0:
                first_mismatch = row
        if state == JUDGED:
            state = _set_alleles(
                text, line[row], ref_at, size, alt_at, alt_end, pos[row], gt, alleles,
                row, ref_overlap,
            )  # fmt: skip
        status[row] = state
    return mismatches, first_mismatch


@njit(cache=True, nogil=True)
def _set_alleles(  # type: ignore[no-untyped-def]
    text, line, ref_at, ref_size, alt_at, alt_end, pos, gt, alleles, row, ref_overlap
):
    pad = 0
    if not ref_overlap and _shares_first_base(text, ref_at, alt_at, alt_end):
        pad = 1
    verdict = IS_REF
    replays = False
    low, high = 2147483647, -1
    for slot in range(2):
        number = gt[row, slot]
        if number == HAPLOID:
            number = gt[row, 0]
        alleles[row, ID + slot] = number
        alleles[row, LENGTH + slot] = NULL
        if number == MISSING or (number == 0 and ref_overlap):
            continue
        if number == 0:
            at, stop = ref_at, ref_at + ref_size
        else:
            at, stop = allele_span(text, alt_at, alt_end, number)
            kind = allele_kind(text, at, stop)
            if kind == BAD_ALLELE:
                return BAD_ALLELE
            if kind != JUDGED:
                if verdict == IS_REF:
                    verdict = kind
                continue
        size = stop - at
        lead, tail = pad, 0
        if ref_overlap:
            shared = min(size, ref_size)
            lead = 0
            while lead < shared and not (text[at + lead] ^ text[ref_at + lead]) & 0xDF:
                lead += 1
            while (
                tail < shared - lead
                and not (text[stop - 1 - tail] ^ text[ref_at + ref_size - 1 - tail])
                & 0xDF
            ):
                tail += 1
        if number > 0:
            if size == ref_size and _same_bases(text, at, ref_at, size):
                continue
            replays = True
        alleles[row, ALLELE_START + slot] = pos + lead
        alleles[row, ALLELE_END + slot] = pos + ref_size - tail
        alleles[row, AT + slot] = at + lead - line
        alleles[row, LENGTH + slot] = size - lead - tail
        low = min(low, pos + lead)
        high = max(high, pos + ref_size - tail)
    if not replays:
        return verdict
    alleles[row, START], alleles[row, END] = low, high
    return JUDGED


def contig_reference(sequence: Sequence) -> tuple[NDArray[np.uint8], int, int, int]:
    """What compiled code needs of a contig's sequence."""
    return sequence.data, sequence.offset, sequence.width, sequence.stride


def prepare_contig(
    records: Records,
    alleles: NDArray[np.int32],
    low: int,
    high: int,
    sequence: Sequence,
    *,
    pass_only: bool,
    max_length: int,
    ref_overlap: bool,
) -> tuple[int, int]:
    """See `prepare`."""
    count, first = prepare(
        records.text,
        records.line,
        records.fields,
        records.pos,
        records.ref_len,
        records.n_alts,
        records.gt,
        records.passed,
        records.status,
        alleles,
        low,
        high,
        contig_reference(sequence),
        sequence.length,
        pass_only,
        max_length,
        ref_overlap,
    )
    return int(count), int(first)
