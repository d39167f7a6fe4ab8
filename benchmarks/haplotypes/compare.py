"""Compare two call files: contigs side by side on all cores, then one result."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes import match, near
from benchmarks.haplotypes.normalise import (
    MAX_LENGTH,
    contig_reference,
    empty_alleles,
    prepare_contig,
)
from benchmarks.haplotypes.paths import DECISIONS, VARIANT_COLUMNS
from benchmarks.haplotypes.records import (
    Comparison,
    HaplotypesError,
    Match,
    Options,
    Records,
    Status,
    Unsettled,
    Verdicts,
)
from benchmarks.haplotypes.reference import Reference, Sequence
from benchmarks.haplotypes.search import make_work
from benchmarks.haplotypes.settle import order_by_start, settle
from benchmarks.haplotypes.unsettled import Rough, in_part, left_out

WRONG_REFERENCE = 50
"""Compared records from which on most REFs being wrong is a wrong reference."""
ROOM = ((512, 64), (8_192, 256))
"""Paths and window of the search's work arrays, tried in turn before the last room."""
SPARE = 64
"""Paths of the last room beyond those that may be alive at once."""
WIDEST, MOST_CELLS = 4_096, 20_000_000
"""Records of a side in one cluster that the last room takes, and its size."""


@dataclass
class _Side:
    records: Records
    alleles: NDArray[np.int32]
    verdicts: Verdicts
    slices: NDArray[np.int64]
    pass_only: bool
    mismatches: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By contig: records whose REF is not the reference's, and the first of them."""


def threads_of(options: Options) -> int:
    return options.threads or len(os.sched_getaffinity(0))


def _side(records: Records, pass_only: bool) -> _Side:
    rows = len(records)
    verdicts = Verdicts(
        match=np.zeros(rows, np.uint8),
        superlocus=np.zeros(rows, np.int32),
        partner=np.full(rows, -1, np.int32),
    )
    return _Side(
        records, empty_alleles(rows), verdicts, records.contig_slices(), pass_only
    )


def compare(
    truth: Records,
    query: Records,
    reference: Reference,
    options: Options | None = None,
) -> Comparison:
    """Verdicts of every record of both sides. Sets `status` of the records, too.

    reference: its contigs include those of the records, found by name.
    """
    options = options or Options()
    sides = (
        _side(truth, options.truth_pass_only),
        _side(query, options.query_pass_only),
    )
    places = reference.contigs.index()
    unsettled: list[Unsettled] = []

    def one(contig: int) -> list[Unsettled]:
        name = truth.contigs.names[contig]
        return _compare_contig(
            *sides, contig, reference.sequence(places[name]), options
        )

    order = np.argsort(-(np.diff(sides[0].slices) + np.diff(sides[1].slices)))
    busy = [int(c) for c in order if _rows(sides, int(c))]
    with ThreadPoolExecutor(threads_of(options)) as pool:
        found = dict(zip(busy, pool.map(one, busy), strict=True))
    for side in sides:
        _report_mismatches(side, reference)
    for contig in sorted(found):
        unsettled += found[contig]
    return Comparison(sides[0].verdicts, sides[1].verdicts, unsettled)


def _report_mismatches(side: _Side, reference: Reference) -> None:
    """Warn of records whose REF disagrees; refuse a file where most of them do."""
    records = side.records
    count = sum(number for number, _ in side.mismatches.values())
    if not count:
        return
    judged = int((records.status == Status.JUDGED).sum())
    row = min(first for _, first in side.mismatches.values() if first >= 0)
    place = f"{records.contigs.names[records.contig[row]]}:{records.pos[row] + 1}"
    told = (
        f"{records.path}: REF of {count} of {judged} compared records disagrees with "
        f"the reference {reference.path} (the first at {place})"
    )
    if judged >= WRONG_REFERENCE and count > judged // 2:
        raise HaplotypesError(f"{told}. The file was made with another reference.")
    records.warnings.append(f"{told}. They are compared by the bases of ALT.")


def _rows(sides: tuple[_Side, _Side], contig: int) -> int:
    return sum(int(s.slices[contig + 1] - s.slices[contig]) for s in sides)


def _compare_contig(
    truth: _Side, query: _Side, contig: int, sequence: Sequence, options: Options
) -> list[Unsettled]:
    orders = []
    for side in (truth, query):
        low, high = int(side.slices[contig]), int(side.slices[contig + 1])
        side.mismatches[contig] = prepare_contig(
            side.records,
            side.alleles,
            low,
            high,
            sequence,
            pass_only=side.pass_only,
            max_length=MAX_LENGTH,
            ref_overlap=options.ref_overlap,
        )
        orders.append(order_by_start(side.records.status, side.alleles, low, high))
    hard = np.empty((min(len(orders[0]), len(orders[1])) + 1, 4), dtype=np.int32)
    settings = (contig_reference(sequence), sequence.length, options.squash_ploidy)
    verdicts = (
        truth.verdicts.match,
        query.verdicts.match,
        truth.verdicts.superlocus,
        query.verdicts.superlocus,
    )
    inputs = (
        truth.alleles,
        truth.records.text,
        truth.records.line,
        orders[0],
        query.alleles,
        query.records.text,
        query.records.line,
        orders[1],
        *settings,
    )
    count = settle(*inputs, *verdicts, hard)
    rough = _search(inputs, verdicts, hard[:count].copy(), options)
    _finish(truth, query, contig, options)
    return _unsettled(truth, query, contig, orders, rough)


