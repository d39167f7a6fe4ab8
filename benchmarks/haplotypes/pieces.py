"""Records split into primitive alleles, shifted left and joined by position. Compiled.

What hap.py's pre.py does with the query before it compares: alleles of several ALTs and
complex alleles are taken apart, indels move left as far as they can without passing the
call before them, and two heterozygous calls of one class (SNP or not) at one position
become one call with two ALTs.
"""

# Plain loops are what the compiler turns into fast code.
# ruff: noqa: SIM110

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.align import primitives
from benchmarks.haplotypes.classify import allele_span, is_sequence
from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import HAPLOID
from benchmarks.haplotypes.reference import base_at

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Whole = Any
"""An integer of compiled code, of whatever width."""

SOURCE, POS, REF_LEN, ALT, ALT_LEN, CARRIED, WHOLE, SNP, IN_POOL = range(9)
"""Columns of a piece. ALT: offset in the text, or in the pool (IN_POOL). CARRIED:
which haplotypes have it, 1 and 2 as bits, 4 a haploid call. WHOLE: the record as it
stands."""
COLUMNS = 9
FIRST, SECOND = 0, 1
"""Columns of a joined call: its pieces; SECOND is -1 for a call of one piece."""
LONGEST = 5_000
"""Records with a longer allele stay as they are."""


@njit(cache=True, nogil=True)
def _grown(table: Ints, count: Whole) -> Ints:
    if count < len(table):
        return table
    wider = np.empty((len(table) * 2 + 64, table.shape[1]), dtype=np.int64)
    wider[: len(table)] = table
    return wider


@njit(cache=True, nogil=True)
def _grown_pool(pool: Bytes, count: Whole, more: Whole) -> Bytes:
    if count + more <= len(pool):
        return pool
    wider = np.empty((count + more) * 2 + 1024, dtype=np.uint8)
    wider[:count] = pool[:count]
    return wider


@njit(cache=True, nogil=True)
def _simple(
    text: Bytes, ref: Whole, ref_end: Whole, alt: Whole, alt_end: Whole, decompose: bool
) -> Whole:
    """2 SNP, 1 anchored indel that cannot move left, 0 anything else; one ALT."""
    r, a = ref_end - ref, alt_end - alt
    if not is_sequence(text, ref, ref_end) or not is_sequence(text, alt, alt_end):
        return 0
    first_r, first_a = text[ref] & 0xDF, text[alt] & 0xDF
    if r == 1 and a == 1:
        return 2 if first_r != first_a else 0
    if r > 1 and a > 1:
        return 0
    if first_r != first_a:
        return 0
    last = text[ref_end - 1] & 0xDF if r > 1 else text[alt_end - 1] & 0xDF
    return 1 if last != first_r else 0


@njit(cache=True, nogil=True)
def split_contig(
    text: Bytes,
    line: Ints,
    fields: NDArray[np.uint32],
    pos: NDArray[np.int32],
    n_alts: NDArray[np.uint16],
    gt: NDArray[np.int16],
    status: NDArray[np.uint8],
    low: Whole,
    high: Whole,
    sequence: tuple[Bytes, Whole, Whole, Whole, Whole],
    leftshift: bool,
    decompose: bool,
) -> tuple[Ints, Bytes]:
    """Pieces of records [low, high), in order of position, and the pool of their ALTs.

    sequence: data, offset, width, stride and length of the contig.
    """
    table = np.empty((high - low + 64, COLUMNS), dtype=np.int64)
    pool = np.empty(1024, dtype=np.uint8)
    count, used, reach = 0, 0, np.int64(-1)
    for i in range(low, high):
        ref = line[i] + fields[i, 2]
        alt = line[i] + fields[i, 3]
        ref_end, alt_end = alt - 1, line[i] + fields[i, 4] - 1
        first, second = np.int64(gt[i, 0]), np.int64(gt[i, 1])
        table = _grown(table, count)
        haploid = second == HAPLOID
        called = first >= 0 and (second >= 0 or haploid) and (first > 0 or second > 0)
        kind = 0
        if called and status[i] == 0 and n_alts[i] == 1:
            kind = _simple(text, ref, ref_end, alt, alt_end, decompose)
        if kind or not called or status[i] != 0:
            carried = 3 if first == second else (4 if haploid else 1)
            if not called or status[i] != 0:
                carried = 4
            _put(table, count, i, pos[i], ref_end - ref, alt, alt_end - alt, carried,
                 1, 1 if kind == 2 else 0, 0)  # fmt: skip
            count += 1
            if called:
                reach = max(reach, pos[i] + ref_end - ref - 1)
            continue
        before, used_before = count, used
        limit, seen = reach, count
        bad = not _agrees(text, ref, ref_end, pos[i], sequence)
        for side in range(2):
            allele = first if side == 0 else second
            if bad or allele <= 0 or (side == 1 and allele == first):
                continue
            a, a_end = allele_span(text, alt, alt_end, allele)
            if (
                not is_sequence(text, a, a_end)
                or a_end - a > LONGEST
                or ref_end - ref > LONGEST
            ):
                bad = True
                continue
            carried = 3 if first == second else (4 if haploid else 1 << side)
            table, count, pool, used, fine = _take_apart(
                table, count, pool, used, text, ref, ref_end, a, a_end, pos[i], i,
                carried, sequence, limit, leftshift, decompose,
            )  # fmt: skip
            bad = bad or not fine
            for k in range(seen, count):
                limit = max(limit, table[k, POS] + table[k, REF_LEN] - 1)
            seen = count
        if bad:
            count, used = before, used_before
            _put(table, count, i, pos[i], ref_end - ref, alt, alt_end - alt, 4, 1, 0, 0)
            count += 1
        for k in range(before, count):
            reach = max(reach, table[k, POS] + table[k, REF_LEN] - 1)
    _sort(table, count)
    return table[:count].copy(), pool[:used].copy()


