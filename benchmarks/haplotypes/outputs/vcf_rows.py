"""The bytes of the VCF's rows, assembled by compiled code."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import allele_span
from benchmarks.haplotypes.records import HAPLOID
from benchmarks.haplotypes.rows import Side

Bytes = NDArray[np.uint8]
_DECISION, _MATCH, _TYPE, _PLACE = 0, 6, 11, 16
"""Where each family of words begins in `Inputs.vocabulary`."""
_FIXED = 220
"""Bytes of a row besides names, alleles, filters, labels and subtypes, at most."""


class Inputs(NamedTuple):
    """All that a row is made of, except the records. One value a row, or words."""

    contig: NDArray[np.int32]
    truth: NDArray[np.int32]
    query: NDArray[np.int32]
    superlocus: NDArray[np.int32]
    truth_decision: NDArray[np.uint8]
    query_decision: NDArray[np.uint8]
    truth_score: NDArray[np.int32]
    tags: NDArray[np.uint8]
    bits: NDArray[np.uint8]
    order: NDArray[np.int64]
    names: Bytes
    name_edges: NDArray[np.int64]
    labels: Bytes
    label_edges: NDArray[np.int64]
    subtype_names: Bytes
    subtype_edges: NDArray[np.int64]
    vocabulary: Bytes
    vocabulary_edges: NDArray[np.int64]


class Calls(NamedTuple):
    """The columns of one side that its rows show."""

    text: Bytes
    line: NDArray[np.int64]
    fields: NDArray[np.uint32]
    pos: NDArray[np.int32]
    gt: NDArray[np.int16]
    phased: NDArray[np.bool_]
    score: NDArray[np.float32]
    match: NDArray[np.uint8]
    variant: NDArray[np.uint8]
    location: NDArray[np.uint8]
    subtypes: NDArray[np.uint16]


def _calls(side: Side) -> Calls:
    r, c = side.records, side.classes
    return Calls(
        r.text, r.line, r.fields, r.pos, r.gt, r.phased, r.score,
        side.verdicts.match, c.variant, c.location, c.subtypes,
    )  # fmt: skip


def write_rows(
    inputs: Inputs, truth: Side, query: Side, first: int, last: int
) -> tuple[Bytes, NDArray[np.int64]]:
    """(text, offset of each row and of the end) of rows [first, last)."""
    t, q = _calls(truth), _calls(query)
    room = _room(inputs, t, q, first, last)
    out = np.empty(room, dtype=np.uint8)
    offsets = np.empty(last - first + 1, dtype=np.int64)
    size = _write(inputs, t, q, first, last, out, offsets)
    return out[:size], offsets


@numba.njit(cache=True, nogil=True)
def _room(inputs: Inputs, t: Calls, q: Calls, first: int, last: int) -> int:
    """Bytes that the rows need at most."""
    total = 0
    for i in range(first, last):
        name = inputs.contig[i]
        total += _FIXED + inputs.name_edges[name + 1] - inputs.name_edges[name]
        if inputs.truth[i] >= 0:
            fields = t.fields[inputs.truth[i]]
            total += fields[6] - fields[2]
        if inputs.query[i] >= 0:
            fields = q.fields[inputs.query[i]]
            total += fields[6] - fields[2]
        for s in range(len(inputs.order)):
            label = inputs.order[s]
            if inputs.bits[label >> 3, i] >> (label & 7) & 1:
                total += inputs.label_edges[s + 1] - inputs.label_edges[s] + 1
    return total


@numba.njit(cache=True, nogil=True)
def _write(
    inputs: Inputs,
    t: Calls,
    q: Calls,
    first: int,
    last: int,
    out: Bytes,
    offsets: NDArray[np.int64],
) -> int:
    at = 0
    remap = np.empty(8, dtype=np.int64)
    for i in range(first, last):
        offsets[i - first] = at
        truth, query = inputs.truth[i], inputs.query[i]
        at = _word(out, at, inputs.names, inputs.name_edges, inputs.contig[i])
        at = _byte(out, at, 9)
        at = _integer(out, at, (q.pos[query] if query >= 0 else t.pos[truth]) + 1)
        out[at], out[at + 1], out[at + 2] = 9, 46, 9
        at += 3
        if query < 0:
            at = _copy_field(out, at, t, truth, 2, 4)
        else:
            at = _copy_field(out, at, q, query, 2, 4)
        joined = False
        if truth >= 0 and query >= 0 and not _same_alts(t, truth, q, query):
            joined = True
            wanted = _alt_count(t, truth)
            if wanted >= len(remap):
                remap = np.empty(wanted * 2, dtype=np.int64)
            at = _join_alts(out, at, t, truth, q, query, remap)
        at = _filter(out, at, q, query)
        at = _info(out, at, inputs, i)
        at = _format(out, at)
        at = _sample(out, at, inputs, t, truth, inputs.truth_decision[i], joined, remap)
        held = inputs.truth_score[i]
        at = _score(out, at, q.score[held] if held >= 0 else np.nan)
        at = _byte(out, at, 9)
        decision = inputs.query_decision[i]
        at = _sample(out, at, inputs, q, query, decision, False, remap)
        at = _score(out, at, q.score[query] if query >= 0 else np.nan)
        at = _byte(out, at, 10)
    offsets[last - first] = at
    return at


@numba.njit(cache=True, nogil=True, inline="always")
def _byte(out: Bytes, at: int, value: int) -> int:
    out[at] = value
    return at + 1


@numba.njit(cache=True, nogil=True)
def _word(
    out: Bytes, at: int, blob: Bytes, edges: NDArray[np.int64], number: int
) -> int:
    for k in range(edges[number], edges[number + 1]):
        out[at] = blob[k]
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _integer(out: Bytes, at: int, value: int) -> int:
    if value < 0:
        out[at] = 45
        at += 1
        value = -value
    digits, left = 1, value // 10
    while left:
        digits += 1
        left //= 10
    for k in range(digits - 1, -1, -1):
        out[at + k] = 48 + value % 10
        value //= 10
    return at + digits


@numba.njit(cache=True, nogil=True)
def _score(out: Bytes, at: int, value: float) -> int:
    """Up to four decimals, without trailing zeros; `.` for none."""
    if not np.isfinite(value):
        return _byte(out, at, 46)
    if value < 0:
        at = _byte(out, at, 45)
        value = -value
    if value > 1e14:
        return _integer(out, at, np.int64(min(value, 9e18)))
    scaled = np.int64(value * 10_000 + 0.5)
    at = _integer(out, at, scaled // 10_000)
    rest = scaled % 10_000
    if rest:
        at = _byte(out, at, 46)
        place = 1000
        while rest:
            at = _byte(out, at, 48 + rest // place)
            rest %= place
            place //= 10
    return at


@numba.njit(cache=True, nogil=True)
def _copy_field(
    out: Bytes, at: int, calls: Calls, record: int, first: int, stop: int
) -> int:
    """Columns [first, stop) of the record's line, without the last tab."""
    begin = calls.line[record] + calls.fields[record, first]
    end = calls.line[record] + calls.fields[record, stop] - 1
    for k in range(begin, end):
        out[at] = calls.text[k]
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _same_alts(t: Calls, truth: int, q: Calls, query: int) -> bool:
    size = t.fields[truth, 4] - t.fields[truth, 3]
    if q.fields[query, 4] - q.fields[query, 3] != size:
        return False
    a = t.line[truth] + t.fields[truth, 3]
    b = q.line[query] + q.fields[query, 3]
    for k in range(size):
        if t.text[a + k] != q.text[b + k]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _alt_count(calls: Calls, record: int) -> int:
    count = 1
    begin = calls.line[record] + calls.fields[record, 3]
    for k in range(begin, calls.line[record] + calls.fields[record, 4]):
        count += calls.text[k] == 44
    return count


