"""The annotated VCF: a row per site with the samples TRUTH and QUERY.

Rows are written as bytes by compiled code, a few ten thousand at a time, compressed and
indexed in threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import SUBTYPES, LocationType, VariantType
from benchmarks.haplotypes.outputs import bgzf
from benchmarks.haplotypes.outputs.vcf_rows import Inputs, write_rows
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


@dataclass(frozen=True)
class Words:
    """Strings one after the other: word i is blob[edges[i] : edges[i + 1]]."""

    blob: NDArray[np.uint8]
    edges: NDArray[np.int64]


def words(values: list[str]) -> Words:
    encoded = [value.encode() for value in values]
    edges = np.cumsum([0, *(len(value) for value in encoded)]).astype(np.int64)
    return Words(np.frombuffer(b"".join(encoded) + b" ", dtype=np.uint8), edges)


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
    columns = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT TRUTH QUERY".split()
    meta = [*filters, *listed, f"##reference={reference}"]
    return META + "\n".join([*meta, "\t".join(columns)]) + "\n"


def _subtype_words() -> Words:
    """BI of every set of subtypes: names in alphabetical order, as hap.py has them."""
    order = sorted(range(len(SUBTYPES)), key=SUBTYPES.__getitem__)
    return words(
        [
            ",".join(SUBTYPES[b] for b in order if bits >> b & 1) or "."
            for bits in range(1 << len(SUBTYPES))
        ]
    )


def _inputs(
    rows: Rows, truth: Side, query: Side, placement: Placement | None, regions: bool
) -> Inputs:
    names = words(list(truth.records.contigs.names))
    labels = placement.labels if placement else []
    order = sorted(range(len(labels)), key=labels.__getitem__)
    label_words = words([labels[s] for s in order])
    subtype_words = _subtype_words()
    vocabulary = words(
        [
            *DECISIONS,
            *MATCHES,
            *(kind.name for kind in VariantType),
            *(place.name.lower() for place in LocationType),
        ]
    )
    bits = placement.bits if placement else np.zeros((0, len(rows)), dtype=np.uint8)
    return Inputs(
        contig=rows.contig,
        truth=rows.truth,
        query=rows.query,
        superlocus=rows.superlocus,
        truth_decision=rows.truth_decision,
        query_decision=rows.query_decision,
        truth_score=rows.truth_score,
        tags=_tags(rows, regions),
        bits=bits,
        order=np.array(order, dtype=np.int64),
        names=names.blob,
        name_edges=names.edges,
        labels=label_words.blob,
        label_edges=label_words.edges,
        subtype_names=subtype_words.blob,
        subtype_edges=subtype_words.edges,
        vocabulary=vocabulary.blob,
        vocabulary_edges=vocabulary.edges,
    )


def _tags(rows: Rows, regions: bool) -> NDArray[np.uint8]:
    """1 CONF, 2 TS_contained, 4 TS_boundary."""
    tags = np.zeros(len(rows), dtype=np.uint8)
    if regions:
        tags |= rows.confident
    tags |= rows.contained.astype(np.uint8) << 1
    tags |= rows.boundary.astype(np.uint8) << 2
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
    regions: bool,
    reference: str,
    pool: ThreadPoolExecutor,
    threads: int,
) -> None:
    """Writes `path` (.vcf.gz) and its index beside it.

    regions: whether confident regions were given, so that CONF is tagged.
    """
    inputs = _inputs(rows, truth, query, placement, regions)
    header = header_text(truth.records.contigs, query.records, reference)
    offsets: list[NDArray[np.uint64]] = []
    at = 0
    with path.open("wb") as out:
        head, _ = bgzf.compress_text(header.encode())
        at += out.write(head)
        for chunk in _chunks(inputs, len(rows), truth, query, pool, threads):
            virtual = bgzf.virtual_offsets(chunk.offsets, chunk.sizes, at)
            offsets.append(virtual[:-1])
            out.write(chunk.data)
            at += len(chunk.data)
        out.write(bgzf.END_OF_FILE)
    offsets.append(np.array([at << 16], dtype=np.uint64))
    _write_index(path, rows, truth, query, np.concatenate(offsets))


def _chunks(
    inputs: Inputs,
    count: int,
    truth: Side,
    query: Side,
    pool: ThreadPoolExecutor,
    threads: int,
) -> Iterator[_Chunk]:
    """Compressed chunks in order; a few more than there are threads at once."""
    waiting: list[Future[_Chunk]] = []
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        waiting.append(pool.submit(_chunk, inputs, truth, query, first, last))
        if len(waiting) > 2 * threads:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def _chunk(inputs: Inputs, truth: Side, query: Side, first: int, last: int) -> _Chunk:
    text, offsets = write_rows(inputs, truth, query, first, last)
    data, sizes = bgzf.compress_text(text)
    return _Chunk(data, sizes, offsets)


def _write_index(
    path: Path, rows: Rows, truth: Side, query: Side, offsets: NDArray[np.uint64]
) -> None:
    contigs = truth.records.contigs
    if len(contigs.lengths) and int(contigs.lengths.max()) >= bgzf.TABIX_LIMIT:
        pysam.tabix_index(str(path), preset="vcf", force=True, csi=True)
        return
    begin, length = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    for records, side in ((rows.truth, truth), (rows.query, query)):
        there = records >= 0
        begin[there] = side.records.pos[records[there]]
        length[there] = side.records.ref_len[records[there]]
    present = np.unique(rows.contig)
    names = [contigs.names[int(c)] for c in present]
    numbered = np.searchsorted(present, rows.contig).astype(np.int32)
    index = bgzf.IndexRows(numbered, begin, begin + length, offsets)
    path.with_name(path.name + ".tbi").write_bytes(bgzf.tabix(names, index))
