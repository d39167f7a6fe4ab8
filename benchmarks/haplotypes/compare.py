"""Compare two call files: contigs side by side on all cores, then one result."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes import match
from benchmarks.haplotypes.normalise import (
    MAX_LENGTH,
    contig_reference,
    empty_alleles,
    prepare_contig,
)
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
from benchmarks.haplotypes.regions import Regions, overlaps
from benchmarks.haplotypes.search import END, START, VARIANT_COLUMNS, make_work

WRONG_REFERENCE = 50
"""Compared records from which on most REFs being wrong is a wrong reference."""
ROOM = ((512, 64), (8_192, 256), (100_000, 512))
"""Paths and window of the search's work arrays, tried in turn."""


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


def keep_targets(records: Records, targets: Regions) -> None:
    """Set OUTSIDE_TARGETS on records whose REF overlaps no target (hap.py's -T)."""
    start = records.pos.astype(np.int64)
    inside = overlaps(targets, records.contig, start, start + records.ref_len)
    records.status[~inside] = Status.OUTSIDE_TARGETS


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
        orders.append(
            match.order_by_start(side.records.status, side.alleles, low, high)
        )
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
    count = match.settle(*inputs, *verdicts, hard)
    _search(inputs, verdicts, hard[:count].copy(), options)
    _finish(truth, query, contig, options)
    return _unsettled(truth, query, contig, orders)


def _search(
    inputs: tuple[object, ...],
    verdicts: tuple[object, ...],
    clusters: NDArray[np.int32],
    options: Options,
) -> None:
    """Search the clusters, with more room each time for those that need it."""
    truth, _, _, order_t, query, _, _, order_q = inputs[:8]
    for level, (paths, window) in enumerate(ROOM):
        if not len(clusters):
            return
        if level == len(ROOM) - 1:
            paths = max(paths, 4 * options.max_paths)
        widest = int(max(np.ptp(clusters[:, :2], 1).max(), _width(clusters)))
        bases = int(match.most_bases(truth, order_t, query, order_q, clusters))
        variants = np.zeros((2, widest, VARIANT_COLUMNS), dtype=np.int64)
        alleles = np.zeros(2 * bases + 1, dtype=np.uint8)
        decided = np.zeros((2, widest), dtype=np.uint8)
        syncs = np.zeros(4 * widest + 8, dtype=np.int32)
        clusters = match.search_all(  # type: ignore[call-arg] # inputs fill the rest
            *inputs, options.max_paths, variants, alleles, *make_work(paths, window),
            decided, syncs, *verdicts, clusters,
        )  # fmt: skip


def _width(clusters: NDArray[np.int32]) -> int:
    return int(np.ptp(clusters[:, 2:], 1).max())


def _finish(truth: _Side, query: _Side, contig: int, options: Options) -> None:
    """Local matches and partners, once all verdicts of the contig stand."""
    ours = _columns(truth, contig)
    theirs = _columns(query, contig)
    before = truth.verdicts.match[ours[2] : ours[3]].copy()
    match.find_local(
        truth.verdicts.match, *ours, query.verdicts.match, *theirs,
        options.loose_distance,
    )  # fmt: skip
    after = truth.verdicts.match[ours[2] : ours[3]].copy()
    truth.verdicts.match[ours[2] : ours[3]] = before
    match.find_local(
        query.verdicts.match, *theirs, truth.verdicts.match, *ours,
        options.loose_distance,
    )  # fmt: skip
    truth.verdicts.match[ours[2] : ours[3]] = after
    match.pair_rows(
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


def _unsettled(
    truth: _Side, query: _Side, contig: int, orders: list[NDArray[np.int32]]
) -> list[Unsettled]:
    """Regions given up on: judged rows that got no verdict, joined when near."""
    spans: list[tuple[int, int, int]] = []
    for number, (side, order) in enumerate(zip((truth, query), orders, strict=True)):
        rows = order[side.verdicts.match[order] == Match.NOT_JUDGED]
        side.records.status[rows] = Status.TOO_COMPLEX
        spans += [
            (int(side.alleles[row, START]), int(side.alleles[row, END]), number)
            for row in rows
        ]
    name = truth.records.contigs.names[contig]
    regions: list[Unsettled] = []
    for start, end, number in sorted(spans):
        counts = (1 - number, number)
        if regions and start <= regions[-1].end + 1000:
            last = regions.pop()
            regions.append(
                Unsettled(
                    name,
                    last.start,
                    max(last.end, end),
                    last.truth_records + counts[0],
                    last.query_records + counts[1],
                )
            )
        else:
            regions.append(Unsettled(name, start, end, *counts))
    return regions


__all__ = ["compare", "keep_targets"]
