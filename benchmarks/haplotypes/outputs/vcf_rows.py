"""The bytes of the VCF's rows, assembled by compiled code.

What a sample column says besides genotype and score takes few values in a whole file,
so it is spelled out once for each (`Words`) and copied. The kernels take plain arrays:
passing structures of arrays costs more than writing the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import allele_span
from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import HAPLOID, Records
from benchmarks.haplotypes.rows import Rows

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Whole = Any
"""An integer of compiled code, of whatever width."""
_FIXED = 64
"""Bytes of a row besides names, alleles, filter, words and labels, at most."""


@dataclass(frozen=True)
class Words:
    """Strings one after the other: word i is blob[edges[i] : edges[i + 1]]."""

    blob: Bytes
    edges: Ints

    def longest(self) -> int:
        return int(np.diff(self.edges).max(initial=0))


def words(values: list[str]) -> Words:
    encoded = [value.encode() for value in values]
    edges = np.cumsum([0, *(len(value) for value in encoded)]).astype(np.int64)
    return Words(np.frombuffer(b"".join(encoded) + b" ", dtype=np.uint8), edges)


@dataclass(frozen=True)
class Inputs:
    """All that rows are made of, besides the records.

    `tails`: the text from after the superlocus to before the truth's genotype, by tag;
    with strata it stops before their labels and `ends` goes on. Label k is written for
    the rows that have bit k & 7 of `bits[k >> 3]`.
    """

    rows: Rows
    truth: Records
    query: Records
    names: Words
    truth_word: NDArray[np.uint16]
    query_word: NDArray[np.uint16]
    samples: Words
    tag: NDArray[np.uint8]
    tails: Words
    ends: Words
    labels: Words
    bits: NDArray[np.uint8]


def write_rows(inputs: Inputs, first: int, last: int) -> tuple[Bytes, Ints]:
    """(text, offset of each row and of the end) of rows [first, last)."""
    span = slice(first, last)
    rows, t, q = inputs.rows, inputs.truth, inputs.query
    truth, query, tag = rows.truth[span], rows.query[span], inputs.tag[span]
    bits = inputs.bits[:, span]
    widest = _FIXED + inputs.names.longest() + 2 * inputs.samples.longest()
    widest += inputs.tails.longest() + inputs.ends.longest()
    room = widest * (last - first) + _alleles(truth, query, t.fields, q.fields)
    room += _label_bytes(bits, inputs.labels.edges)
    out = np.empty(room, dtype=np.uint8)
    offsets = np.empty(last - first + 1, dtype=np.int64)
    at = _write(
        out, offsets, rows.contig[span], truth, query, rows.superlocus[span],
        rows.truth_score[span], inputs.truth_word[span], inputs.query_word[span], tag,
        inputs.names.blob, inputs.names.edges, inputs.samples.blob,
        inputs.samples.edges, inputs.tails.blob, inputs.tails.edges, inputs.ends.blob,
        inputs.ends.edges, inputs.labels.blob, inputs.labels.edges, bits,
        t.text, t.line, t.fields, t.pos, t.gt, t.phased,
        q.text, q.line, q.fields, q.pos, q.gt, q.phased, q.score,
    )  # fmt: skip
    return out[:at], offsets


@njit(cache=True, nogil=True)
def _alleles(
    truth: NDArray[np.int32],
    query: NDArray[np.int32],
    t_fields: NDArray[np.uint32],
    q_fields: NDArray[np.uint32],
) -> Whole:
    """Bytes of REF, ALT and FILTER of all rows, at most."""
    total = 0
    for i in range(len(truth)):
        if truth[i] >= 0:
            total += t_fields[truth[i], 6] - t_fields[truth[i], 2]
        if query[i] >= 0:
            total += q_fields[query[i], 6] - q_fields[query[i], 2]
    return total


@njit(cache=True, nogil=True)
def _label_bytes(bits: NDArray[np.uint8], edges: Ints) -> Whole:
    total = 0
    for k in range(len(edges) - 1):
        size = edges[k + 1] - edges[k] + 1
        for i in range(bits.shape[1]):
            if bits[k >> 3, i] >> (k & 7) & 1:
                total += size
    return total


@njit(cache=True, nogil=True, inline="always")
def _lowest_bit(byte: Whole) -> Whole:
    """Number of the lowest bit of a byte that is not 0."""
    low = byte & -byte
    return ((low & 0xF0) != 0) * 4 + ((low & 0xCC) != 0) * 2 + ((low & 0xAA) != 0)


@njit(cache=True, nogil=True, inline="always")
def _copy(out: Bytes, at: Whole, source: Bytes, begin: Whole, end: Whole) -> Whole:
    for k in range(end - begin):
        out[at + k] = source[begin + k]
    return at + end - begin


@njit(cache=True, nogil=True)
def _integer(out: Bytes, at: Whole, value: Whole) -> Whole:
    digits, left = 1, value // 10
    while left:
        digits += 1
        left //= 10
    for k in range(digits - 1, -1, -1):
        out[at + k] = 48 + value % 10
        value //= 10
    return at + digits


@njit(cache=True, nogil=True)
def _score(out: Bytes, at: Whole, value: float) -> Whole:
    """Up to four decimals, without trailing zeros; `.` for none."""
    if not np.isfinite(value):
        out[at] = 46
        return at + 1
    if value < 0:
        out[at] = 45
        at += 1
        value = -value
    if value > 1e14:
        return _integer(out, at, np.int64(min(value, 9e18)))
    scaled = np.int64(value * 10_000 + 0.5)
    at = _integer(out, at, scaled // 10_000)
    rest = scaled % 10_000
    if rest:
        out[at] = 46
        at += 1
        place = 1000
        while rest:
            out[at] = 48 + rest // place
            at += 1
            rest %= place
            place //= 10
    return at


@njit(cache=True, nogil=True, inline="always")
def _same(a: Bytes, at: Whole, b: Bytes, other: Whole, size: Whole) -> bool:
    same = True
    for k in range(size):
        if a[at + k] != b[other + k]:
            same = False
            break
    return same


@njit(cache=True, nogil=True)
def _count(text: Bytes, begin: Whole, end: Whole) -> Whole:
    """How many ALTs."""
    count = 1
    for k in range(begin, end):
        count += text[k] == 44
    return count


@njit(cache=True, nogil=True)
def _join_alts(
    out: Bytes,
    at: Whole,
    t_text: Bytes,
    t_begin: Whole,
    t_end: Whole,
    q_text: Bytes,
    q_begin: Whole,
    q_end: Whole,
    remap: Ints,
) -> Whole:
    """Adds the truth's ALTs that the query has not; `remap` gets their new numbers."""
    held = _count(q_text, q_begin, q_end)
    added = held
    for allele in range(1, _count(t_text, t_begin, t_end) + 1):
        a, a_end = allele_span(t_text, t_begin, t_end, allele)
        remap[allele] = 0
        for other in range(1, held + 1):
            b, b_end = allele_span(q_text, q_begin, q_end, other)
            if b_end - b == a_end - a and _same(t_text, a, q_text, b, a_end - a):
                remap[allele] = other
                break
        if remap[allele] == 0:
            added += 1
            remap[allele] = added
            out[at] = 44
            at = _copy(out, at + 1, t_text, a, a_end)
    return at


