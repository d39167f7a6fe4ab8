"""One pass over VCF text: where the fields lie, and the numbers that matter.

Compiled. Text is an array of bytes that holds whole lines without the header. Lines
that can never be a variant (gVCF reference blocks) are counted and left at once.
"""

# Plain loops are what the compiler turns into fast code.
# ruff: noqa: SIM110

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import HAPLOID, MISSING, Field, Status

Bytes = NDArray[np.uint8]
FIELDS = len(Field)
SCORE_QUAL, SCORE_GQ, SCORE_INFO = 0, 1, 2
TAB, NEWLINE, RETURN, DOT, COMMA = 9, 10, 13, 46, 44
COLON, SEMICOLON, EQUALS, SLASH, PIPE = 58, 59, 61, 47, 124
LESS, STAR, OPEN, CLOSE, MINUS, PLUS = 60, 42, 91, 93, 45, 43
HASH = 35
POLYPLOID = -3

REFERENCE_BLOCK, KEPT, MALFORMED, UNKNOWN_CONTIG = 0, 1, 2, 3
SHORTEST = 11
"""Bytes of the shortest line that can be kept: seven tabs, CHROM, POS, REF, the end."""


class Columns(NamedTuple):
    """What one scan finds; arrays of the same length, cut to the lines kept."""

    line: NDArray[np.int64]
    fields: NDArray[np.uint32]
    contig: NDArray[np.int32]
    pos: NDArray[np.int32]
    ref_len: NDArray[np.int32]
    n_alts: NDArray[np.uint16]
    gt: NDArray[np.int16]
    phased: NDArray[np.bool_]
    qual: NDArray[np.float32]
    score: NDArray[np.float32]
    passed: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def _find(text, at, stop, byte):  # type: ignore[no-untyped-def]
    while at < stop and text[at] != byte:
        at += 1
    return at


class _Memchr:
    """The C library's, called by compiled code only: it looks at 32 bytes at once."""

    def __call__(self, first: int, byte: int, size: int) -> int:
        raise NotImplementedError("memchr is for compiled code")

    @property
    def _numba_type_(self) -> Any:
        from numba import types

        signature = types.intp(types.intp, types.intc, types.uintp)
        return types.ExternalFunction("memchr", signature)


_memchr = _Memchr()


@njit(cache=True, nogil=True)
def _find_far(text, at, stop, byte):  # type: ignore[no-untyped-def]
    """As `_find`, for what lies further than a few bytes away."""
    if at >= stop:
        return stop
    first = text.ctypes.data
    found = _memchr(first + at, byte, stop - at)
    return found - first if found else stop


@njit(cache=True, nogil=True)
def parse_number(text, at, stop):  # type: ignore[no-untyped-def]
    """The decimal number in text[at:stop], NaN where it is none or missing."""
    negative = at < stop and text[at] == MINUS
    if at < stop and (text[at] == MINUS or text[at] == PLUS):
        at += 1
    value, scale, digits, fraction = 0.0, 1.0, 0, False
    while at < stop:
        byte = text[at]
        if 48 <= byte <= 57:
            value = value * 10.0 + (byte - 48)
            if fraction:
                scale *= 10.0
            digits += 1
        elif byte == DOT and not fraction:
            fraction = True
        else:
            break
        at += 1
    if digits == 0:
        return np.nan
    exponent = 0
    if at < stop and (text[at] == 101 or text[at] == 69):
        at += 1
        minus = at < stop and text[at] == MINUS
        if at < stop and (text[at] == MINUS or text[at] == PLUS):
            at += 1
        while at < stop and 48 <= text[at] <= 57:
            exponent = min(exponent * 10 + (text[at] - 48), 400)
            at += 1
        exponent = -exponent if minus else exponent
    if at < stop:
        return np.nan
    value = value / scale * 10.0**exponent
    return -value if negative else value


@njit(cache=True, nogil=True)
def _parse_genotype(text, at, stop, gt, phased, row):  # type: ignore[no-untyped-def]
    """Alleles of GT into gt[row]; POLYPLOID in the second where there are more."""
    gt[row, 0], gt[row, 1] = MISSING, HAPLOID
    phased[row] = False
    allele, digits, count = 0, 0, 0
    while at <= stop:
        byte = text[at] if at < stop else SLASH
        if 48 <= byte <= 57:
            allele = min(allele * 10 + (byte - 48), 32000)
            digits += 1
        elif byte in (SLASH, PIPE):
            if count == 0 and digits == 0 and at < stop and text[at - 1] != DOT:
                at += 1  # VCF 4.4: a leading separator
                continue
            if count < 2:
                gt[row, count] = allele if digits else MISSING
            else:
                gt[row, 1] = POLYPLOID
            phased[row] |= byte == PIPE
            count, allele, digits = count + 1, 0, 0
        elif byte != DOT:
            gt[row, 0], gt[row, 1] = MISSING, MISSING
            return
        at += 1


