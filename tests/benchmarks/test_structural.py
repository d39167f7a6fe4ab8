"""Truvari's false variants as columns."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks import structural, variants
from benchmarks.variants import VariantsError, Wanted
from tests.cases import case

HEAD = "##contig=<ID=chr2>\n##contig=<ID=chr1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\n"


def line(
    contig: str, at: int, ref: str, alt: str, info: str = "", qual: str = "."
) -> str:
    return f"{contig}\t{at}\t.\t{ref}\t{alt}\t{qual}\tPASS\t{info}\tDP:GT\t9:0/1\n"


def bench(folder: Path, fn: str, fp: str) -> Path:
    for name, lines in (("fn", fn), ("fp", fp)):
        content = (HEAD + lines).encode()
        (folder / f"{name}.vcf.gz").write_bytes(gzip.compress(content))
    return folder


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    fn = line("chr1", 5, "A" + "C" * 60, "A", "TruScore=40") + line(
        "chr2", 900, "A", "<DUP>", "SVTYPE=DUP;SVLEN=1200"
    )
    fp = line("chr2", 30, "A", "A" + "G" * 700, "SVTYPE=INS", qual="17.5")
    target = tmp_path / variants.NAME
    assert structural.extract(bench(tmp_path, fn, fp), target) == 3
    return target


def test_rows_lie_in_the_order_of_the_header(parquet: Path) -> None:
    page = variants.read(parquet, Wanted(), offset=0, limit=10)

    assert [(row["contig"], row["position"]) for row in page.rows] == [
        ("chr2", 30),
        ("chr2", 900),
        ("chr1", 5),
    ]


def test_a_row_says_what_truvari_knows(parquet: Path) -> None:
    [row] = variants.read(parquet, Wanted(verdict="FP"), offset=0, limit=1).rows

    assert row == {
        "contig": "chr2", "position": 30, "ref": "A", "alt": "A" + "G" * 700,
        "side": "query", "verdict": "FP", "reason": "no match", "type": "INS",
        "subtype": "500-999", "genotype": "0/1", "size": 700, "quality": 17.5,
        "filter": "PASS", "strata": [],
    }  # fmt: skip


def test_a_deletion_loses_bases_and_a_near_miss_says_so(parquet: Path) -> None:
    [row] = variants.read(parquet, Wanted(type="DEL"), offset=0, limit=1).rows

    assert (row["size"], row["reason"], row["quality"]) == (-60, "allele", None)


def test_nothing_false_makes_an_empty_file(tmp_path: Path) -> None:
    target = tmp_path / variants.NAME

    assert structural.extract(bench(tmp_path, "", ""), target) == 0
    assert variants.read(target, Wanted(), offset=0, limit=5).total == 0


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(VariantsError, match=r"fn\.vcf\.gz cannot be read"):
        structural.extract(tmp_path, tmp_path / variants.NAME)


@pytest.mark.cases
def test_real_missed_variants(tmp_path: Path) -> None:
    [folder] = (case("sv-hg19-chr20-1M-HG002") / "expected_truvari-5.4.0").glob(
        "default"
    )

    assert structural.extract(folder, tmp_path / variants.NAME) == 2
    rows = variants.read(
        tmp_path / variants.NAME, Wanted(verdict="FN"), offset=0, limit=5
    ).rows
    assert [row["size"] < 0 for row in rows].count(True) >= 1
