"""Look at all inputs of a job before any work, and read them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes import beds, locations, strata
from benchmarks.haplotypes.contigs import (
    Naming,
    alternative,
    build_fault,
    names_in,
    some,
)
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.job import Job
from benchmarks.haplotypes.load import (
    Header,
    pick_sample,
    read_header,
    read_records,
    score_source,
)
from benchmarks.haplotypes.records import (
    HAPLOID,
    Contigs,
    HaplotypesError,
    Records,
    Status,
)
from benchmarks.haplotypes.reference import Reference, open_reference
from benchmarks.haplotypes.regions import Regions

T = TypeVar("T")
NO_TRUTH = "on a contig without truth variants"
SEX_CONTIGS = ("X", "Y", "M", "MT")


@dataclass
class Checked:
    """A job whose inputs are there and fit together."""

    job: Job
    reference: Reference
    truth: Header
    query: Header
    truth_names: Naming
    query_names: Naming
    strata: list[strata.Stratum]
    locations: list[locations.Location]
    threads: int


class _Faults:
    """Collects what is wrong, so that all of it is said at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def attempt(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except HaplotypesError as error:
            self.found.append(str(error))
        except BenchmarkError as error:
            self.found += error.faults
        except OSError as error:
            name = error.filename or "a file"
            self.found.append(f"{name} cannot be read: {error.strerror or error}.")
        return None


def check(job: Job) -> Checked:
    """Raises BenchmarkError with every fault that shows without reading the records."""
    faults = _Faults()
    faults.found += _option_faults(job)
    reference = faults.attempt(lambda: open_reference(job.reference))
    truth = faults.attempt(lambda: read_header(job.truth))
    query = faults.attempt(lambda: read_header(job.query))
    if truth:
        faults.attempt(lambda: pick_sample(truth, job.truth_sample))
    if query:
        faults.attempt(lambda: pick_sample(query, job.query_sample))
    faults.attempt(lambda: score_source(job.roc))
    listed: list[strata.Stratum] | None = []
    if job.stratification:
        tsv = job.stratification
        listed = faults.attempt(lambda: strata.read_list(tsv))
    for bed in (job.confident, job.targets, job.restrict):
        if bed is not None and not bed.is_file():
            faults.found.append(f"The BED file {bed} does not exist.")
    faults.found += _output_faults(job)
    names: list[Naming] = []
    places: list[locations.Location | None] = []
    if reference:
        for header in filter(None, (truth, query)):
            names.append(names_in(header, reference.contigs))
            fault = build_fault(header, names[-1], str(job.reference))
            if fault:
                faults.found.append(fault)
        common = reference.contigs
        places = [
            faults.attempt(partial(locations.parse, text, common))
            for text in job.locations
        ]
    if faults.found or not (reference and truth and query):
        raise BenchmarkError(list(dict.fromkeys(faults.found)))
    return Checked(
        job=job,
        reference=reference,
        truth=truth,
        query=query,
        truth_names=names[0],
        query_names=names[1],
        strata=listed or [],
        locations=[place for place in places if place],
        threads=job.threads or len(os.sched_getaffinity(0)),
    )


def _option_faults(job: Job) -> list[str]:
    faults = []
    if not 0 <= job.ci_alpha < 1:
        faults.append(
            f"--ci-alpha {job.ci_alpha} is no error level: give a number from 0 (no "
            "intervals) to 1, such as 0.05."
        )
    if not math.isfinite(job.roc_delta) or job.roc_delta < 0:
        faults.append(f"--roc-delta {job.roc_delta} must be 0 or more.")
    if job.threads < 0:
        faults.append(f"--threads {job.threads} must be 0 (all cores) or more.")
    if job.loose_distance < 0:
        faults.append(f"The loose match distance {job.loose_distance} is negative.")
    return faults


def _output_faults(job: Job) -> list[str]:
    out = Path(f"{job.out_prefix}.vcf.gz")
    faults = []
    if not job.out_prefix.name:
        faults.append(f"The output prefix {job.out_prefix} names no file.")
    for name in (job.truth, job.query):
        if out.exists() and name.exists() and out.samefile(name):
            faults.append(
                f"The output {out} would overwrite an input; choose another prefix."
            )
    folder = job.out_prefix.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        faults.append(f"The folder {folder} cannot be made: {error.strerror}.")
    else:
        if not os.access(folder, os.W_OK):
            faults.append(f"The folder {folder} is not writable.")
    return faults


def read_sides(checked: Checked, pool: ThreadPoolExecutor) -> tuple[Records, Records]:
    """Both inputs; records on contigs that take no part get a status or are counted."""
    job = checked.job
    sides = (
        (checked.truth, job.truth, job.truth_sample, checked.truth_names, "QUAL"),
        (checked.query, job.query, job.query_sample, checked.query_names, job.roc),
    )
    with ThreadPoolExecutor(2) as both:
        reads = [
            both.submit(_read_side, checked, path, header, sample, naming, field, pool)
            for header, path, sample, naming, field in sides
        ]
        faults = _Faults()
        read = [faults.attempt(future.result) for future in reads]
    if faults.found or read[0] is None or read[1] is None:
        raise BenchmarkError(faults.found)
    return read[0], read[1]


def _read_side(
    checked: Checked,
    path: Path,
    header: Header,
    sample: str | None,
    naming: Naming,
    roc_field: str,
    pool: ThreadPoolExecutor,
) -> Records:
    def read(contigs: Contigs) -> Records:
        return read_records(
            path,
            contigs=contigs,
            sample=sample,
            roc_field=roc_field,
            pool=pool,
            threads=checked.threads,
        )

    common = checked.reference.contigs
    records = read(naming.contigs)
    if not naming.known and not len(records) and records.lines_read:
        records = read(alternative(common))
    records.contigs = common
    if naming.other_length and naming.same_length:
        records.warnings.append(
            f"{path}: contigs of another length than in the reference are left out: "
            f"{some(naming.other_length)}."
        )
    return records


def restrict(
    checked: Checked, truth: Records, query: Records
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Leave out contigs that have no truth variants, and what is not asked for.

    As in hap.py (`-l`: contigs of the truth). Returns which contigs are compared, and
    how many query records lie on contigs without truth.
    """
    common = checked.reference.contigs
    used = np.bincount(truth.contig, minlength=len(common.names)) > 0
    elsewhere = ~used[query.contig]
    query.status[elsewhere] = Status.OUTSIDE_TARGETS
    if checked.locations:
        asked = locations.regions_of(checked.locations, common)
        used &= np.diff(asked.offsets) > 0
        for records in (truth, query):
            locations.keep_only(records, locations.starts_in(records, asked))
    return used, ({NO_TRUTH: int(elsewhere.sum())} if elsewhere.any() else {})


def read_regions(path: Path, checked: Checked) -> Regions:
    """A BED in the names of the reference, or in the other style when none fits."""
    common = checked.reference.contigs
    regions = beds.read_either(path, common)
    if not len(regions) and regions.ignored:
        raise BenchmarkError(
            [
                f"{path} has no region on a contig of the comparison. It names "
                f"{some(list(regions.ignored))}; the reference has "
                f"{some(list(common.names))}."
            ]
        )
    return regions


def apply_sex(records: Records, sex: str) -> None:
    """Haploid calls on X, Y and MT of a male count as homozygous, as hap.py has it."""
    if sex == "female":
        return
    names = records.contigs.names
    on = np.array([name.removeprefix("chr") in SEX_CONTIGS for name in names])
    haploid = (records.gt[:, 1] == HAPLOID) & on[records.contig]
    records.gt[haploid, 1] = records.gt[haploid, 0]


def require_variants(
    checked: Checked, truth: Records, query: Records, used: NDArray[np.bool_]
) -> None:
    """Raises BenchmarkError with the contigs of every input when one has nothing."""
    empty = [
        name
        for name, records in (("truth", truth), ("query", query))
        if not (records.status == Status.JUDGED).any()
    ]
    if not empty:
        return
    names = checked.reference.contigs.names
    listed = [names[i] for i in np.flatnonzero(used)]
    faults = [
        f"The {' and the '.join(empty)} {'have' if len(empty) > 1 else 'has'} no "
        "variant to compare on the contigs that truth and reference share "
        f"({some(listed) if listed else 'none'})."
    ]
    for name, records in (("truth", truth), ("query", query)):
        faults.append(f"The {name} {records.path} has {_contents(records)}.")
    faults.append(f"The reference {checked.job.reference} has {some(list(names))}.")
    raise BenchmarkError(faults)


def _contents(records: Records) -> str:
    """Lines by contig, and why records are left out, in words."""
    seen = [
        f"{name}: {count}"
        for name, count in zip(
            records.contigs.names, records.seen.tolist(), strict=False
        )
        if count
    ]
    elsewhere = (
        int(records.seen[-1]) if len(records.seen) > len(records.contigs.names) else 0
    )
    parts = [f"{records.lines_read} lines"]
    if seen:
        parts.append(f"on {some(seen)}")
    if elsewhere:
        parts.append(f"{elsewhere} on contigs that the reference has not")
    left = [f"{count} {reason}" for reason, count in records.skipped().items()]
    if left:
        parts.append(f"left out: {some(left)}")
    return "; ".join(parts)