@njit(cache=True, nogil=True)
def _info_number(text, at, stop, key):  # type: ignore[no-untyped-def]
    """The first number of INFO key in text[at:stop], else NaN."""
    while at < stop:
        k = 0
        while k < len(key) and at + k < stop and text[at + k] == key[k]:
            k += 1
        end = _find(text, at, stop, SEMICOLON)
        if k == len(key) and at + k < stop and text[at + k] == EQUALS:
            comma = _find(text, at + k + 1, end, COMMA)
            return parse_number(text, at + k + 1, comma)
        at = end + 1
    return np.nan


@njit(cache=True, nogil=True)
def _format_number(text, at, stop, sample, sample_end, key):  # type: ignore[no-untyped-def]
    """The number of a FORMAT key (two bytes) of the sample, else NaN."""
    while at < stop:
        key_end = _find(text, at, stop, COLON)
        value_end = _find(text, sample, sample_end, COLON)
        if key_end - at == 2 and text[at] == key[0] and text[at + 1] == key[1]:
            return parse_number(text, sample, value_end)
        at, sample = key_end + 1, value_end + 1
        if sample > sample_end:
            break
    return np.nan


@njit(cache=True, nogil=True)
def _same_name(text, at, end, names, offsets, contig):  # type: ignore[no-untyped-def]
    start = offsets[contig]
    if offsets[contig + 1] - start != end - at:
        return False
    for k in range(end - at):
        if text[at + k] != names[start + k]:
            return False
    return True


@njit(cache=True, nogil=True)
def _contig_of(text, at, end, names, offsets, previous):  # type: ignore[no-untyped-def]
    """Index of the name in text[at:end], -1 if it is unknown."""
    count = len(offsets) - 1
    if previous >= 0 and _same_name(text, at, end, names, offsets, previous):
        return previous
    for contig in range(count):
        if _same_name(text, at, end, names, offsets, contig):
            return contig
    return -1


@njit(cache=True, nogil=True)
def _is_block(text, at, end):  # type: ignore[no-untyped-def]
    """Whether ALT in text[at:end] is `.`, `<NON_REF>` or `<*>`: no variant."""
    if end - at == 1:
        return text[at] == DOT
    if text[at] != LESS:
        return False
    if end - at == 3:
        return text[at + 1] == STAR
    return end - at == 9 and text[at + 1] == 78 and text[at + 4] == 95


@njit(cache=True, nogil=True)
def _pass_blocks(  # type: ignore[no-untyped-def]
    text, at, last, names, offsets, contig, name_size, places
):
    """Pass the lines whose columns lie where those of a reference block lay, up to an
    ALT that is no variant; returns where the first other line begins, and how many.

    places: where ID, REF and ALT begin and ALT ends, from the begin of the line.
    """
    id_off, ref_off, alt_off, end_off = places
    passed = 0
    while at < last:
        stop = _find_far(text, at, last, NEWLINE)
        if not (
            at + end_off < stop
            and text[at + end_off] == TAB
            and text[at + alt_off - 1] == TAB
            and text[at + ref_off - 1] == TAB
            and text[at + id_off - 1] == TAB
            and text[at + name_size] == TAB
            and _is_block(text, at + alt_off, at + end_off)
            and _same_name(text, at, at + name_size, names, offsets, contig)
        ):
            break
        at = stop + 1
        passed += 1
    return at, passed