def _unsettled(
    truth: _Side,
    query: _Side,
    contig: int,
    orders: list[NDArray[np.int32]],
    rough: list[Rough],
) -> list[Unsettled]:
    """Regions that were given up on; their open records become TOO_COMPLEX."""
    name = truth.records.contigs.names[contig]
    alleles = (truth.alleles, query.alleles)
    matches = (truth.verdicts.match, query.verdicts.match)
    regions = left_out(name, alleles, matches, orders)
    for side, order in zip((truth, query), orders, strict=True):
        rows = order[side.verdicts.match[order] == Match.NOT_JUDGED]
        side.records.status[rows] = Status.TOO_COMPLEX
    for region, left in in_part(name, alleles, matches, rough):
        regions.append(region)
        truth.records.status[left[0]] = Status.TOO_COMPLEX
        query.records.status[left[1]] = Status.TOO_COMPLEX
    return sorted(regions, key=lambda region: region.start)


def _search(
    inputs: tuple[Any, ...],
    verdicts: tuple[Any, ...],
    clusters: NDArray[np.int32],
    options: Options,
) -> list[Rough]:
    """Search the clusters, with more room each time for those that need it.

    Returns the rows that were decided among the most promising paths only.
    """
    for paths, window in ROOM:
        clusters, _ = _search_in(
            (paths, window), False, options.max_paths, inputs, verdicts, clusters
        )
    found: list[Rough] = []
    for k in range(len(clusters)):
        first_t, end_t, first_q, end_q = clusters[k].tolist()
        window = max(end_t - first_t, end_q - first_q) + 1
        if window > WIDEST:
            continue
        room = make_room(options.max_paths, window)
        _, rough = _search_in(
            (room, window), True, room - SPARE, inputs, verdicts, clusters[k : k + 1]
        )
        rows_t = inputs[3][first_t:end_t][rough[0, : end_t - first_t] > 0]
        rows_q = inputs[7][first_q:end_q][rough[1, : end_q - first_q] > 0]
        if len(rows_t) + len(rows_q):
            found.append((rows_t, rows_q))
    return found


def make_room(max_paths: int, window: int) -> int:
    """Paths of the last room, fewer where each has many decisions to hold."""
    return int(min(max_paths + SPARE, MOST_CELLS // (DECISIONS + 2 * window)))


def _search_in(
    room: tuple[int, int],
    last: bool,
    max_paths: int,
    inputs: tuple[Any, ...],
    verdicts: tuple[Any, ...],
    clusters: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """(clusters that need more room, see `match.search_all` on `rough`)."""
    if not len(clusters):
        return clusters, np.zeros((2, 0), dtype=np.uint8)
    truth, _, _, order_t, query, _, _, order_q = inputs[:8]
    widest = int(max(np.ptp(clusters[:, :2], 1).max(), _width(clusters)))
    bases = int(match.most_bases(truth, order_t, query, order_q, clusters))
    variants = np.zeros((2, widest, VARIANT_COLUMNS), dtype=np.int64)
    alleles = np.zeros(2 * bases + 1, dtype=np.uint8)
    decided = np.zeros((2, widest), dtype=np.uint8)
    rough = np.zeros((2, widest), dtype=np.uint8)
    syncs = np.zeros(4 * widest + 8, dtype=np.int32)
    left = match.search_all(
        *inputs, max_paths, last, variants, alleles, *make_work(*room), decided, syncs,
        rough, *verdicts, clusters,
    )  # fmt: skip
    return left, rough


def _width(clusters: NDArray[np.int32]) -> int:
    return int(np.ptp(clusters[:, 2:], 1).max())


def _finish(truth: _Side, query: _Side, contig: int, options: Options) -> None:
    """Local matches and partners, once all verdicts of the contig stand."""
    ours = _columns(truth, contig)
    theirs = _columns(query, contig)
    before = truth.verdicts.match[ours[2] : ours[3]].copy()
    near.find_local(
        truth.verdicts.match, *ours, query.verdicts.match, *theirs,
        options.loose_distance,
    )  # fmt: skip
    after = truth.verdicts.match[ours[2] : ours[3]].copy()
    truth.verdicts.match[ours[2] : ours[3]] = before
    near.find_local(
        query.verdicts.match, *theirs, truth.verdicts.match, *ours,
        options.loose_distance,
    )  # fmt: skip
    truth.verdicts.match[ours[2] : ours[3]] = after
    near.pair_rows(
        *_lines(truth), *ours, *_lines(query), *theirs,
        truth.verdicts.partner, query.verdicts.partner,
    )  # fmt: skip


def _columns(
    side: _Side, contig: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], int, int]:
    low, high = int(side.slices[contig]), int(side.slices[contig + 1])
    return side.records.pos, side.records.ref_len, low, high


def _lines(
    side: _Side,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint32]]:
    return side.records.text, side.records.line, side.records.fields


__all__ = ["compare"]
