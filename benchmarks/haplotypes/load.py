"""Read a call file into `Records`: header, sample, contigs, columns, statuses."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from benchmarks.haplotypes import scan
from benchmarks.haplotypes.inflate import (
    GZIP_HEADER,
    SLAB,
    Bytes,
    Slab,
    map_file,
    slabs,
)
from benchmarks.haplotypes.records import Contigs, HaplotypesError, Records

BCF_HEADER = b"BCF\x02"
HEADER_LIMIT = 256 << 20


@dataclass(frozen=True)
class Header:
    """What the head of a call file says."""

    path: str
    text: str
    contigs: dict[str, int | None]
    """Length by name, in order of the header; None where it gives none."""
    samples: tuple[str, ...]


def is_bcf(path: str | Path) -> bool:
    with Path(path).open("rb") as handle:
        head = handle.read(4)
    if head[:2] == GZIP_HEADER:
        with gzip.open(path) as inner:
            try:
                head = inner.read(4)
            except (OSError, EOFError, zlib.error):
                return False
    return head == BCF_HEADER


def read_header(path: str | Path) -> Header:
    """Raises HaplotypesError when the file is missing or is no VCF or BCF."""
    if not Path(path).is_file():
        raise HaplotypesError(f"{path} does not exist.")
    if is_bcf(path):
        try:
            with pysam.VariantFile(str(path)) as calls:
                return parse_header(path, str(calls.header))
        except (OSError, ValueError) as error:
            raise HaplotypesError(f"{path} cannot be read as BCF: {error}.") from error
    return parse_header(path, _head_text(path))


def _head_text(path: str | Path) -> str:
    lines: list[bytes] = []
    compressed = map_file(path)[:2].tobytes() == GZIP_HEADER
    try:
        with gzip.open(path) if compressed else Path(path).open("rb") as handle:
            for line in handle:
                if not line.startswith(b"#"):
                    break
                lines.append(line)
    except (OSError, EOFError, zlib.error) as error:
        raise HaplotypesError(
            f"{path} is damaged or cut off: its header cannot be decompressed."
        ) from error
    return b"".join(lines).decode("utf-8", "replace")


def parse_header(path: str | Path, text: str) -> Header:
    contigs: dict[str, int | None] = {}
    samples: tuple[str, ...] | None = None
    for line in text.replace("\r", "").split("\n"):
        if line.startswith("##contig=<"):
            name, length = _contig_line(line)
            contigs[name] = length
        elif line.startswith("#CHROM"):
            columns = line.split("\t")
            samples = tuple(columns[9:])
            if len(columns) < 8:
                samples = None
    if samples is None:
        raise HaplotypesError(
            f"{path} is no VCF or BCF file: it has no #CHROM line with eight columns "
            "or more."
        )
    return Header(str(path), text, contigs, samples)


def _contig_line(line: str) -> tuple[str, int | None]:
    name, length = "", None
    for part in line[len("##contig=<") :].rstrip().rstrip(">").split(","):
        key, _, value = part.partition("=")
        if key == "ID":
            name = value
        elif key == "length" and value.isdigit():
            length = int(value)
    return name, length


def pick_sample(header: Header, sample: str | None) -> int:
    """Index of the sample; never guessed among several."""
    names = header.samples
    if sample is not None:
        if sample not in names:
            raise HaplotypesError(
                f"{header.path} has no sample {sample}. It has: {_listed(names)}."
            )
        return names.index(sample)
    if len(names) > 1:
        raise HaplotypesError(
            f"{header.path} has {len(names)} samples ({_listed(names)}): name the one "
            "to compare (--sample TRUTH,QUERY)."
        )
    if not names:
        raise HaplotypesError(
            f"{header.path} has no sample column, so it has no genotypes to compare."
        )
    return 0


def _listed(names: tuple[str, ...], limit: int = 10) -> str:
    tail = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + tail


@dataclass
class _Task:
    """What each slab's scan needs, the same for all."""

    names: Bytes
    offsets: NDArray[np.int64]
    sample: int
    score_kind: int
    score_key: Bytes