@njit(cache=True, nogil=True)
def scan_lines(  # type: ignore[no-untyped-def]
    text,
    begin,
    last,
    names,
    offsets,
    sample,
    score_kind,
    score_key,
    columns,
    counts,
    seen,
):
    """Fill `columns` with the variant lines of text[begin:last]; returns how many.

    names, offsets: contig names end to end. sample: index of the sample, -1 without
    samples. counts: by kind of line; counts[4] is the first bad one (offset + 1). seen:
    lines by contig, the last for unknown names.
    """
    at, row, contig, name_size = begin, 0, -1, 0
    places = (0, 0, 0, 0)  # of the last block's columns
    line, fields, contigs, poss, ref_lens, n_alts, gts = columns[:7]
    phased, quals, scores, passed = columns[7:]
    gq = np.array([71, 81], dtype=np.uint8)
    while at < last:
        if places[0] and contig >= 0:
            at, blocks = _pass_blocks(
                text, at, last, names, offsets, contig, name_size, places
            )
            counts[REFERENCE_BLOCK] += blocks
            seen[contig] += blocks
            if at >= last:
                break
        start, stop = at, _find_far(text, at, last, NEWLINE)
        at = stop + 1
        if start == stop or text[start] == HASH:
            continue
        end = _find(text, start, stop, TAB)
        name_size = end - start
        contig = _contig_of(text, start, end, names, offsets, contig)
        pos_at = end + 1
        pos, pos_end = 0, pos_at
        while pos_end < stop and 48 <= text[pos_end] <= 57:
            pos = min(pos * 10 + (text[pos_end] - 48), 1 << 40)
            pos_end += 1
        good = pos_at < pos_end < stop and text[pos_end] == TAB and pos < 2147483647
        id_at = pos_end + 1
        ref_at = _find(text, id_at, stop, TAB) + 1
        alt_at = _find(text, ref_at, stop, TAB) + 1
        alt_end = alt_at
        commas = 0
        while alt_end < stop and text[alt_end] != TAB:
            commas += text[alt_end] == COMMA
            alt_end += 1
        if good and _is_block(text, alt_at, alt_end):
            counts[REFERENCE_BLOCK] += 1
            seen[contig] += 1
            places = (id_at - start, ref_at - start, alt_at - start, alt_end - start)
            continue
        if stop > start and text[stop - 1] == RETURN:
            stop -= 1
        if contig < 0 and good and alt_end < stop:
            counts[UNKNOWN_CONTIG] += 1
            seen[contig] += 1
            continue
        qual_at = alt_end + 1
        filter_at = _find(text, qual_at, stop, TAB) + 1
        info_at = _find(text, filter_at, stop, TAB) + 1
        info_end = _find_far(text, info_at, stop, TAB)
        if not good or info_at > stop or alt_end >= stop or alt_at - ref_at < 2:
            counts[MALFORMED] += 1
            if counts[4] == 0:
                counts[4] = start + 1
            continue
        format_at, format_end, sample_at, sample_end = stop, stop, stop, stop
        if sample >= 0 and info_end < stop:
            format_at = info_end + 1
            format_end = _find(text, format_at, stop, TAB)
            sample_at = format_end + 1
            for _ in range(sample):
                sample_at = _find_far(text, sample_at, stop, TAB) + 1
            if sample_at > stop:
                counts[MALFORMED] += 1
                if counts[4] == 0:
                    counts[4] = start + 1
                continue
            sample_end = _find_far(text, sample_at, stop, TAB)
        counts[KEPT] += 1
        seen[contig] += 1
        line[row] = start
        fields[row, 0] = pos_at - start
        fields[row, 1] = id_at - start
        fields[row, 2] = ref_at - start
        fields[row, 3] = alt_at - start
        fields[row, 4] = qual_at - start
        fields[row, 5] = filter_at - start
        fields[row, 6] = info_at - start
        fields[row, 7] = format_at - start
        fields[row, 8] = format_end - start
        fields[row, 9] = sample_at - start
        fields[row, 10] = sample_end - start
        fields[row, 11] = stop - start
        contigs[row] = contig
        poss[row] = pos - 1
        ref_lens[row] = alt_at - 1 - ref_at
        n_alts[row] = min(commas + 1, 65535)
        gts[row, 0], gts[row, 1] = MISSING, HAPLOID
        phased[row] = False
        if (
            format_end - format_at >= 2
            and text[format_at] == 71
            and text[format_at + 1] == 84
            and (format_end - format_at == 2 or text[format_at + 2] == COLON)
        ):
            gt_end = _find(text, sample_at, sample_end, COLON)
            _parse_genotype(text, sample_at, gt_end, gts, phased, row)
        quals[row] = parse_number(text, qual_at, filter_at - 1)
        if score_kind == SCORE_QUAL:
            scores[row] = quals[row]
        elif score_kind == SCORE_GQ:
            scores[row] = _format_number(
                text, format_at, format_end, sample_at, sample_end, gq
            )
        else:
            scores[row] = _info_number(text, info_at, info_end, score_key)
        size_of_filter = info_at - 1 - filter_at
        passed[row] = (size_of_filter == 1 and text[filter_at] == DOT) or (
            size_of_filter == 4
            and text[filter_at] == 80
            and text[filter_at + 1] == 65
            and text[filter_at + 2] == 83
            and text[filter_at + 3] == 83
        )
        row += 1
    return row