@numba.njit(cache=True, nogil=True)
def _join_alts(
    out: Bytes,
    at: int,
    t: Calls,
    truth: int,
    q: Calls,
    query: int,
    remap: NDArray[np.int64],
) -> int:
    """Adds the truth's ALTs that the query has not; `remap` gets their new numbers."""
    held = _alt_count(q, query)
    q_begin = q.line[query] + q.fields[query, 3]
    q_end = q.line[query] + q.fields[query, 4] - 1
    t_begin = t.line[truth] + t.fields[truth, 3]
    t_end = t.line[truth] + t.fields[truth, 4] - 1
    added = held
    for allele in range(1, _alt_count(t, truth) + 1):
        a, a_end = allele_span(t.text, t_begin, t_end, allele)
        remap[allele] = 0
        for other in range(1, held + 1):
            b, b_end = allele_span(q.text, q_begin, q_end, other)
            if b_end - b == a_end - a and _equal(t.text, a, q.text, b, a_end - a):
                remap[allele] = other
                break
        if remap[allele] == 0:
            added += 1
            remap[allele] = added
            at = _byte(out, at, 44)
            for k in range(a, a_end):
                out[at] = t.text[k]
                at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _equal(a: Bytes, at: int, b: Bytes, other: int, size: int) -> bool:
    for k in range(size):
        if a[at + k] != b[other + k]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _filter(out: Bytes, at: int, q: Calls, query: int) -> int:
    """QUAL (none) and FILTER (the query's)."""
    out[at], out[at + 1], out[at + 2] = 9, 46, 9
    at += 3
    if query < 0:
        return _byte(out, at, 46)
    return _copy_field(out, at, q, query, 5, 6)


