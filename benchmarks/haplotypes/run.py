"""The engine's one entry point: from call files to hap.py's files."""

from __future__ import annotations

import gc
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
from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.filters import filters_of, ignored_filters, shown_as
from benchmarks.haplotypes.job import Job, Result
from benchmarks.haplotypes.locations import keep_only, starts_in, touches
from benchmarks.haplotypes.preprocess import preprocess
from benchmarks.haplotypes.quantify import (
    FILTERS,
    Kinds,
    Subset,
    TableRow,
    count_kinds,
    filter_rows,
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
from benchmarks.haplotypes.rows import (
    Rows,
    Side,
    failed,
    lay_out,
    make_rows,
    mark_borders,
)
from benchmarks.haplotypes.strata import Placement, place_strata
from benchmarks.haplotypes.unsettled import sentence

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
        with ThreadPoolExecutor(checked.threads) as pool, _no_collection():
            result = _carry_out(checked, pool, clock, log, comparer)
    except HaplotypesError as error:
        raise BenchmarkError([str(error)]) from error
    result.timings = {**clock.seconds, "total": time.perf_counter() - started}
    return result


@contextmanager
def _no_collection() -> Iterator[None]:
    """Spares looking for cycles of garbage, of which a run makes few: 0.2 s."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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
    with clock.step("read"):
        given = _read(checked, pool, log)
    job = checked.job
    if job.leftshift or job.decompose:
        with clock.step("preprocess"):
            given.query = preprocess(
                given.query,
                checked.reference,
                pool,
                leftshift=job.leftshift,
                decompose=job.decompose,
            )
    with clock.step("compare"):
        compared = _compare(checked, pool, given, comparer)
        inputs.require_variants(checked, given.truth, given.query, given.used)
    with clock.step("quantify"):
        tables = _quantify(checked, compared, pool)
    result = _result(given, compared, tables)
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


@dataclass
class _Given:
    """The inputs, read; `used` are the contigs of the comparison."""

    truth: Records
    query: Records
    used: NDArray[np.bool_]
    elsewhere: dict[str, int]
    confident: Regions | None
    targets: Regions | None


def _read(checked: inputs.Checked, pool: ThreadPoolExecutor, log: Log) -> _Given:
    """Both call files, cut down to what is to be compared, and the regions."""
    job = checked.job
    truth, query = inputs.read_sides(checked, pool)
    used, elsewhere = inputs.restrict(checked, truth, query)
    confident, targets, restrict = (
        inputs.read_regions(bed, checked) if bed else None
        for bed in (job.confident, job.targets, job.restrict)
    )
    for name, records in (("Truth", truth), ("Query", query)):
        inputs.apply_sex(records, job.sex)
        if targets is not None:
            keep_only(records, starts_in(records, targets))
        if restrict is not None:
            keep_only(records, touches(records, restrict))
        log(
            "info",
            f"{name}: {len(records):,} variant lines of {Path(records.path).name}.",
        )
    return _Given(truth, query, used, elsewhere, confident, targets or restrict)


def _result(given: _Given, compared: _Compared, tables: _Tables) -> Result:
    truth, query = given.truth, given.query
    return Result(
        summary=[
            row
            for row in tables.rows
            if row.subtype == row.subset == "*" and not row.of_filter
        ],
        rows=tables.rows,
        files={},
        unsettled=compared.unsettled,
        skipped={
            "truth": truth.skipped(),
            "query": _with_elsewhere(query.skipped(), given.elsewhere),
        },
        warnings=[
            *(_unsorted(records) for records in (truth, query) if records.resorted),
            *truth.warnings,
            *query.warnings,
            *tables.notes,
        ],
        truth_sample=truth.sample,
        query_sample=query.sample,
    )


def _unsorted(records: Records) -> str:
    return (
        f"{records.path}: records are not in the order of the reference (by contig and "
        "position); they were sorted."
    )


def _compare(
    checked: inputs.Checked,
    pool: ThreadPoolExecutor,
    given: _Given,
    comparer: Comparer,
) -> _Compared:
    job, truth, query = checked.job, given.truth, given.query
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
    layout = pool.submit(lay_out, *sides)
    wide = None
    if given.confident is not None:
        wide = (
            conf.widen(given.confident, truth, sides[0].classes)
            if job.adjust_confident
            else conf.unchanged(given.confident)
        )
    whole = float(sequence_size(checked.reference, given.used))
    rows = make_rows(*sides, wide.regions if wide else None, layout.result())
    size = float(given.targets.size()) if given.targets is not None else whole
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
    held = filters_of(query.records)
    ignored = ignored_filters(job.roc_filter)
    fails = failed(rows, query.records, ~query.records.passed)
    filters = FILTERS if ignored else FILTERS[:2]
    selected = (
        failed(rows, query.records, held.fails_but(ignored)) if ignored else fails
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
    table += filter_rows(
        kinds,
        {
            shown_as(name, ignored): fails
            if held.only(name)
            else failed(rows, query.records, held.fails(name))
            for name in held.names()
        },
        subsets[0],
    )
    insides = _insides(rows, placement, job.roc_regions)

    def curves() -> list[TableRow]:
        if not job.do_roc:
            return []
        scores = row_scores(rows, query.records.score)
        made = roc_rows(kinds, scores, subsets[0], filters, job.roc_delta)
        for subset in subsets:
            if (inside := insides.get(subset.label)) is not None:
                made += roc_rows(kinds, scores, subset, filters, job.roc_delta, inside)
        return made

    return _Tables(table, curves, placement, placement.notes if placement else [])


def _insides(
    rows: Rows, placement: Placement | None, labels: tuple[str, ...]
) -> dict[str, NDArray[np.bool_]]:
    """Rows of the subsets that get curves. Raises BenchmarkError on unknown ones."""
    insides = {"TS_boundary": rows.boundary, "TS_contained": rows.contained}
    for label in set(labels) - {*insides, "*"}:
        inside = placement.rows_of(label) if placement else None
        if inside is None:
            raise BenchmarkError(
                [f"--roc-regions {label}: there is no stratum of this name."]
            )
        insides[label] = inside
    return {label: inside for label, inside in insides.items() if label in labels}


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
    for placed in placement.strata if placement else []:
        counts = placed.counts.copy()
        counts[0] = 0
        shared = None if inside is None else float(placed.confident_size)
        size = float(placed.size)
        subsets.append(Subset(placed.label, counts, size, shared, placed.level))
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
        log("warning", f"Unsettled: {sentence(region)}")