@dataclass
class _Part:
    columns: scan.Columns
    text: Bytes
    counts: NDArray[np.int64]
    seen: NDArray[np.int64]
    head: bytes = b""
    """The slab up to its first line end, which ends a line of the slab before."""
    tail: bytes = b""
    uncut: bool = False
    """The slab has no line end: all of it is `head`."""


def score_source(roc_field: str) -> tuple[int, Bytes]:
    """Kind of score and the INFO key; raises HaplotypesError for another field."""
    none = np.zeros(0, dtype=np.uint8)
    if roc_field == "QUAL":
        return scan.SCORE_QUAL, none
    if roc_field in ("GQ", "FORMAT.GQ"):
        return scan.SCORE_GQ, none
    kind, _, key = roc_field.partition(".")
    if kind == "INFO" and key:
        return scan.SCORE_INFO, np.frombuffer(key.encode(), dtype=np.uint8)
    raise HaplotypesError(
        f"{roc_field} cannot be the score of the ROC: use QUAL, GQ or INFO.<key>."
    )


def scan_file(
    path: str | Path,
    contigs: tuple[str, ...],
    sample: int,
    roc_field: str,
    pool: ThreadPoolExecutor,
    threads: int,
) -> list[_Part]:
    """Columns and kept text of a file, slab by slab in order."""
    kind, key = score_source(roc_field)
    names = [name.encode() for name in contigs]
    offsets = np.cumsum([0] + [len(name) for name in names]).astype(np.int64)
    joined = np.frombuffer(b"".join(names), dtype=np.uint8)
    task = _Task(joined, offsets, sample, kind, key)
    waiting: deque[Future[_Part]] = deque()
    parts: list[_Part] = []
    carry = b""

    def take() -> None:
        """The next slab, after the line that it ends for the slab before."""
        nonlocal carry
        part = waiting.popleft().result()
        if part.uncut:
            carry += part.head
            return
        seam = carry + part.head
        parts.append(_scan(_array(seam), 0, len(seam), task))
        parts.append(part)
        carry = part.tail

    for slab in _bcf_slabs(path) if is_bcf(path) else slabs(path):
        waiting.append(pool.submit(_scan_slab, slab, task))
        if len(waiting) > 2 * threads + 2:
            take()
    while waiting:
        take()
    if carry:
        seam = carry + b"\n"
        parts.append(_scan(_array(seam), 0, len(seam), task))
    return parts


def _bcf_slabs(path: str | Path) -> Iterator[Slab]:
    """BCF as VCF text: slow, but the same columns."""
    lines: list[str] = []
    size = 0
    try:
        with pysam.VariantFile(str(path)) as calls:
            for record in calls:
                lines.append(str(record))
                size += len(lines[-1])
                if size > SLAB:
                    yield _text_slab(lines)
                    lines, size = [], 0
    except (OSError, ValueError) as error:
        raise HaplotypesError(f"{path} cannot be read as BCF: {error}.") from error
    if lines:
        yield _text_slab(lines)


def _text_slab(lines: list[str]) -> Slab:
    text = _array("".join(lines).encode())
    return lambda room=None: text


def _array(text: bytes) -> Bytes:
    """Writable, as all text that the compiled code sees."""
    return np.frombuffer(bytearray(text), dtype=np.uint8)