@njit(cache=True, nogil=True)
def kept_bytes(fields):  # type: ignore[no-untyped-def]
    """Bytes of the lines as `compact` writes them."""
    total = np.int64(0)
    for row in range(len(fields)):
        total += np.int64(fields[row, 6]) + 2
        if fields[row, 7] < fields[row, 11]:
            total += np.int64(fields[row, 8]) - fields[row, 7] + 1
            total += np.int64(fields[row, 10]) - fields[row, 9] + 1
    return total


@njit(cache=True, nogil=True)
def compact(text, line, fields, out):  # type: ignore[no-untyped-def]
    """Copy the lines to `out`, end to end, without INFO and without other samples.

    `line` and `fields` become the offsets there. INFO, which nobody reads again, is a
    dot then: it is most of the text of many files.
    """
    at = np.int64(0)
    for row in range(len(line)):
        start, head = line[row], np.int64(fields[row, 6])
        out[at : at + head] = text[start : start + head]
        out[at + head] = DOT
        end = head + 1
        if fields[row, 7] < fields[row, 11]:
            for first, last in ((7, 8), (9, 10)):
                begin = start + np.int64(fields[row, first])
                size = np.int64(fields[row, last]) - np.int64(fields[row, first])
                out[at + end] = TAB
                out[at + end + 1 : at + end + 1 + size] = text[begin : begin + size]
                fields[row, first] = end + 1
                end += 1 + size
                fields[row, last] = end
            fields[row, 11] = end
        else:
            for column in range(7, 12):
                fields[row, column] = end
        out[at + end] = NEWLINE
        line[row] = at
        at += end + 1
    return at


def empty_columns(rows: int) -> Columns:
    """Uncommitted columns for at most `rows` lines."""
    return Columns(
        np.empty(rows, np.int64),
        np.empty((rows, FIELDS), np.uint32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.uint16),
        np.empty((rows, 2), np.int16),
        np.empty(rows, np.bool_),
        np.empty(rows, np.float32),
        np.empty(rows, np.float32),
        np.empty(rows, np.bool_),
    )


@njit(cache=True, nogil=True)
def find_newline(text, at, stop):  # type: ignore[no-untyped-def]
    """Position of the first newline of text[at:stop], or stop."""
    return _find_far(text, at, stop, NEWLINE)


@njit(cache=True, nogil=True)
def last_newline(text, start, stop):  # type: ignore[no-untyped-def]
    """Position after the last newline of text[start:stop], or start if none."""
    while stop > start and text[stop - 1] != NEWLINE:
        stop -= 1
    return stop


@njit(cache=True, nogil=True)
def is_base(byte):  # type: ignore[no-untyped-def]
    """A, C, G, T or N in either case."""
    upper = byte & 0xDF
    return upper == 65 or upper == 67 or upper == 71 or upper == 84 or upper == 78


@njit(cache=True, nogil=True)
def allele_span(text, at, end, number):  # type: ignore[no-untyped-def]
    """Start and end of ALT allele `number` (1-based) in text[at:end]."""
    for _ in range(number - 1):
        at = _find(text, at, end, COMMA) + 1
    return at, _find(text, at, end, COMMA)


@njit(cache=True, nogil=True)
def allele_kind(text, at, end):  # type: ignore[no-untyped-def]
    """JUDGED for bases, else why not: SYMBOLIC (also `*`), BREAKEND or BAD_ALLELE."""
    if end <= at:
        return Status.BAD_ALLELE.value
    bases, star = True, False
    for k in range(at, end):
        byte = text[k]
        if byte in (OPEN, CLOSE):
            return Status.BREAKEND.value
        if byte in (LESS, STAR):
            star = True
        bases = bases and is_base(byte)
    if star or (end - at == 1 and text[at] == DOT):
        return Status.SYMBOLIC.value
    if not bases and (text[at] == DOT or text[end - 1] == DOT):
        return Status.BREAKEND.value
    return Status.JUDGED.value if bases else Status.BAD_ALLELE.value