@njit(cache=True, nogil=True)
def _genotype(
    out: Bytes,
    at: Whole,
    first: Whole,
    second: Whole,
    phased: bool,
    joined: bool,
    remap: Ints,
) -> Whole:
    for side in range(2):
        allele = first if side == 0 else second
        if side == 1:
            if allele == HAPLOID:
                break
            out[at] = 124 if phased else 47
            at += 1
        if allele < 0:
            out[at] = 46
            at += 1
        else:
            if joined and 0 < allele < len(remap):
                allele = remap[allele]
            at = _integer(out, at, allele)
    return at


@njit(cache=True, nogil=True)
def _write(
    out: Bytes,
    offsets: Ints,
    contig: NDArray[np.int32],
    truth: NDArray[np.int32],
    query: NDArray[np.int32],
    superlocus: NDArray[np.int32],
    truth_score: NDArray[np.int32],
    truth_word: NDArray[np.uint16],
    query_word: NDArray[np.uint16],
    tag: NDArray[np.uint8],
    names: Bytes,
    name_edges: Ints,
    samples: Bytes,
    sample_edges: Ints,
    tails: Bytes,
    tail_edges: Ints,
    ends: Bytes,
    end_edges: Ints,
    labels: Bytes,
    label_edges: Ints,
    bits: NDArray[np.uint8],
    t_text: Bytes,
    t_line: Ints,
    t_fields: NDArray[np.uint32],
    t_pos: NDArray[np.int32],
    t_gt: NDArray[np.int16],
    t_phased: NDArray[np.bool_],
    q_text: Bytes,
    q_line: Ints,
    q_fields: NDArray[np.uint32],
    q_pos: NDArray[np.int32],
    q_gt: NDArray[np.int16],
    q_phased: NDArray[np.bool_],
    q_score: NDArray[np.float32],
) -> Whole:
    at = 0
    remap = np.empty(64, dtype=np.int64)
    for i in range(len(truth)):
        offsets[i] = at
        t, q = truth[i], query[i]
        at = _copy(out, at, names, name_edges[contig[i]], name_edges[contig[i] + 1])
        out[at] = 9
        pos = (q_pos[q] if q >= 0 else t_pos[t]) + 1
        at = _integer(out, at + 1, np.int64(pos))
        out[at], out[at + 1], out[at + 2] = 9, 46, 9
        at += 3
        joined = False
        if q >= 0:
            q_alt = q_line[q] + q_fields[q, 3]
            q_end = q_line[q] + q_fields[q, 4] - 1
            at = _copy(out, at, q_text, q_line[q] + q_fields[q, 2], q_end)
        if t >= 0:
            t_alt = t_line[t] + t_fields[t, 3]
            t_end = t_line[t] + t_fields[t, 4] - 1
            if q < 0:
                at = _copy(out, at, t_text, t_line[t] + t_fields[t, 2], t_end)
            elif t_end - t_alt != q_end - q_alt or not _same(
                t_text, t_alt, q_text, q_alt, t_end - t_alt
            ):
                joined = True
                wanted = _count(t_text, t_alt, t_end) + 1
                if wanted > len(remap):
                    remap = np.empty(wanted * 2, dtype=np.int64)
                at = _join_alts(
                    out, at, t_text, t_alt, t_end, q_text, q_alt, q_end, remap
                )
        out[at], out[at + 1], out[at + 2] = 9, 46, 9
        at += 3
        if q >= 0:
            begin = q_line[q] + q_fields[q, 5]
            at = _copy(out, at, q_text, begin, q_line[q] + q_fields[q, 6] - 1)
        else:
            out[at] = 46
            at += 1
        out[at] = 9
        at += 1
        if superlocus[i]:
            out[at], out[at + 1], out[at + 2] = 66, 83, 61
            at = _integer(out, at + 3, np.int64(superlocus[i]))
        shown = np.int64(tag[i])
        at = _copy(out, at, tails, tail_edges[shown], tail_edges[shown + 1])
        if len(bits):
            some = (shown & 1) == 1
            for b in range(len(bits)):
                left = np.int64(bits[b, i])
                while left:
                    k = (b << 3) + _lowest_bit(left)
                    left &= left - 1
                    if some:
                        out[at] = 44
                        at += 1
                    at = _copy(out, at, labels, label_edges[k], label_edges[k + 1])
                    some = True
            at = _copy(out, at, ends, end_edges[shown], end_edges[shown + 1])
        if t >= 0:
            at = _genotype(
                out, at, np.int64(t_gt[t, 0]), np.int64(t_gt[t, 1]), t_phased[t],
                joined, remap,
            )  # fmt: skip
        else:
            out[at] = 46
            at += 1
        word = truth_word[i]
        at = _copy(out, at, samples, sample_edges[word], sample_edges[word + 1])
        held = truth_score[i]
        if held >= 0:
            at = _score(out, at, np.float64(q_score[held]))
        else:
            out[at] = 46
            at += 1
        out[at] = 9
        at += 1
        if q >= 0:
            at = _genotype(
                out, at, np.int64(q_gt[q, 0]), np.int64(q_gt[q, 1]), q_phased[q],
                False, remap,
            )  # fmt: skip
        else:
            out[at] = 46
            at += 1
        word = query_word[i]
        at = _copy(out, at, samples, sample_edges[word], sample_edges[word + 1])
        if q >= 0:
            at = _score(out, at, np.float64(q_score[q]))
        else:
            out[at] = 46
            at += 1
        out[at] = 10
        at += 1
    offsets[len(truth)] = at
    return at
