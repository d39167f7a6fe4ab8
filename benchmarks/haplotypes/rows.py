"""The rows of the annotated VCF: truth and query side by side, with verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import Classes, VariantType
from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import Match, Records, Status, Verdicts
from benchmarks.haplotypes.regions import Regions
from benchmarks.haplotypes.strata import INSIDE, OUTSIDE, Extents, place_rows


class Decision(IntEnum):
    """BD."""

    NONE = 0
    TP = 1
    FP = 2
    FN = 3
    UNK = 4
    N = 5


HIDDEN = (
    Status.NO_CALL,
    Status.HOM_REF,
    Status.FILTERED,
    Status.OUTSIDE_TARGETS,
)
"""Records that are in no row: they are counted by reason in the result."""
COUNTED_OUTSIDE = (Status.JUDGED, Status.TOO_LONG, Status.TOO_COMPLEX)
"""Records that count as UNK outside the confident regions, as in hap.py."""


@dataclass
class Side:
    """One input with all that is known of its records."""

    records: Records
    classes: Classes
    verdicts: Verdicts


@dataclass
class Rows:
    """One output row each, sorted by contig and position.

    `truth` and `query` are record numbers, -1 where the row has none. `group` numbers
    the superlocus from 0; rows that were not judged have a group of their own.
    `truth_score` is the query record whose score a true positive of the truth carries,
    -1 without one.
    """

    truth: NDArray[np.int32]
    query: NDArray[np.int32]
    contig: NDArray[np.int32]
    extents: Extents
    group: NDArray[np.int32]
    superlocus: NDArray[np.int32]
    has_regions: bool
    """Whether confident regions were given; without, all rows are confident."""
    confident: NDArray[np.bool_]
    truth_decision: NDArray[np.uint8]
    query_decision: NDArray[np.uint8]
    truth_score: NDArray[np.int32]
    contained: NDArray[np.bool_]
    """TS_contained: all rows of the superlocus are confident."""
    boundary: NDArray[np.bool_]
    """TS_boundary: the superlocus crosses a border."""

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True)
class Layout:
    """What of `Rows` does not depend on the confident regions."""

    truth: NDArray[np.int32]
    query: NDArray[np.int32]
    contig: NDArray[np.int32]
    extents: Extents
    superlocus: NDArray[np.int32]
    group: NDArray[np.int32]


def lay_out(truth: Side, query: Side) -> Layout:
    t, q, contig = _pair(truth, query)
    superlocus = _either(t, q, truth.verdicts.superlocus, query.verdicts.superlocus)
    return Layout(
        truth=t,
        query=q,
        contig=contig,
        extents=_extents(t, q, contig, truth, query),
        superlocus=superlocus,
        group=_groups(contig, superlocus),
    )


def make_rows(
    truth: Side, query: Side, confident: Regions | None, layout: Layout | None = None
) -> Rows:
    """Rows with their verdicts; without confident regions nothing is UNK.

    layout: what `lay_out` made of the two sides, where that was done before.
    """
    layout = layout or lay_out(truth, query)
    t, q, extents = layout.truth, layout.query, layout.extents
    places = (
        np.full(len(t), INSIDE, dtype=np.uint8)
        if confident is None
        else place_rows(extents, confident)
    )
    rows = Rows(
        truth=t,
        query=q,
        contig=layout.contig,
        extents=extents,
        group=layout.group,
        superlocus=layout.superlocus,
        has_regions=confident is not None,
        confident=places != OUTSIDE,
        truth_decision=_decide(t, truth, Decision.FN),
        query_decision=_decide(q, query, Decision.FP),
        truth_score=np.full(len(t), -1, dtype=np.int32),
        contained=np.zeros(len(t), dtype=np.bool_),
        boundary=np.zeros(len(t), dtype=np.bool_),
    )
    if confident is not None:
        _mark_unknown(rows, truth, query)
        mark_borders(rows, np.zeros(len(t), dtype=np.bool_))
    _carry_scores(rows, query.records.score)
    return rows


def _pair(
    truth: Side, query: Side
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """(truth record, query record, contig) of each row, in order of position."""
    hidden = np.zeros(len(Status), dtype=np.bool_)
    hidden[list(HIDDEN)] = True
    room = len(truth.records) + len(query.records)
    t, q = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    contig = np.empty(room, dtype=np.int32)
    a, b = truth.records, query.records
    count = _merge(
        a.contig, a.pos, hidden[a.status], b.contig, b.pos, hidden[b.status],
        query.verdicts.partner, t, q, contig,
    )  # fmt: skip
    return t[:count].copy(), q[:count].copy(), contig[:count].copy()


@njit(cache=True, nogil=True)
def _merge(
    t_contig: NDArray[np.int32],
    t_pos: NDArray[np.int32],
    t_hidden: NDArray[np.bool_],
    q_contig: NDArray[np.int32],
    q_pos: NDArray[np.int32],
    q_hidden: NDArray[np.bool_],
    partner: NDArray[np.int32],
    t: NDArray[np.int32],
    q: NDArray[np.int32],
    contig: NDArray[np.int32],
) -> int:
    """Both sides are sorted; a pair stands where its query record does."""
    taken = t_hidden.copy()
    for j in range(len(partner)):
        if not q_hidden[j] and partner[j] >= 0:
            taken[partner[j]] = True
    i, j, count = 0, 0, 0
    while i < len(t_pos) or j < len(q_pos):
        if i < len(t_pos) and taken[i]:
            i += 1
            continue
        if j < len(q_pos) and q_hidden[j]:
            j += 1
            continue
        query_first = i == len(t_pos) or (
            j < len(q_pos)
            and (
                q_contig[j] < t_contig[i]
                or (q_contig[j] == t_contig[i] and q_pos[j] <= t_pos[i])
            )
        )
        if query_first:
            held = partner[j]
            t[count] = held if held >= 0 and not t_hidden[held] else -1
            q[count], contig[count] = j, q_contig[j]
            j += 1
        else:
            t[count], q[count], contig[count] = i, -1, t_contig[i]
            i += 1
        count += 1
    return count


def _either(
    t: NDArray[np.int32],
    q: NDArray[np.int32],
    of_truth: NDArray[np.int32],
    of_query: NDArray[np.int32],
) -> NDArray[np.int32]:
    """The truth's value where the row has one that is not 0, else the query's."""
    value = _take(of_truth, t)
    return np.where(value != 0, value, _take(of_query, q)).astype(np.int32)


def _take(values: NDArray[np.int32], rows: NDArray[np.int32]) -> NDArray[np.int32]:
    taken = np.zeros(len(rows), dtype=np.int32)
    there = rows >= 0
    taken[there] = values[rows[there]]
    return taken


def _extents(
    t: NDArray[np.int32],
    q: NDArray[np.int32],
    contig: NDArray[np.int32],
    truth: Side,
    query: Side,
) -> Extents:
    n_contigs = len(truth.records.contigs.names)
    start, end = np.empty(len(t), dtype=np.int64), np.empty(len(t), dtype=np.int64)
    insertion = np.empty(len(t), dtype=np.bool_)
    a, b = truth.classes, query.classes
    _span(t, q, a.start, a.end, b.start, b.end, start, end)
    _only_insertions(t, q, a.insertion, b.insertion, insertion)
    edges = np.searchsorted(contig, np.arange(n_contigs + 1)).astype(np.int64)
    return Extents(edges, start, end, insertion)


@njit(cache=True, nogil=True)
def _span(
    t: NDArray[np.int32],
    q: NDArray[np.int32],
    t_start: NDArray[np.int64],
    t_end: NDArray[np.int64],
    q_start: NDArray[np.int64],
    q_end: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> None:
    for i in range(len(t)):
        if t[i] < 0:
            start[i], end[i] = q_start[q[i]], q_end[q[i]]
        elif q[i] < 0:
            start[i], end[i] = t_start[t[i]], t_end[t[i]]
        else:
            start[i] = min(t_start[t[i]], q_start[q[i]])
            end[i] = max(t_end[t[i]], q_end[q[i]])


@njit(cache=True, nogil=True)
def _only_insertions(
    t: NDArray[np.int32],
    q: NDArray[np.int32],
    of_truth: NDArray[np.bool_],
    of_query: NDArray[np.bool_],
    insertion: NDArray[np.bool_],
) -> None:
    for i in range(len(t)):
        insertion[i] = (t[i] < 0 or of_truth[t[i]]) and (q[i] < 0 or of_query[q[i]])


def _groups(
    contig: NDArray[np.int32], superlocus: NDArray[np.int32]
) -> NDArray[np.int32]:
    key = contig.astype(np.int64) << 32 | superlocus.astype(np.int64)
    group = np.empty(len(key), dtype=np.int32)
    _number_groups(key, superlocus, group)
    return group


@njit(cache=True, nogil=True)
def _number_groups(
    key: NDArray[np.int64], superlocus: NDArray[np.int32], group: NDArray[np.int32]
) -> None:
    """Equal keys close to each other share a number; superlocus 0 is never shared."""
    count = 0
    for i in range(len(key)):
        group[i] = -1
        if superlocus[i]:
            j = i - 1
            while j >= 0 and j >= i - 4096:
                if key[j] == key[i]:
                    group[i] = group[j]
                    break
                if superlocus[j] and key[j] < key[i]:
                    break
                j -= 1
        if group[i] < 0:
            group[i] = count
            count += 1


def _decide(
    records: NDArray[np.int32], side: Side, mismatch: Decision
) -> NDArray[np.uint8]:
    by_match = np.full(len(Match), mismatch, dtype=np.uint8)
    by_match[Match.NOT_JUDGED] = Decision.N
    by_match[Match.GENOTYPE] = Decision.TP
    of_record = by_match[side.verdicts.match]
    of_record[side.records.status != Status.JUDGED] = Decision.N
    decision = np.zeros(len(records), dtype=np.uint8)
    there = records >= 0
    decision[there] = of_record[records[there]]
    return decision


def _mark_unknown(rows: Rows, truth: Side, query: Side) -> None:
    """UNK outside the confident regions, whatever was decided; N stays for the rest."""
    for records, side, decision in (
        (rows.truth, truth, rows.truth_decision),
        (rows.query, query, rows.query_decision),
    ):
        counted = np.isin(side.records.status, COUNTED_OUTSIDE)
        unknown = ~rows.confident
        there = records >= 0
        unknown[there] &= counted[records[there]]
        decision[unknown] = Decision.UNK


def mark_borders(rows: Rows, on_border: NDArray[np.bool_]) -> None:
    """TS_contained and TS_boundary; `on_border` rows lie in part only in a stratum."""
    n = int(rows.group.max()) + 1 if len(rows) else 0
    inside, outside = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    confident = rows.confident & rows.has_regions
    inside[rows.group[confident | on_border]] = True
    outside[rows.group[~confident | on_border]] = True
    rows.boundary[:] = (inside & outside)[rows.group]
    rows.contained[:] = (inside & ~outside)[rows.group]


def _carry_scores(rows: Rows, score: NDArray[np.float32]) -> None:
    """A true positive of the truth gets the score of its row's true positive, else the
    lowest one of its superlocus."""
    n = int(rows.group.max()) + 1 if len(rows) else 0
    lowest = np.full(n, -1, dtype=np.int32)
    _lowest(rows.group, rows.query, rows.query_decision, score, lowest)
    _carry(rows.group, rows.query, rows.query_decision, rows.truth_decision, score,
           lowest, rows.truth_score)  # fmt: skip


@njit(cache=True, nogil=True)
def _lowest(
    group: NDArray[np.int32],
    query: NDArray[np.int32],
    decision: NDArray[np.uint8],
    score: NDArray[np.float32],
    lowest: NDArray[np.int32],
) -> None:
    for i in range(len(group)):
        if decision[i] == 1 and not np.isnan(score[query[i]]):
            held = lowest[group[i]]
            if held < 0 or score[query[i]] < score[held]:
                lowest[group[i]] = query[i]


@njit(cache=True, nogil=True)
def _carry(
    group: NDArray[np.int32],
    query: NDArray[np.int32],
    query_decision: NDArray[np.uint8],
    truth_decision: NDArray[np.uint8],
    score: NDArray[np.float32],
    lowest: NDArray[np.int32],
    carried: NDArray[np.int32],
) -> None:
    for i in range(len(group)):
        if truth_decision[i] != 1:
            continue
        if query_decision[i] == 1 and not np.isnan(score[query[i]]):
            carried[i] = query[i]
        else:
            carried[i] = lowest[group[i]]


def failed(rows: Rows, records: Records, selected: NDArray[np.bool_]) -> tuple[
    NDArray[np.bool_], NDArray[np.bool_]
]:  # fmt: skip
    """(truth, query) rows that fail a filter; `selected` says it of query records.

    A truth row without a query call fails when some call of its superlocus does.
    """
    there = rows.query >= 0
    query = np.zeros(len(rows), dtype=np.bool_)
    query[there] = selected[rows.query[there]]
    n = int(rows.group.max()) + 1 if len(rows) else 0
    in_group = np.zeros(n, dtype=np.bool_)
    in_group[rows.group[query]] = True
    return np.where(there, query, in_group[rows.group]), query


COUNTABLE = (VariantType.SNP, VariantType.INDEL)
"""Variant types that hap.py's tables have."""
