"""The annotated VCF: a row per site with the samples TRUTH and QUERY.

Rows are written as bytes by compiled code, a few ten thousand at a time, compressed and
indexed in threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import SUBTYPES, LocationType, VariantType
from benchmarks.haplotypes.outputs import bgzf
from benchmarks.haplotypes.outputs.vcf_rows import Inputs, words, write_rows
from benchmarks.haplotypes.records import Contigs, Records
from benchmarks.haplotypes.rows import Rows, Side
from benchmarks.haplotypes.strata import Placement

CHUNK = 1 << 15
"""Rows of a task."""
DECISIONS = (".", "TP", "FP", "FN", "UNK", "N")
MATCHES = (".", ".", "lm", "am", "gm")
META = """\
##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="All filters passed">
##INFO=<ID=BS,Number=.,Type=Integer,Description="Benchmarking superlocus ID for these \
variants.">
##INFO=<ID=Regions,Number=.,Type=String,Description="Tags for regions.">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=BD,Number=1,Type=String,Description="Decision for call (TP/FP/FN/N)">
##FORMAT=<ID=BK,Number=1,Type=String,Description="Sub-type for decision \
(match/mismatch type)">
##FORMAT=<ID=BI,Number=1,Type=String,Description="Additional comparison information">
##FORMAT=<ID=BVT,Number=1,Type=String,Description="High-level variant type \
(SNP|INDEL).">
##FORMAT=<ID=BLT,Number=1,Type=String,Description="High-level location type \
(het|homref|hetalt|homalt|nocall).">
##FORMAT=<ID=QQ,Number=1,Type=Float,Description="Variant quality for ROC creation.">
"""


def header_text(contigs: Contigs, query: Records, reference: str) -> str:
    """Meta lines and the line of column names; FILTERs are the query's."""
    filters = [
        line
        for line in query.header.splitlines()
        if line.startswith("##FILTER=<") and "ID=PASS," not in line
    ]
    listed = [
        f"##contig=<ID={name},length={length}>"
        for name, length in zip(contigs.names, contigs.lengths.tolist(), strict=True)
    ]
    columns = [
        "#CHROM",
        "POS",
        "ID",
        "REF",
        "ALT",
        "QUAL",
        "FILTER",
        "INFO",
        "FORMAT",
        "TRUTH",
        "QUERY",
    ]
    meta = [*filters, *listed, f"##reference={reference}"]
    return META + "\n".join([*meta, "\t".join(columns)]) + "\n"


FORMAT = "\tGT:BD:BK:BI:BVT:BLT:QQ\t"
CONF, CONTAINED, BOUNDARY, LABELLED, JUDGED = 1, 2, 4, 8, 16
"""Bits of a row's tag: which Regions it has, and whether BS stands before them."""


def _subtype_names(bits: int) -> str:
    """BI: names in alphabetical order, as hap.py has them."""
    return ",".join(n for n in sorted(SUBTYPES) if bits >> SUBTYPES.index(n) & 1) or "."


def _sample_words(
    side: Side, records: NDArray[np.int32], decision: NDArray[np.uint8]
) -> tuple[NDArray[np.uint32], dict[int, str]]:
    """(code of each row, what the sample column says after the genotype by code)."""
    classes = side.classes
    of_record = side.verdicts.match.astype(np.uint32)
    of_record |= classes.variant.astype(np.uint32) << 3
    of_record |= classes.location.astype(np.uint32) << 6
    of_record |= classes.subtypes.astype(np.uint32) << 10
    code = np.full(len(records), _ABSENT, dtype=np.uint32)
    there = records >= 0
    code[there] = of_record[records[there]]
    code |= decision.astype(np.uint32) << 21
    present = np.zeros(1 << 25, dtype=np.bool_)
    present[code] = True
    return code, {int(c): _sample_word(int(c)) for c in np.flatnonzero(present)}


_ABSENT = 1 << 24


def _sample_word(code: int) -> str:
    decision = DECISIONS[code >> 21 & 7]
    if code & _ABSENT:
        return f":{decision}:.:.:NOCALL:nocall:"
    match = MATCHES[code & 7]
    variant = VariantType(code >> 3 & 7).name
    location = LocationType(code >> 6 & 15).name.lower()
    subtypes = _subtype_names(code >> 10 & (1 << len(SUBTYPES)) - 1)
    return f":{decision}:{match}:{subtypes}:{variant}:{location}:"


def _inputs(
    rows: Rows, truth: Side, query: Side, placement: Placement | None
) -> Inputs:
    strata = sorted(placement.strata if placement else [], key=lambda s: s.label)
    t_code, t_words = _sample_words(truth, rows.truth, rows.truth_decision)
    q_code, q_words = _sample_words(query, rows.query, rows.query_decision)
    vocabulary = sorted({**t_words, **q_words}.items())
    number = np.zeros(1 << 25, dtype=np.uint16)
    number[[code for code, _ in vocabulary]] = np.arange(len(vocabulary))
    tails, ends = _tails(bool(strata))
    bits = np.zeros((0, len(rows)), dtype=np.uint8)
    if placement:
        bits = _in_order(placement.bits, [held.bit for held in strata])
    return Inputs(
        rows=rows,
        truth=truth.records,
        query=query.records,
        names=words(list(truth.records.contigs.names)),
        truth_word=number[t_code],
        query_word=number[q_code],
        samples=words([word for _, word in vocabulary]),
        tag=_tags(rows, bits),
        tails=words(tails),
        ends=words(ends),
        labels=words([held.label for held in strata]),
        bits=bits,
    )


