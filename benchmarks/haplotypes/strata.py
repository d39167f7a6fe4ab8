"""Stratification: many BED files named by a TSV, read once, and the rows in them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from benchmarks.haplotypes.contigs import alternative
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.records import Contigs
from benchmarks.haplotypes.regions import Regions, from_intervals

RESERVED = ("*", "TS_contained", "TS_boundary")
OUTSIDE, PARTLY, INSIDE = 0, 1, 2
"""What `place_rows` says of a row and a set of regions."""
DAMAGED: type[Exception] = isal_zlib.error  # type: ignore[assignment]


@dataclass(frozen=True)
class Stratum:
    """A subset of the genome with its own metrics. `level` is hap.py's Subset.Level."""

    label: str
    path: Path
    level: int = 0


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
            strata.append(Stratum(label, bed))
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
    bad = sorted({letter for letter in label if letter in ":,;=| \"'"})
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


def read_bed(path: str | Path, contigs: Contigs) -> Regions:
    """Merged regions of a BED file (plain, gzip or bgzip), as fast as it is read.

    Lines of other contigs are left out; their names stand in `Regions.ignored`. Raises
    BenchmarkError for a line that is no interval and for a damaged file.
    """
    data = _text(Path(path))
    starts, lengths, names = _packed(contigs)
    rows, fault, other = _parse(data, starts, lengths, names)
    if fault >= 0:
        line = bytes(data[fault : fault + 80]).split(b"\n")[0]
        number = int(np.count_nonzero(data[:fault] == 10)) + 1
        raise BenchmarkError(
            [
                f"{path}, line {number}: not a BED interval (contig, start, end): "
                f"{line.decode('utf-8', 'replace')!r}."
            ]
        )
    ignored = dict.fromkeys(
        bytes(data[at : at + 200]).split(None, 1)[0].decode("utf-8", "replace")
        for at in other
    )
    return from_intervals(contigs, rows, tuple(ignored))


def read_either(path: str | Path, contigs: Contigs) -> Regions:
    """As `read_bed`; names in the other style (`chr1`, `1`) when the BED has those."""
    regions = read_bed(path, contigs)
    if not len(regions) and regions.ignored:
        other = read_bed(path, alternative(contigs))
        if len(other):
            return Regions(contigs, other.offsets, other.starts, other.ends)
    return regions


def _text(path: Path) -> NDArray[np.uint8]:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = _inflate(data)
    except OSError as error:
        raise BenchmarkError([f"{path} cannot be read: {error.strerror}."]) from error
    except (EOFError, zlib.error, DAMAGED) as error:
        raise BenchmarkError(
            [f"{path} is damaged or cut off: it cannot be decompressed."]
        ) from error
    return np.frombuffer(data, dtype=np.uint8)


def _inflate(data: bytes) -> bytes:
    """All members of a gzip file."""
    parts = []
    while data[:2] == b"\x1f\x8b":
        member = isal_zlib.decompressobj(31)
        parts.append(member.decompress(data))
        if not member.eof:
            raise EOFError
        data = member.unused_data
    return b"".join(parts)


def _packed(
    contigs: Contigs,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    encoded = [name.encode() for name in contigs.names]
    lengths = np.array([len(name) for name in encoded], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)
    return starts, lengths, np.frombuffer(b"".join(encoded) or b" ", dtype=np.uint8)


@numba.njit(cache=True, nogil=True)
def _same(
    a: NDArray[np.uint8], at: int, size: int, b: NDArray[np.uint8], other: int
) -> bool:
    for k in range(size):  # noqa: SIM110 (a loop is what compiles to fast code)
        if a[at + k] != b[other + k]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _number(data: NDArray[np.uint8], at: int, stop: int) -> tuple[int, int]:
    """(value or -1, offset after it)."""
    value, begin = 0, at
    while at < stop and 48 <= data[at] <= 57:
        value = value * 10 + data[at] - 48
        at += 1
        if at - begin > 18:
            return -1, at
    return (value if at > begin else -1), at


@numba.njit(cache=True, nogil=True)
def _parse(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    names: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], int, list[int]]:
    """(rows of contig, start, end; offset of the first bad line or -1; other names).

    A name that is no contig is noted once for each run of lines that carry it.
    """
    lines = 1
    for byte in data:
        lines += byte == 10
    rows = np.empty((lines, 3), dtype=np.int64)
    count, at, size = 0, 0, len(data)
    name_at, name_size, contig = 0, -1, -1
    other = [0]
    other.pop()
    while at < size:
        begin, stop = at, at
        while stop < size and data[stop] != 10:
            stop += 1
        at = stop + 1
        if stop > begin and data[stop - 1] == 13:
            stop -= 1
        cut = begin
        while cut < stop and data[cut] != 9 and data[cut] != 32:
            cut += 1
        width = cut - begin
        blank = width == 0 and cut == stop
        if blank or data[begin] == 35 or _is_directive(data, begin, width):
            continue
        if width != name_size or not _same(data, begin, width, data, name_at):
            name_at, name_size, contig = begin, width, -1
            for c in range(len(starts)):
                if lengths[c] == width and _same(data, begin, width, names, starts[c]):
                    contig = c
                    break
            if contig < 0 and len(other) < 10_000:
                other.append(begin)
        first, mid = _number(data, _skip(data, cut, stop), stop)
        last, tail = _number(data, _skip(data, mid, stop), stop)
        ended = tail == stop or data[tail] == 9 or data[tail] == 32
        if width == 0 or first < 0 or last < first or not ended:
            return rows[:count], begin, other
        if contig >= 0:
            rows[count, 0], rows[count, 1], rows[count, 2] = contig, first, last
            count += 1
    return rows[:count], -1, other


