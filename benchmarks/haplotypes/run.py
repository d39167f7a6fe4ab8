"""The engine's one entry point: from call files to hap.py's files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes import confident as conf
from benchmarks.haplotypes import inputs, outputs
from benchmarks.haplotypes.classify import classify
from benchmarks.haplotypes.compare import compare, keep_targets
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.job import Job, Result
from benchmarks.haplotypes.preprocess import preprocess
from benchmarks.haplotypes.quantify import (
    FILTERS,
    Kinds,
    Subset,
    TableRow,
    count_kinds,
    kinds_of,
    table_rows,
)
from benchmarks.haplotypes.records import (
    Comparison,
    HaplotypesError,
    Options,
    Records,
    Unsettled,
)
from benchmarks.haplotypes.reference import Reference
from benchmarks.haplotypes.regions import Regions
from benchmarks.haplotypes.roc import roc_rows, row_scores
from benchmarks.haplotypes.rows import Rows, Side, failed, make_rows, mark_borders
from benchmarks.haplotypes.selection import fails_selected
from benchmarks.haplotypes.strata import Placement, place_strata

__all__ = ["BenchmarkError", "Job", "Result", "benchmark"]

Log = Callable[[str, str], None]
Comparer = Callable[[Records, Records, Reference, Options], Comparison]
Progress = Callable[[float], None]
SHARE = {"read": 0.3, "compare": 0.3, "quantify": 0.2, "write": 0.2}
"""How much of the progress bar each step fills."""


def _silent(*_: object) -> None:
    """Neither a log nor a progress bar."""


@dataclass
class _Clock:
    """Seconds by step, and the progress that they stand for."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    done: float = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 4)
        self.done += SHARE.get(name, 0.0)
        self.progress(min(self.done, 1.0))


def benchmark(
    job: Job,
    *,
    log: Log = _silent,
    progress: Progress = _silent,
    comparer: Comparer = compare,
) -> Result:
    """Compare and write all files of `job.out_prefix`, or none.

    log gets (level, sentence), progress a fraction of 1. `comparer` can bring the
    verdicts of another tool. Raises BenchmarkError with all faults of the inputs.
    """
    clock = _Clock(progress)
    started = time.perf_counter()
    try:
        checked = inputs.check(job)
        with ThreadPoolExecutor(checked.threads) as pool:
            result = _carry_out(checked, pool, clock, log, comparer)
    except HaplotypesError as error:
        raise BenchmarkError([str(error)]) from error
    result.timings = {**clock.seconds, "total": time.perf_counter() - started}
    return result


@dataclass
class _Compared:
    rows: Rows
    truth: Side
    query: Side
    confident: conf.Confident | None
    unsettled: list[Unsettled]
    sizes: tuple[float, float]
    """Bases of the whole comparison (`*`), and of the contigs it is on."""


def _carry_out(
    checked: inputs.Checked,
    pool: ThreadPoolExecutor,
    clock: _Clock,
    log: Log,
    comparer: Comparer,
) -> Result:
    job = checked.job
    with clock.step("read"):
        truth, query = inputs.read_sides(checked, pool)
        used, elsewhere = inputs.restrict(checked, truth, query)
        targets = inputs.read_regions(job.targets, checked) if job.targets else None
        confident = (
            inputs.read_regions(job.confident, checked) if job.confident else None
        )
        for records in (truth, query):
            inputs.apply_sex(records, job.sex)
            if targets is not None:
                keep_targets(records, targets)
    for name, records in (("Truth", truth), ("Query", query)):
        log(
            "info",
            f"{name}: {len(records):,} variant lines of {Path(records.path).name}.",
        )
    if job.leftshift or job.decompose:
        with clock.step("preprocess"):
            query = preprocess(
                query,
                checked.reference,
                pool,
                leftshift=job.leftshift,
                decompose=job.decompose,
            )
    with clock.step("compare"):
        compared = _compare(
            checked, pool, truth, query, confident, targets, used, comparer
        )
        inputs.require_variants(checked, truth, query, used)
    with clock.step("quantify"):
        tables = _quantify(checked, compared, pool)
    result = Result(
        summary=[
            row for row in tables.rows if row.subtype == "*" and row.subset == "*"
        ],
        rows=tables.rows,
        files={},
        unsettled=compared.unsettled,
        skipped={
            "truth": truth.skipped(),
            "query": _with_elsewhere(query.skipped(), elsewhere),
        },
        warnings=[*truth.warnings, *query.warnings, *tables.notes],
        truth_sample=truth.sample,
        query_sample=query.sample,
    )
    _tell(result, log)
    with clock.step("write"):
        content = outputs.Content(
            job=job,
            rows=compared.rows,
            truth=compared.truth,
            query=compared.query,
            placement=tables.placement,
            table=tables.rows,
            curves=tables.curves,
            timings=clock.seconds,
            result=result,
        )
        try:
            result.files = outputs.write_all(content, pool, checked.threads)
        except OSError as error:
            raise BenchmarkError(
                [f"The files {job.out_prefix}.* cannot be written: {error.strerror}."]
            ) from error
    return result


