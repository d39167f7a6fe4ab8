"""Small call sets and references from rows of text, and their verdicts."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.load import read_records
from benchmarks.haplotypes.records import Comparison, Match, Options, Records
from benchmarks.haplotypes.reference import open_reference

Row = tuple[int, str, str, str]
"""1-based position, REF, ALT, GT."""


def write_fasta(folder: Path, sequence: str, name: str = "chr1") -> Path:
    path = folder / "ref.fa"
    lines = [sequence[i : i + 60] for i in range(0, len(sequence), 60)]
    path.write_text(f">{name}\n" + "\n".join(lines) + "\n")
    return path


def vcf_text(
    rows: Iterable[Row], length: int, *, name: str = "chr1", sample: str = "S"
) -> str:
    head = (
        f"##fileformat=VCFv4.2\n##contig=<ID={name},length={length}>\n"
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}\n"
    )
    return head + "".join(
        f"{name}\t{pos}\t.\t{ref}\t{alt}\t50\tPASS\t.\tGT\t{gt}\n"
        for pos, ref, alt, gt in rows
    )


def read(folder: Path, name: str, text: str, fasta: Path) -> Records:
    path = folder / name
    path.write_text(text)
    return read_records(path, contigs=open_reference(fasta).contigs)


def judge(
    folder: Path,
    sequence: str,
    truth: Iterable[Row],
    query: Iterable[Row],
    options: Options | None = None,
) -> tuple[Records, Records, Comparison]:
    fasta = write_fasta(folder, sequence)
    sides = [
        read(folder, f"{name}.vcf", vcf_text(rows, len(sequence)), fasta)
        for name, rows in (("truth", truth), ("query", query))
    ]
    result = compare(sides[0], sides[1], open_reference(fasta), options)
    return sides[0], sides[1], result


def levels(
    folder: Path,
    sequence: str,
    truth: Iterable[Row],
    query: Iterable[Row],
    options: Options | None = None,
) -> tuple[list[str], list[str]]:
    """Names of the match levels of both sides, in order of position."""
    _, _, result = judge(folder, sequence, truth, query, options)
    return (
        [Match(level).name for level in result.truth.match],
        [Match(level).name for level in result.query.match],
    )


def random_sequence(seed: int, length: int) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))