@numba.njit(cache=True, nogil=True)
def _skip(data: NDArray[np.uint8], at: int, stop: int) -> int:
    while at < stop and (data[at] == 9 or data[at] == 32):
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _is_directive(data: NDArray[np.uint8], at: int, width: int) -> bool:
    """Whether the line is a `track` or `browser` line of the genome browser."""
    track = np.array([116, 114, 97, 99, 107], dtype=np.uint8)
    browser = np.array([98, 114, 111, 119, 115, 101, 114], dtype=np.uint8)
    if width == 5:
        return _same(data, at, 5, track, 0)
    return width == 7 and _same(data, at, 7, browser, 0)


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


@numba.njit(cache=True, nogil=True)
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


@dataclass
class Placement:
    """Rows against strata: bit s & 7 of `bits[s >> 3, row]`, counts, and borders."""

    labels: list[str]
    levels: list[int]
    sizes: NDArray[np.int64]
    confident_sizes: NDArray[np.int64]
    bits: NDArray[np.uint8]
    counts: NDArray[np.int64]
    """Shape (strata, kinds): how many observations of each kind lie in a stratum."""
    on_border: NDArray[np.bool_]
    """Rows that lie in part only in some stratum."""
    notes: list[str]


@numba.njit(cache=True, nogil=True)
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
    truth_kind, query_kind, n_kinds = kinds
    n = len(strata)
    result = Placement(
        labels=[stratum.label for stratum in strata],
        levels=[stratum.level for stratum in strata],
        sizes=np.zeros(n, dtype=np.int64),
        confident_sizes=np.zeros(n, dtype=np.int64),
        bits=np.zeros(((n + 7) // 8, len(extents)), dtype=np.uint8),
        counts=np.zeros((n, n_kinds), dtype=np.int64),
        on_border=np.zeros(len(extents), dtype=np.bool_),
        notes=[],
    )

    def eight(first: int) -> list[str]:
        faults: list[str] = []
        for s in range(first, min(first + 8, n)):
            try:
                regions = read_either(strata[s].path, contigs)
            except BenchmarkError as error:
                faults += error.faults
                continue
            result.sizes[s] = regions.size()
            if confident is not None:
                result.confident_sizes[s] = shared_bases(regions, confident)
            if not len(regions):
                result.notes.append(
                    f"Stratum {strata[s].label} has no region on the contigs of the "
                    "comparison."
                )
            places = place_rows(extents, regions)
            bits = result.bits[s >> 3]
            border = result.on_border
            counts = result.counts[s]
            _tally(places, 1 << (s & 7), bits, border, truth_kind, query_kind, counts)
        return faults

    faults = [fault for found in pool.map(eight, range(0, n, 8)) for fault in found]
    if faults:
        raise BenchmarkError(faults)
    return result


def shared_bases(a: Regions, b: Regions) -> int:
    """Bases in both."""
    return int(_shared(a.offsets, a.starts, a.ends, b.offsets, b.starts, b.ends))


@numba.njit(cache=True, nogil=True)
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


def labels_of(placement: Placement, row: int) -> Iterable[str]:
    """The strata of one row, for messages and tests."""
    for s, label in enumerate(placement.labels):
        if placement.bits[s >> 3, row] >> (s & 7) & 1:
            yield label