def _in_order(bits: NDArray[np.uint8], order: list[int]) -> NDArray[np.uint8]:
    """The bits of rows such that bit k is what bit order[k] was."""
    if order == list(range(len(order))):
        return bits
    found = np.zeros(((len(order) + 7) // 8, bits.shape[1]), dtype=np.uint8)
    for k, bit in enumerate(order):
        found[k >> 3] |= (bits[bit >> 3] >> (bit & 7) & 1) << (k & 7)
    return found


def _tails(labelled: bool) -> tuple[list[str], list[str]]:
    """By tag: INFO after BS up to the labels, and from there to the first sample."""
    tails, ends = [], []
    for tag in range(32):
        before = ["CONF"] if tag & CONF else []
        after = [
            *(["TS_contained"] if tag & CONTAINED else []),
            *(["TS_boundary"] if tag & BOUNDARY else []),
        ]
        some = bool(before or after or tag & LABELLED)
        head = (";" if tag & JUDGED else "") + "Regions=" if some else ""
        if not some and not tag & JUDGED:
            head = "."
        middle = "," if after and (before or tag & LABELLED) else ""
        end = middle + ",".join(after) + FORMAT
        tails.append(head + "".join(before) + ("" if labelled else end))
        ends.append(end if labelled else "")
    return tails, ends


def _tags(rows: Rows, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    tags = np.zeros(len(rows), dtype=np.uint8)
    if rows.has_regions:
        tags |= rows.confident * np.uint8(CONF)
    tags |= rows.contained * np.uint8(CONTAINED)
    tags |= rows.boundary * np.uint8(BOUNDARY)
    tags |= bits.any(axis=0) * np.uint8(LABELLED)
    tags |= (rows.superlocus != 0) * np.uint8(JUDGED)
    return tags


@dataclass
class _Chunk:
    data: bytes
    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]


def write_vcf(
    path: Path,
    rows: Rows,
    truth: Side,
    query: Side,
    *,
    placement: Placement | None,
    reference: str,
    pool: ThreadPoolExecutor,
    threads: int,
) -> None:
    """Writes `path` (.vcf.gz) and its index beside it."""
    inputs = _inputs(rows, truth, query, placement)
    header = header_text(truth.records.contigs, query.records, reference)
    located = pool.submit(_located, rows, truth, query)
    offsets: list[NDArray[np.uint64]] = []
    at = 0
    with path.open("wb") as out:
        head, _ = bgzf.compress_text(header.encode())
        at += out.write(head)
        for chunk in _chunks(inputs, len(rows), pool, threads):
            virtual = bgzf.virtual_offsets(chunk.offsets, chunk.sizes, at)
            offsets.append(virtual[:-1])
            out.write(chunk.data)
            at += len(chunk.data)
        out.write(bgzf.END_OF_FILE)
    offsets.append(np.array([at << 16], dtype=np.uint64))
    _write_index(
        path, truth.records.contigs, located.result(), np.concatenate(offsets), pool
    )


def _chunks(
    inputs: Inputs, count: int, pool: ThreadPoolExecutor, threads: int
) -> Iterator[_Chunk]:
    """Compressed chunks in order; a few more than there are threads at once."""
    waiting: deque[Future[_Chunk]] = deque()
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        waiting.append(pool.submit(_chunk, inputs, first, last))
        if len(waiting) > 2 * threads:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _chunk(inputs: Inputs, first: int, last: int) -> _Chunk:
    text, offsets = write_rows(inputs, first, last)
    data, sizes = bgzf.compress_text(text)
    return _Chunk(data, sizes, offsets)


@dataclass
class _Located:
    """The rows as their index has them; `contig` numbers into `present`."""

    present: NDArray[np.int32]
    contig: NDArray[np.int32]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


def _located(rows: Rows, truth: Side, query: Side) -> _Located:
    begin, length = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    for records, side in ((rows.truth, truth), (rows.query, query)):
        there = records >= 0
        begin[there] = side.records.pos[records[there]]
        length[there] = side.records.ref_len[records[there]]
    here = rows.extents.edges[1:] > rows.extents.edges[:-1]
    number = (np.cumsum(here) - 1).astype(np.int32)
    present = np.flatnonzero(here).astype(np.int32)
    return _Located(present, number[rows.contig], begin, begin + length)


def _write_index(
    path: Path,
    contigs: Contigs,
    rows: _Located,
    offsets: NDArray[np.uint64],
    pool: ThreadPoolExecutor,
) -> None:
    if len(contigs.lengths) and int(contigs.lengths.max()) >= bgzf.TABIX_LIMIT:
        pysam.tabix_index(str(path), preset="vcf", force=True, csi=True)
        return
    names = [contigs.names[int(c)] for c in rows.present]
    index = bgzf.IndexRows(rows.contig, rows.begin, rows.end, offsets)
    path.with_name(path.name + ".tbi").write_bytes(bgzf.tabix(names, index, pool))
