"""The query as hap.py compares it: split, shifted left, joined by position."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes import pieces
from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import Field, Records
from benchmarks.haplotypes.reference import Reference, base_at

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
_ROOM = 40
"""Bytes of a rewritten line besides names, alleles and filters, at most."""


@dataclass
class _Calls:
    """The calls of one contig after splitting and joining, with their new lines."""

    changed: bool
    """Whether any call is not a record as it stands."""
    columns: dict[str, NDArray[Any]]
    """Those of `Records`; a line of its own stands in `line` as -1 - offset."""
    text: Bytes


def preprocess(
    records: Records,
    reference: Reference,
    pool: ThreadPoolExecutor,
    *,
    leftshift: bool = True,
    decompose: bool = True,
) -> Records:
    """New records where calls change, else the same; statuses must not be judged yet.

    Records with a status, missing alleles or other letters than bases stay as they are.
    """
    slices = records.contig_slices()
    busy = [c for c in range(len(slices) - 1) if slices[c + 1] > slices[c]]

    def one(contig: int) -> _Calls:
        return _contig(records, reference, contig, slices, leftshift, decompose)

    calls = list(pool.map(one, busy))
    if not any(part.changed for part in calls):
        return records
    return _rebuild(records, calls, pool)


def _contig(
    records: Records,
    reference: Reference,
    contig: int,
    slices: Ints,
    leftshift: bool,
    decompose: bool,
) -> _Calls:
    sequence = reference.sequence(contig)
    place = (
        sequence.data,
        sequence.offset,
        sequence.width,
        sequence.stride,
        sequence.length,
    )
    table, pool = pieces.split_contig(
        records.text,
        records.line,
        records.fields,
        records.pos,
        records.n_alts,
        records.gt,
        records.status,
        int(slices[contig]),
        int(slices[contig + 1]),
        place,
        leftshift,
        decompose,
    )
    joined, gt, whole = pieces.join_pieces(
        records.text, records.line, records.fields, records.n_alts, records.pos, table,
        pool,
    )  # fmt: skip
    return _written(records, contig, place, table, pool, joined, gt, ~whole)


def _written(
    records: Records,
    contig: int,
    place: tuple[Bytes, int, int, int, int],
    table: Ints,
    pool: Bytes,
    joined: Ints,
    gt: NDArray[np.int16],
    changed: NDArray[np.bool_],
) -> _Calls:
    first, second = joined[:, 0], joined[:, 1]
    two = second >= 0
    partner = np.where(two, second, first)
    ref_len = np.maximum(table[first, pieces.REF_LEN], table[partner, pieces.REF_LEN])
    source = table[first, pieces.SOURCE]
    name = np.frombuffer(records.contigs.names[contig].encode(), dtype=np.uint8)
    sizes = _ROOM + len(name) + ref_len + _filter_sizes(records, source)
    for piece in (first, partner):
        sizes += table[piece, pieces.ALT_LEN] + ref_len
    text = np.empty(int(sizes[changed].sum()), dtype=np.uint8)
    line = records.line[source]
    fields = records.fields[source]
    size = _write_lines(
        records.text, records.line, records.fields, name, place, table, pool, joined,
        gt, changed, ref_len, text, line, fields,
    )  # fmt: skip
    other = table[partner, pieces.SOURCE]

    def mixed(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = old[source]
        result[changed] = new[changed]
        return result

    columns = {
        "line": line,
        "fields": fields,
        "contig": records.contig[source],
        "pos": mixed(records.pos, table[first, pieces.POS]),
        "ref_len": mixed(records.ref_len, ref_len),
        "n_alts": mixed(records.n_alts, 1 + two.astype(np.int64)),
        "gt": mixed(records.gt, gt),
        "phased": records.phased[source] & ~changed,
        # the higher score of the two where a call was joined
        "qual": np.fmax(records.qual[source], records.qual[other]),
        "score": np.fmax(records.score[source], records.score[other]),
        "passed": records.passed[source],
        "status": records.status[source],
    }
    return _Calls(bool(changed.any()), columns, text[:size].copy())


def _filter_sizes(records: Records, source: Ints) -> Ints:
    fields = records.fields[source]
    return fields[:, Field.INFO].astype(np.int64) - fields[:, Field.QUAL]


@njit(cache=True, nogil=True)
def _write_lines(
    text: Bytes,
    line: Ints,
    fields: NDArray[np.uint32],
    name: Bytes,
    place: tuple[Bytes, int, int, int, int],
    table: Ints,
    pool: Bytes,
    joined: Ints,
    gt: NDArray[np.int16],
    changed: NDArray[np.bool_],
    ref_len: Ints,
    out: Bytes,
    new_line: Ints,
    new_fields: NDArray[np.uint32],
) -> int:
    """VCF lines of the changed calls; `new_line` becomes -1 - offset in `out`."""
    data, offset, width, stride, _ = place
    at = 0
    for i in range(len(joined)):
        if not changed[i]:
            continue
        first, second = joined[i, 0], joined[i, 1]
        source = table[first, pieces.SOURCE]
        begin = at
        new_line[i] = -1 - begin
        for letter in name:
            out[at] = letter
            at += 1
        out[at] = 9
        at += 1
        new_fields[i, 0] = at - begin
        pos = table[first, pieces.POS]
        at = _integer(out, at, pos + 1)
        out[at] = 9
        new_fields[i, 1] = at + 1 - begin
        out[at + 1], out[at + 2] = 46, 9
        at += 3
        new_fields[i, 2] = at - begin
        for k in range(ref_len[i]):
            out[at] = base_at(data, offset, width, stride, pos + k)
            at += 1
        out[at] = 9
        at += 1
        new_fields[i, 3] = at - begin
        for part in range(2):
            piece = first if part == 0 else second
            if piece < 0:
                continue
            if part:
                out[at] = 44
                at += 1
            for k in range(table[piece, pieces.ALT_LEN]):
                where = table[piece, pieces.ALT] + k
                out[at] = pool[where] if table[piece, pieces.IN_POOL] else text[where]
                at += 1
            for k in range(table[piece, pieces.REF_LEN], ref_len[i]):
                out[at] = base_at(data, offset, width, stride, pos + k)
                at += 1
        out[at] = 9
        at += 1
        shift = (at - begin) - np.int64(fields[source, 4])
        for column in (4, 5, 6):
            new_fields[i, column] = fields[source, column] + shift
        for k in range(
            line[source] + fields[source, 4], line[source] + fields[source, 6]
        ):
            out[at] = text[k]
            at += 1
        out[at], out[at + 1] = 46, 9
        new_fields[i, 7] = at + 2 - begin
        out[at + 2], out[at + 3], out[at + 4] = 71, 84, 9
        at += 5
        new_fields[i, 8] = at - begin
        new_fields[i, 9] = at - begin
        at = _integer(out, at, gt[i, 0])
        if gt[i, 1] >= 0:
            out[at] = 47
            at = _integer(out, at + 1, gt[i, 1])
        new_fields[i, 10] = at - begin
        new_fields[i, 11] = at - begin
        out[at] = 10
        at += 1
    return at


@njit(cache=True, nogil=True)
def _integer(out: Bytes, at: int, value: int) -> int:
    digits, left = 1, value // 10
    while left:
        digits += 1
        left //= 10
    for k in range(digits - 1, -1, -1):
        out[at + k] = 48 + value % 10
        value //= 10
    return at + digits


def _rebuild(
    records: Records, calls: list[_Calls], pool: ThreadPoolExecutor
) -> Records:
    """The calls of all contigs end to end, several columns at once."""
    at = len(records.text)
    for part in calls:
        line = part.columns["line"]
        new = line < 0
        line[new] = at - 1 - line[new]
        at += len(part.text)

    def joined(name: str) -> NDArray[Any]:
        if name == "text":
            return np.concatenate([records.text, *(part.text for part in calls)])
        return np.concatenate([part.columns[name] for part in calls])

    names = ["text", "fields", *(n for n in calls[0].columns if n != "fields")]
    made: dict[str, Any] = dict(zip(names, pool.map(joined, names), strict=True))
    return replace(records, **made)