@njit(cache=True, nogil=True)
def _put(
    table: Ints,
    row: Whole,
    source: Whole,
    pos: Whole,
    ref_len: Whole,
    alt: Whole,
    alt_len: Whole,
    carried: Whole,
    whole: Whole,
    snp: Whole,
    in_pool: Whole,
) -> None:
    table[row, SOURCE], table[row, POS], table[row, REF_LEN] = source, pos, ref_len
    table[row, ALT], table[row, ALT_LEN], table[row, CARRIED] = alt, alt_len, carried
    table[row, WHOLE], table[row, SNP], table[row, IN_POOL] = whole, snp, in_pool


@njit(cache=True, nogil=True)
def _agrees(
    text: Bytes,
    ref: Whole,
    ref_end: Whole,
    pos: Whole,
    sequence: tuple[Bytes, Whole, Whole, Whole, Whole],
) -> bool:
    """Whether REF is what the reference has there."""
    data, offset, width, stride, length = sequence
    if pos < 1 or pos + ref_end - ref > length:
        return False
    for k in range(ref_end - ref):
        if text[ref + k] & 0xDF != base_at(data, offset, width, stride, pos + k):
            return False
    return True


@njit(cache=True, nogil=True)
def _take_apart(
    table: Ints,
    count: Whole,
    pool: Bytes,
    used: Whole,
    text: Bytes,
    ref: Whole,
    ref_end: Whole,
    alt: Whole,
    alt_end: Whole,
    pos: Whole,
    source: Whole,
    carried: Whole,
    sequence: tuple[Bytes, Whole, Whole, Whole, Whole],
    reach: Whole,
    leftshift: bool,
    decompose: bool,
) -> tuple[Ints, Whole, Bytes, Whole, bool]:
    """Adds the primitives of one allele. Fine is False when it is no change at all."""
    start = ref
    while ref < ref_end and alt < alt_end and text[ref] & 0xDF == text[alt] & 0xDF:
        ref += 1
        alt += 1
    while (
        ref < ref_end
        and alt < alt_end
        and text[ref_end - 1] & 0xDF == text[alt_end - 1] & 0xDF
    ):
        ref_end -= 1
        alt_end -= 1
    r, a = ref_end - ref, alt_end - alt
    if r == 0 and a == 0:
        return table, count, pool, used, False
    at = pos + ref - start
    if r == 0 or a == 0 or (r == 1 and a == 1) or not decompose:
        table, pool, used = _add(
            table, count, pool, used, text, alt, a, at, r, source, carried, sequence,
            reach, leftshift,
        )  # fmt: skip
        return table, count + 1, pool, used, True
    for op in primitives(text[ref:ref_end], text[alt:alt_end]):
        table, pool, used = _add(
            table, count, pool, used, text, alt + op[2], op[3], at + op[0], op[1],
            source, carried, sequence, reach, leftshift,
        )  # fmt: skip
        reach = max(reach, table[count, POS] + table[count, REF_LEN] - 1)
        count += 1
    return table, count, pool, used, True