@numba.njit(cache=True, nogil=True)
def _info(out: Bytes, at: int, inputs: Inputs, i: int) -> int:
    at = _byte(out, at, 9)
    begin = at
    if inputs.superlocus[i]:
        out[at], out[at + 1], out[at + 2] = 66, 83, 61
        at = _integer(out, at + 3, inputs.superlocus[i])
    some = False
    tags = inputs.tags[i]
    if tags & 1:
        at = _tag(out, at, begin, some, b"CONF")
        some = True
    for s in range(len(inputs.order)):
        label = inputs.order[s]
        if inputs.bits[label >> 3, i] >> (label & 7) & 1:
            at = _tag(out, at, begin, some, b"")
            at = _word(out, at, inputs.labels, inputs.label_edges, s)
            some = True
    if tags & 2:
        at = _tag(out, at, begin, some, b"TS_contained")
        some = True
    if tags & 4:
        at = _tag(out, at, begin, some, b"TS_boundary")
        some = True
    if at == begin:
        at = _byte(out, at, 46)
    return at


@numba.njit(cache=True, nogil=True)
def _tag(out: Bytes, at: int, begin: int, some: bool, text: bytes) -> int:
    if some:
        at = _byte(out, at, 44)
    else:
        if at > begin:
            at = _byte(out, at, 59)
        for letter in b"Regions=":
            at = _byte(out, at, letter)
    for letter in text:
        at = _byte(out, at, letter)
    return at


@numba.njit(cache=True, nogil=True)
def _format(out: Bytes, at: int) -> int:
    for letter in b"\tGT:BD:BK:BI:BVT:BLT:QQ\t":
        at = _byte(out, at, letter)
    return at


@numba.njit(cache=True, nogil=True)
def _sample(
    out: Bytes,
    at: int,
    inputs: Inputs,
    calls: Calls,
    record: int,
    decision: int,
    joined: bool,
    remap: NDArray[np.int64],
) -> int:
    """All of a sample but its score."""
    blob, edges = inputs.vocabulary, inputs.vocabulary_edges
    if record < 0:
        out[at], out[at + 1] = 46, 58
        at = _word(out, at + 2, blob, edges, _DECISION + decision)
        for letter in b":.:.:NOCALL:nocall:":
            at = _byte(out, at, letter)
        return at
    at = _genotype(out, at, calls, record, joined, remap)
    at = _byte(out, at, 58)
    at = _word(out, at, blob, edges, _DECISION + decision)
    at = _byte(out, at, 58)
    at = _word(out, at, blob, edges, _MATCH + calls.match[record])
    at = _byte(out, at, 58)
    bits = calls.subtypes[record]
    at = _word(out, at, inputs.subtype_names, inputs.subtype_edges, bits)
    at = _byte(out, at, 58)
    at = _word(out, at, blob, edges, _TYPE + calls.variant[record])
    at = _byte(out, at, 58)
    at = _word(out, at, blob, edges, _PLACE + calls.location[record])
    return _byte(out, at, 58)


@numba.njit(cache=True, nogil=True)
def _genotype(
    out: Bytes,
    at: int,
    calls: Calls,
    record: int,
    joined: bool,
    remap: NDArray[np.int64],
) -> int:
    for side in range(2):
        allele = np.int64(calls.gt[record, side])
        if side == 1:
            if allele == HAPLOID:
                break
            at = _byte(out, at, 124 if calls.phased[record] else 47)
        if allele < 0:
            at = _byte(out, at, 46)
        else:
            if joined and 0 < allele < len(remap):
                allele = remap[allele]
            at = _integer(out, at, allele)
    return at