def _compare(
    checked: inputs.Checked,
    pool: ThreadPoolExecutor,
    truth: Records,
    query: Records,
    confident: Regions | None,
    targets: Regions | None,
    used: NDArray[np.bool_],
    comparer: Comparer,
) -> _Compared:
    job = checked.job
    options = Options(
        truth_pass_only=not job.use_filtered_truth,
        query_pass_only=job.pass_only,
        squash_ploidy=job.squash_ploidy,
        loose_distance=job.loose_distance,
        threads=checked.threads,
    )
    comparison = comparer(truth, query, checked.reference, options)
    truth_classes, query_classes = pool.map(classify, (truth, query))
    sides = (
        Side(truth, truth_classes, comparison.truth),
        Side(query, query_classes, comparison.query),
    )
    wide = None
    if confident is not None:
        wide = (
            conf.widen(confident, truth, sides[0].classes)
            if job.adjust_confident
            else conf.unchanged(confident)
        )
    rows = make_rows(*sides, wide.regions if wide else None)
    whole = float(sequence_size(checked.reference, used))
    size = float(targets.size()) if targets is not None else whole
    return _Compared(rows, *sides, wide, comparison.unsettled, (size, whole))


@dataclass
class _Tables:
    rows: list[TableRow]
    curves: Callable[[], list[TableRow]]
    """Made when asked for: beside the writing of the VCF."""
    placement: Placement | None
    notes: list[str]


def _quantify(
    checked: inputs.Checked, compared: _Compared, pool: ThreadPoolExecutor
) -> _Tables:
    job, rows, query = checked.job, compared.rows, compared.query
    fails = failed(rows, query.records, ~query.records.passed)
    filters = FILTERS if job.roc_filter else FILTERS[:2]
    selected = (
        failed(rows, query.records, fails_selected(query.records, job.roc_filter))
        if job.roc_filter
        else fails
    )
    kinds = kinds_of(rows, compared.truth, query, fails, selected)
    placement = None
    if checked.strata:
        placement = place_strata(
            checked.strata,
            rows.extents,
            checked.reference.contigs,
            (kinds.truth, kinds.query, len(kinds)),
            compared.confident.regions if compared.confident else None,
            pool,
        )
        mark_borders(rows, placement.on_border)
    subsets = _subsets(compared, kinds, placement)
    table = table_rows(kinds, subsets, filters)

    def curves() -> list[TableRow]:
        if not job.do_roc:
            return []
        scores = row_scores(rows, query.records.score)
        return roc_rows(kinds, scores, subsets[0], filters, job.roc_delta)

    return _Tables(table, curves, placement, placement.notes if placement else [])


def _subsets(
    compared: _Compared, kinds: Kinds, placement: Placement | None
) -> list[Subset]:
    size, whole = compared.sizes
    confident = compared.confident
    inside = float(confident.size) if confident is not None else None
    rows = compared.rows
    subsets = [Subset("*", count_kinds(kinds), size, inside)]
    for label, chosen, bases in (
        ("TS_boundary", rows.boundary, whole),
        ("TS_contained", rows.contained, inside or 0.0),
    ):
        if chosen.any():
            held = count_kinds(kinds, chosen)
            subsets.append(Subset(label, held, bases, inside, always=False))
    if placement:
        for s, label in enumerate(placement.labels):
            counts = placement.counts[s].copy()
            counts[0] = 0
            shared = None if inside is None else float(placement.confident_sizes[s])
            bases = float(placement.sizes[s])
            level = placement.levels[s]
            subsets.append(Subset(label, counts, bases, shared, level))
    return subsets


def sequence_size(reference: Reference, used: NDArray[np.bool_]) -> int:
    """Bases of the used contigs without the runs of N at their ends."""
    total = 0
    for contig in np.flatnonzero(used):
        sequence = reference.sequence(int(contig))
        total += sequence.length
        total -= _edge(sequence.bases, sequence.length, forward=True)
        total -= _edge(sequence.bases, sequence.length, forward=False)
    return max(total, 0)


def _edge(bases: Callable[[int, int], str], length: int, *, forward: bool) -> int:
    """Length of the run of N at one end of a contig."""
    run, step = 0, 1 << 16
    while run < length:
        start = run if forward else max(length - run - step, 0)
        piece = bases(start, min(start + step, length - (0 if forward else run)))
        left = piece.lstrip("N") if forward else piece.rstrip("N")
        run += len(piece) - len(left)
        if left:
            break
    return run


def _with_elsewhere(
    skipped: dict[str, int], elsewhere: dict[str, int]
) -> dict[str, int]:
    """Splits off the records on contigs without truth from those outside targets."""
    outside = "outside the target regions"
    left = skipped.pop(outside, 0) - sum(elsewhere.values())
    if left > 0:
        skipped[outside] = left
    return {**skipped, **elsewhere}


def _tell(result: Result, log: Log) -> None:
    for side, reasons in result.skipped.items():
        for reason, count in reasons.items():
            log("info", f"{count:,} {side} records are not compared: {reason}.")
    for warning in result.warnings:
        log("warning", warning)
    for region in result.unsettled:
        log(
            "warning",
            f"Unsettled: {region.contig}:{region.start + 1}-{region.end} "
            f"({region.truth_records} truth and {region.query_records} query records "
            "are not judged: too many haplotypes to compare).",
        )
