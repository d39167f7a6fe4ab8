"""hap.py's `--location`: contigs, or parts of them, to compare."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.contigs import other_names, some
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.records import Contigs, Records, Status
from benchmarks.haplotypes.regions import Regions, from_intervals, overlaps

RANGE = re.compile(r"(?P<name>.+):(?P<start>[\d,]+)(?P<to>-(?P<end>[\d,]*))?")
END_OF_CONTIG = 1 << 31


@dataclass(frozen=True)
class Location:
    """0-based, half-open; END_OF_CONTIG when the end was not named."""

    contig: str
    start: int = 0
    end: int = END_OF_CONTIG


def parse(text: str, contigs: Contigs) -> Location:
    """`chr20`, `chr20:5`, `chr20:5-` or `chr20:5-9` (1-based, closed), as in bcftools.

    The name may be in the other style. Raises BenchmarkError.
    """
    known = _known(text, contigs)
    if known:
        return Location(known)
    matched = RANGE.fullmatch(text)
    name = _known(matched["name"], contigs) if matched else None
    if matched is None or name is None:
        wanted = matched["name"] if matched else text
        raise BenchmarkError(
            [
                f"--location {text}: the reference has no contig {wanted}. It has "
                f"{some(list(contigs.names))}."
            ]
        )
    start = _number(matched["start"])
    end = _number(matched["end"]) if matched["end"] else END_OF_CONTIG
    if not matched["to"]:
        end = start
    if not 0 < start <= end:
        raise BenchmarkError(
            [
                f"--location {text}: {matched['start']}-{matched['end'] or ''} is no "
                "range; give the first and the last base, counted from 1."
            ]
        )
    return Location(name, start - 1, end)


def _known(name: str, contigs: Contigs) -> str | None:
    for candidate in (name, *other_names(name)):
        if candidate in contigs.names:
            return candidate
    return None


def _number(text: str) -> int:
    return int(text.replace(",", "") or -1)


def regions_of(locations: Sequence[Location], contigs: Contigs) -> Regions:
    index = contigs.index()
    rows = [(index[place.contig], place.start, place.end) for place in locations]
    return from_intervals(contigs, np.array(rows, dtype=np.int64))


def starts_in(records: Records, regions: Regions) -> NDArray[np.bool_]:
    """Records whose POS lies in a region (`bcftools view -t` and `-T`)."""
    start = records.pos.astype(np.int64)
    return overlaps(regions, records.contig, start, start + 1)


def touches(records: Records, regions: Regions) -> NDArray[np.bool_]:
    """Records whose REF has a base in a region (`bcftools view -R`)."""
    start = records.pos.astype(np.int64)
    return overlaps(regions, records.contig, start, start + records.ref_len)


def keep_only(records: Records, inside: NDArray[np.bool_]) -> None:
    """Set OUTSIDE_TARGETS on the others."""
    records.status[~inside] = Status.OUTSIDE_TARGETS
