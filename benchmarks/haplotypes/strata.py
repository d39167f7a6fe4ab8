"""Stratification: many BED files named by a TSV, read once, and the rows in them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.beds import Parts, read_parts
from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.records import Contigs
from benchmarks.haplotypes.regions import Regions

RESERVED = ("*", "TS_contained", "TS_boundary")
FORBIDDEN = ":,;=| \"'"
"""Letters that separate values in VCF or CSV."""
CLEAN = str.maketrans(dict.fromkeys(FORBIDDEN, "_"))
OUTSIDE, PARTLY, INSIDE = 0, 1, 2
"""What `place_rows` says of a row and a set of regions."""
MOST_PARTS = 200
"""Names in the fourth column of one BED that become strata of their own."""


@dataclass(frozen=True)
class Stratum:
    """A subset of the genome with its own metrics.

    Unless it is `fixed` (in the list: `=` before the label), the names in the fourth
    column of its BED are strata of their own, `label_name`.
    """

    label: str
    path: Path
    fixed: bool = False


@dataclass(frozen=True)
class Extents:
    """Where the rows lie: 0-based, half-open, sorted by contig.

    `edges` has one entry more than there are contigs: rows of contig c are
    [edges[c], edges[c + 1]). `insertion` rows count as inside only when wholly inside.
    """

    edges: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    insertion: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.start)


def read_list(path: str | Path) -> list[Stratum]:
    """The strata of a GIAB stratification TSV: label, tab, BED (relative to the TSV).

    Raises BenchmarkError with all faults of the file at once.
    """
    source = Path(path)
    try:
        text = source.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise BenchmarkError(
            [f"The stratification list {source} cannot be read: {error.strerror}."]
        ) from error
    strata: list[Stratum] = []
    faults: list[str] = []
    first_seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        label, separator, name = line.strip().partition("\t")
        label, name = label.strip(), name.strip()
        fixed, label = label.startswith("="), label.removeprefix("=")
        where = f"{source}, line {number}"
        if not separator or not label or not name:
            faults.append(f"{where}: needs a label, a tab and a BED file: {line!r}.")
            continue
        faults += [f"{where}: {fault}" for fault in _label_faults(label)]
        if label in first_seen:
            faults.append(
                f"{where}: the label {label} stands already on line "
                f"{first_seen[label]}; each stratum needs a name of its own."
            )
        first_seen.setdefault(label, number)
        bed = _locate(source, name)
        if bed is None:
            faults.append(
                f"{where}: the BED file {name} does not exist (looked in the working "
                f"folder and in {source.parent})."
            )
        else:
            strata.append(Stratum(label, bed, fixed))
    if not strata and not faults:
        faults.append(f"The stratification list {source} names no BED file.")
    if faults:
        raise BenchmarkError(faults)
    return strata


def _label_faults(label: str) -> list[str]:
    """What would make a label mean something else to readers of hap.py's files."""
    faults = []
    if "CONF" in label:
        faults.append(
            f"the label {label} contains CONF, which hap.py's files use for the "
            "confident regions; rename it."
        )
    if label in RESERVED:
        faults.append(f"the label {label} is reserved; rename it.")
    bad = sorted(set(label) & set(FORBIDDEN))
    if bad:
        faults.append(
            f"the label {label} contains {' '.join(bad)!r}, which separates values in "
            "VCF or CSV; use letters, digits, `.`, `_` or `-`."
        )
    return faults


def _locate(source: Path, name: str) -> Path | None:
    for candidate in (Path(name), source.parent / name):
        if candidate.is_file():
            return candidate
    return None


def place_rows(extents: Extents, regions: Regions) -> NDArray[np.uint8]:
    """OUTSIDE, PARTLY or INSIDE for each row; the regions are merged."""
    places = np.zeros(len(extents), dtype=np.uint8)
    _place(
        extents.edges,
        extents.start,
        extents.end,
        extents.insertion,
        regions.offsets,
        regions.starts,
        regions.ends,
        places,
    )
    return places


@njit(cache=True, nogil=True)
def _place(
    edges: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    insertion: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    region_start: NDArray[np.int64],
    region_end: NDArray[np.int64],
    places: NDArray[np.uint8],
) -> None:
    for contig in range(len(edges) - 1):
        low, high = offsets[contig], offsets[contig + 1]
        if low == high:
            continue
        at = low
        for i in range(edges[contig], edges[contig + 1]):
            while at > low and region_end[at - 1] > start[i]:
                at -= 1
            while at < high and region_end[at] <= start[i]:
                at += 1
            if at == high or region_start[at] >= end[i]:
                continue
            if region_start[at] <= start[i] and region_end[at] >= end[i]:
                places[i] = INSIDE
            elif not insertion[i]:
                places[i] = PARTLY


@dataclass(frozen=True)
class Placed:
    """A stratum, counted. `bit` is its place in `Placement.bits`; sizes in bases.

    `counts` says how many observations of each kind lie in it; `level` is hap.py's
    Subset.Level: 0, or 1 for a name in the fourth column.
    """

    label: str
    level: int
    size: int
    confident_size: int
    counts: NDArray[np.int64]
    bit: int


@dataclass
class Placement:
    """Rows against strata: row r is in one where bit b & 7 of `bits[b >> 3, r]` is."""

    strata: list[Placed]
    bits: NDArray[np.uint8]
    on_border: NDArray[np.bool_]
    """Rows that lie in part only in some stratum."""
    notes: list[str]

    def rows_of(self, label: str) -> NDArray[np.bool_] | None:
        """Rows in the stratum; None when there is none of this name."""
        for held in self.strata:
            if held.label == label:
                found: NDArray[np.bool_] = (
                    self.bits[held.bit >> 3] >> (held.bit & 7) & 1 == 1
                )
                return found
        return None


