"""What was found on each contig."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks import contigs
from benchmarks.contigs import ContigCounts
from benchmarks.variants import VariantsError
from tests.cases import case

HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
NONE = ".:."
RECORDS = [
    ("chr2", "1/1:TP", "1/1:TP"),
    ("chr2", "0/1:FN", "1/1:FP"),
    ("chr10", NONE, "0/1:UNK"),
    ("chr1", "0/1:FN", NONE),
    ("chr1", "0/1:FN", NONE),
]


def vcf(folder: Path, samples: str = "\tTRUTH\tQUERY") -> Path:
    lines = [
        f"{contig}\t{at}\t.\tA\tC\t.\tPASS\t.\tGT:BD\t{truth}\t{query}\n"
        for at, (contig, truth, query) in enumerate(RECORDS, 1)
    ]
    path = folder / "a.vcf.gz"
    path.write_bytes(gzip.compress((f"{HEAD}{samples}\n" + "".join(lines)).encode()))
    return path


def test_records_are_counted_by_contig_in_the_order_of_the_file(tmp_path: Path) -> None:
    kept = tmp_path / contigs.NAME

    found = contigs.count(vcf(tmp_path), kept)

    assert found == [
        ContigCounts("chr2", 1, 1, 1, 1, 0),
        ContigCounts("chr10", 0, 0, 0, 0, 1),
        ContigCounts("chr1", 0, 2, 0, 0, 0),
    ]
    assert contigs.read(kept) == found


def test_a_contig_of_which_nothing_was_found_stands_out(tmp_path: Path) -> None:
    found = contigs.count(vcf(tmp_path), tmp_path / "kept")

    assert [row.contig for row in found if row.nothing_found] == ["chr1"]
    assert [row.recall for row in found] == [0.5, None, 0]
    assert [row.precision for row in found] == [0.5, None, None]


def test_another_vcf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VariantsError, match="no samples TRUTH and QUERY"):
        contigs.count(vcf(tmp_path, "\tCHILD\tFATHER"), tmp_path / "kept")


def test_without_a_file_there_are_no_counts(tmp_path: Path) -> None:
    assert contigs.read(tmp_path / contigs.NAME) == []


@pytest.mark.cases
def test_counts_are_those_of_rtgs_own_annotated_file(tmp_path: Path) -> None:
    folder = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval"
    [annotated] = folder.glob("*.vcf.gz")

    [row] = contigs.count(annotated, tmp_path / "kept")

    assert row.contig == "chr20"
    assert (row.truth_tp, row.fn, row.fp) == (7021 + 1075, 11, 8)