class _Scratch(threading.local):
    """Arrays that a thread uses for one slab after the other: fresh memory is slow."""

    def __init__(self) -> None:
        self.text = np.empty(0, dtype=np.uint8)
        self.columns = scan.empty_columns(0)

    def room(self) -> Bytes:
        if not len(self.text):
            self.text = np.empty(SLAB + (1 << 17), dtype=np.uint8)
        return self.text

    def column_room(self, rows: int) -> scan.Columns:
        if len(self.columns.line) < rows:
            self.columns = scan.empty_columns(rows + rows // 4)
        return self.columns


_scratch = _Scratch()


def _scan_slab(slab: Slab, task: _Task) -> _Part:
    """The whole lines of a slab; what is cut off at both ends goes along as bytes."""
    text = slab(_scratch.room())
    first = scan.find_newline(text, 0, len(text))
    if first == len(text):
        part = _scan(text, 0, 0, task)
        part.head, part.uncut = text.tobytes(), True
        return part
    stop = scan.last_newline(text, first + 1, len(text))
    part = _scan(text, first + 1, stop, task)
    part.head, part.tail = text[: first + 1].tobytes(), text[stop:].tobytes()
    return part


def _scan(text: Bytes, begin: int, stop: int, task: _Task) -> _Part:
    counts = np.zeros(5, dtype=np.int64)
    seen = np.zeros(len(task.offsets), dtype=np.int64)
    columns = _scratch.column_room((stop - begin) // scan.SHORTEST + 1)
    rows = scan.scan_lines(
        text,
        begin,
        stop,
        task.names,
        task.offsets,
        task.sample,
        task.score_kind,
        task.score_key,
        columns,
        counts,
        seen,
    )
    if counts[scan.MALFORMED]:
        fault = int(counts[4]) - 1
        line = text[fault : fault + 120].tobytes().split(b"\n")[0]
        raise HaplotypesError(f"not a VCF line: {line.decode('utf-8', 'replace')!r}")
    kept = scan.Columns._make(column[:rows].copy() for column in columns)
    out = np.empty(scan.kept_bytes(kept.fields), dtype=np.uint8)
    scan.compact(text, kept.line, kept.fields, out)
    return _Part(kept, out, counts, seen)


def read_records(
    path: str | Path,
    *,
    contigs: Contigs,
    names: tuple[str, ...] | None = None,
    sample: str | None = None,
    roc_field: str = "QUAL",
    pool: ThreadPoolExecutor | None = None,
    threads: int = 1,
) -> Records:
    """All variant lines of one sample; nothing is judged yet (see `judge`).

    contigs: those of the comparison; lines on other contigs are counted and left.
    names: what this file calls them, in the same order, where it differs.
    Raises HaplotypesError, naming the file, for everything that is wrong with it.
    """
    header = read_header(path)
    index = pick_sample(header, sample)
    called = names or contigs.names
    if pool is None:
        with ThreadPoolExecutor(threads) as own:
            parts = _named(path, called, index, roc_field, own, threads)
    else:
        parts = _named(path, called, index, roc_field, pool, threads)
    records = _join(header, index, contigs, parts)
    return _sorted(records)


def _named(
    path: str | Path,
    names: tuple[str, ...],
    index: int,
    roc_field: str,
    pool: ThreadPoolExecutor,
    threads: int,
) -> list[_Part]:
    try:
        return scan_file(path, names, index, roc_field, pool, threads)
    except HaplotypesError as error:
        if str(path) in str(error) or "ROC" in str(error):
            raise
        raise HaplotypesError(f"{path}: {error}") from error


def _join(header: Header, index: int, contigs: Contigs, parts: list[_Part]) -> Records:
    counts = sum((part.counts for part in parts), np.zeros(5, dtype=np.int64))
    seen = sum(
        (part.seen for part in parts), np.zeros(len(contigs.names) + 1, dtype=np.int64)
    )
    total = sum(len(part.text) for part in parts)
    text = np.empty(total, dtype=np.uint8)
    at = 0
    for part in parts:
        text[at : at + len(part.text)] = part.text
        part.columns.line[:] += at
        at += len(part.text)
        part.text = text[:0]
    columns = scan.Columns._make(
        np.concatenate([part.columns[i] for part in parts]) if parts else column
        for i, column in enumerate(scan.empty_columns(0))
    )
    records = Records(
        path=header.path,
        sample=header.samples[index],
        contigs=contigs,
        header=header.text,
        text=text,
        **columns._asdict(),
        status=np.zeros(len(columns.line), dtype=np.uint8),
        lines_read=int(counts[:4].sum()),
        reference_blocks=int(counts[scan.REFERENCE_BLOCK]),
        seen=seen,
    )
    if seen[-1]:
        records.warnings.append(
            f"{header.path}: {int(seen[-1])} lines lie on contigs that are not part of "
            "the comparison."
        )
    return records


def _sorted(records: Records) -> Records:
    """Rows by contig and position; the order of the file within one position."""
    key = records.contig.astype(np.int64) << 32 | records.pos.astype(np.int64)
    if len(key) < 2 or bool((key[1:] >= key[:-1]).all()):
        return records
    order = np.argsort(key, kind="stable")
    for name in scan.Columns._fields:
        setattr(records, name, getattr(records, name)[order])
    records.resorted = True
    return records