@njit(cache=True, nogil=True)
def _tally(
    places: NDArray[np.uint8],
    bit: int,
    bits: NDArray[np.uint8],
    on_border: NDArray[np.bool_],
    truth_kind: NDArray[np.uint16],
    query_kind: NDArray[np.uint16],
    counts: NDArray[np.int64],
) -> None:
    for i in range(len(places)):
        if places[i]:
            bits[i] |= bit
            counts[truth_kind[i]] += 1
            counts[query_kind[i]] += 1
            if places[i] == PARTLY:
                on_border[i] = True


@dataclass(frozen=True)
class _Counter:
    """All that is needed to count the rows in some regions."""

    extents: Extents
    kinds: tuple[NDArray[np.uint16], NDArray[np.uint16], int]
    confident: Regions | None
    on_border: NDArray[np.bool_]

    def place(
        self,
        label: str,
        level: int,
        regions: Regions,
        bits: NDArray[np.uint8],
        bit: int,
    ) -> Placed:
        """Sets the bit of the rows inside, in the bytes of `bits` that hold it."""
        truth_kind, query_kind, n_kinds = self.kinds
        counts = np.zeros(n_kinds, dtype=np.int64)
        places = place_rows(self.extents, regions)
        _tally(
            places, 1 << (bit & 7), bits, self.on_border, truth_kind, query_kind, counts
        )
        shared = 0
        if self.confident is not None:
            shared = shared_bases(regions, self.confident)
        return Placed(label, level, regions.size(), shared, counts, bit)


@dataclass
class _Found:
    """What a task found in its BEDs: strata, and by stratum the named parts."""

    placed: list[Placed] = field(default_factory=list)
    parts: list[tuple[Stratum, Parts]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def place_strata(
    strata: list[Stratum],
    extents: Extents,
    contigs: Contigs,
    kinds: tuple[NDArray[np.uint16], NDArray[np.uint16], int],
    confident: Regions | None,
    pool: ThreadPoolExecutor,
) -> Placement:
    """Reads each BED once and counts the rows in it; eight strata a task.

    kinds: the kind of the truth and of the query observation of each row, and how many
    kinds there are. Raises BenchmarkError with the faults of all BEDs.
    """
    bits = np.zeros(((len(strata) + 7) // 8, len(extents)), dtype=np.uint8)
    on_border = np.zeros(len(extents), dtype=np.bool_)
    counter = _Counter(extents, kinds, confident, on_border)

    def eight(first: int) -> _Found:
        found = _Found()
        for s in range(first, min(first + 8, len(strata))):
            _place_one(counter, strata[s], s, contigs, bits[s >> 3], found)
        return found

    tasks = list(pool.map(eight, range(0, len(strata), 8)))
    faults = [fault for found in tasks for fault in found.faults]
    if faults:
        raise BenchmarkError(faults)
    placed = [held for found in tasks for held in found.placed]
    notes = [note for found in tasks for note in found.notes]
    parts = _named_parts(tasks, {held.label for held in placed}, notes)
    more = np.zeros(((len(parts) + 7) // 8, len(extents)), dtype=np.uint8)
    base = 8 * len(bits)
    placed += [
        counter.place(label, 1, regions, more[k >> 3], base + k)
        for k, (label, regions) in enumerate(parts)
    ]
    return Placement(placed, np.vstack((bits, more)), on_border, notes)


def _place_one(
    counter: _Counter,
    stratum: Stratum,
    bit: int,
    contigs: Contigs,
    bits: NDArray[np.uint8],
    found: _Found,
) -> None:
    try:
        regions, parts = read_parts(stratum.path, contigs)
    except BenchmarkError as error:
        found.faults += error.faults
        return
    if not len(regions):
        found.notes.append(
            f"Stratum {stratum.label} has no region on the contigs of the comparison."
        )
    if parts and not stratum.fixed:
        found.parts.append((stratum, parts))
    found.placed.append(counter.place(stratum.label, 0, regions, bits, bit))


def _named_parts(
    tasks: list[_Found], taken: set[str], notes: list[str]
) -> list[tuple[str, Regions]]:
    """(label, regions) of the strata that fourth columns name, in order."""
    named: list[tuple[str, Regions]] = []
    for stratum, parts in (pair for found in tasks for pair in found.parts):
        if len(parts) > MOST_PARTS:
            notes.append(
                f"Stratum {stratum.label} is not divided: the fourth column of its BED "
                f"has {len(parts):,} names, and more than {MOST_PARTS} are too many "
                "for a table."
            )
            continue
        for name, regions in parts.items():
            label = f"{stratum.label}_{name.translate(CLEAN)}"
            if label in taken:
                notes.append(f"Two strata are named {label}; the first is counted.")
                continue
            taken.add(label)
            named.append((label, regions))
    return named


def shared_bases(a: Regions, b: Regions) -> int:
    """Bases in both."""
    return int(_shared(a.offsets, a.starts, a.ends, b.offsets, b.starts, b.ends))


@njit(cache=True, nogil=True)
def _shared(
    a_offsets: NDArray[np.int64],
    a_start: NDArray[np.int64],
    a_end: NDArray[np.int64],
    b_offsets: NDArray[np.int64],
    b_start: NDArray[np.int64],
    b_end: NDArray[np.int64],
) -> int:
    total = 0
    for contig in range(len(a_offsets) - 1):
        i, j = a_offsets[contig], b_offsets[contig]
        while i < a_offsets[contig + 1] and j < b_offsets[contig + 1]:
            low, high = max(a_start[i], b_start[j]), min(a_end[i], b_end[j])
            if low < high:
                total += high - low
            if a_end[i] < b_end[j]:
                i += 1
            else:
                j += 1
    return total