@njit(cache=True, nogil=True)
def _add(
    table: Ints,
    count: Whole,
    pool: Bytes,
    used: Whole,
    text: Bytes,
    alt: Whole,
    alt_len: Whole,
    pos: Whole,
    ref_len: Whole,
    source: Whole,
    carried: Whole,
    sequence: tuple[Bytes, Whole, Whole, Whole, Whole],
    reach: Whole,
    leftshift: bool,
) -> tuple[Ints, Bytes, Whole]:
    """One primitive; a pure indel is shifted left and gets the base before it."""
    data, offset, width, stride, _ = sequence
    table = _grown(table, count)
    pool = _grown_pool(pool, used, alt_len + 1)
    if ref_len and alt_len:
        for k in range(alt_len):
            pool[used + k] = text[alt + k] & 0xDF
        snp = 1 if ref_len == 1 and alt_len == 1 else 0
        _put(table, count, source, pos, ref_len, used, alt_len, carried, 0, snp, 1)
        return table, pool, used + alt_len
    turn, size = 0, max(ref_len, alt_len)
    if leftshift:
        while pos - 2 >= max(reach, 0):
            before = base_at(data, offset, width, stride, pos - 1)
            if ref_len:
                last = np.int64(base_at(data, offset, width, stride, pos + size - 1))
            else:
                last = np.int64(text[alt + (size - 1 - turn) % size] & 0xDF)
            if before != last:
                break
            pos -= 1
            turn += 1
    pool[used] = base_at(data, offset, width, stride, pos - 1)
    for k in range(alt_len):
        pool[used + 1 + k] = text[alt + (k - turn) % alt_len] & 0xDF
    _put(table, count, source, pos - 1, ref_len + 1, used, alt_len + 1, carried, 0, 0,
         1)  # fmt: skip
    return table, pool, used + alt_len + 1


@njit(cache=True, nogil=True)
def _sort(table: Ints, count: Whole) -> None:
    """By position, stable; pieces are nearly in order."""
    held = np.empty(COLUMNS, dtype=np.int64)
    for i in range(1, count):
        if table[i, POS] >= table[i - 1, POS]:
            continue
        held[:] = table[i]
        k = i
        while k > 0 and table[k - 1, POS] > held[POS]:
            table[k] = table[k - 1]
            k -= 1
        table[k] = held


@njit(cache=True, nogil=True)
def _same_filter(
    text: Bytes, line: Ints, fields: NDArray[np.uint32], i: Whole, j: Whole
) -> bool:
    size = fields[i, 6] - fields[i, 5]
    if fields[j, 6] - fields[j, 5] != size:
        return False
    a, b = line[i] + fields[i, 5], line[j] + fields[j, 5]
    for k in range(size):
        if text[a + k] != text[b + k]:
            return False
    return True


@njit(cache=True, nogil=True)
def _same_allele(text: Bytes, pool: Bytes, one: Ints, other: Ints) -> bool:
    if one[REF_LEN] != other[REF_LEN] or one[ALT_LEN] != other[ALT_LEN]:
        return False
    for k in range(one[ALT_LEN]):
        a = pool[one[ALT] + k] if one[IN_POOL] else text[one[ALT] + k]
        b = pool[other[ALT] + k] if other[IN_POOL] else text[other[ALT] + k]
        if a & 0xDF != b & 0xDF:
            return False
    return True


@njit(cache=True, nogil=True)
def join_pieces(
    text: Bytes,
    line: Ints,
    fields: NDArray[np.uint32],
    n_alts: NDArray[np.uint16],
    pos: NDArray[np.int32],
    table: Ints,
    pool: Bytes,
) -> tuple[Ints, NDArray[np.int16], NDArray[np.bool_]]:
    """(pieces of each call, genotype, whether the record stands as it is)."""
    calls = np.empty((len(table), 2), dtype=np.int64)
    gt = np.zeros((len(table), 2), dtype=np.int16)
    whole = np.zeros(len(table), dtype=np.bool_)
    count = 0
    for i in range(len(table)):
        carried = table[i, CARRIED]
        joins = False
        if count and carried in (1, 2):
            back = calls[count - 1, FIRST]
            joins = (
                calls[count - 1, SECOND] < 0
                and table[back, POS] == table[i, POS]
                and table[back, CARRIED] in (1, 2)
                and table[back, SNP] == table[i, SNP]
                and _same_filter(text, line, fields, table[back, SOURCE],
                                 table[i, SOURCE])
            )  # fmt: skip
        if joins:
            count -= 1
            calls[count, SECOND] = i
            whole[count] = False
            if _same_allele(text, pool, table[back], table[i]):
                calls[count, SECOND] = -1
                gt[count, 0], gt[count, 1] = 1, 1
                table[back, CARRIED] = 3
            else:
                gt[count, 0], gt[count, 1] = 1, 2
                source = table[i, SOURCE]
                whole[count] = (
                    table[back, SOURCE] == source
                    and n_alts[source] == 2
                    and table[i, POS] == pos[source]
                )
        else:
            calls[count, FIRST], calls[count, SECOND] = i, -1
            whole[count] = table[i, WHOLE]
            if carried == 4:
                gt[count, 0], gt[count, 1] = 1, HAPLOID
            else:
                gt[count, 0], gt[count, 1] = (1, 1) if carried == 3 else (0, 1)
        count += 1
    return calls[:count], gt[:count], whole[:count]
