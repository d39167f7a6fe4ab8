"""The columnar file of a run's false positives and negatives."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks import variants
from benchmarks.variants import VariantsError, Wanted
from tests.cases import case

HEADER = (
    "##fileformat=VCFv4.2\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tTRUTH\tQUERY\n"
)
NONE = ".:.:.:NOCALL:.:."
RECORDS = [
    ("chr1", 10, "A", "C", "Regions=CONF,TR", "0/1:TP:gm:SNP:tv:.\t0/1:TP:gm:SNP:tv:9"),
    ("chr1", 20, "A", "G", "Regions=CONF", "0/1:FN:am:SNP:ti:.\t1/1:FP:am:SNP:ti:30.5"),
    (
        "chr1",
        30,
        "A",
        "ATT,AT",
        "BS=1;Regions=TR",
        f"1|2:FN:.:INDEL:i1_5:.\t{NONE}",
    ),
    ("chr2", 5, "ATT", "A", ".", f"{NONE}\t0/1:FP:lm:INDEL:d1_5:3"),
    ("chr2", 9, "A", "T", ".", f"{NONE}\t0/1:UNK:.:SNP:tv:3"),
]


Record = tuple[str, int, str, str, str, str]


def extracted(folder: Path, records: list[Record]) -> Path:
    folder.mkdir(exist_ok=True)
    vcf = folder / "it's.vcf.gz"
    with gzip.open(vcf, "wt") as file:
        file.write(HEADER)
        for contig, position, ref, alt, info, samples in records:
            file.write(
                f"{contig}\t{position}\t.\t{ref}\t{alt}\t.\tPASS\t{info}\t"
                f"GT:BD:BK:BVT:BI:QQ\t{samples}\n"
            )
    variants.extract(vcf, folder / variants.NAME)
    return folder / variants.NAME


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    return extracted(tmp_path, RECORDS)


def places(parquet: Path, wanted: Wanted, sort: str = "place") -> list[str]:
    page = variants.read(parquet, wanted, offset=0, limit=100, sort=sort)
    assert page.total == len(page.rows)
    return [f"{row['contig']}:{row['position']}:{row['verdict']}" for row in page.rows]


def test_holds_the_false_ones_in_their_order(parquet: Path) -> None:
    assert places(parquet, Wanted()) == [
        "chr1:20:FN",
        "chr1:20:FP",
        "chr1:30:FN",
        "chr2:5:FP",
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(verdict="FP"), ["chr1:20:FP", "chr2:5:FP"]),
        (Wanted(type="SNP"), ["chr1:20:FN", "chr1:20:FP"]),
        (Wanted(reason="allele"), ["chr2:5:FP"]),
        (Wanted(reason="no match"), ["chr1:30:FN"]),
        (Wanted(stratum="TR"), ["chr1:30:FN"]),
        (Wanted(contig="chr1", start=21), ["chr1:30:FN"]),
        (Wanted(end=5), ["chr2:5:FP"]),
        (Wanted(genotype="1/2"), ["chr1:30:FN"]),
        (Wanted(min_size=1), ["chr1:30:FN", "chr2:5:FP"]),
        (Wanted(max_size=0), ["chr1:20:FN", "chr1:20:FP"]),
        (Wanted(min_quality=4), ["chr1:20:FP"]),
        (Wanted(filter="LowQual"), []),
    ],
)
def test_shows_what_is_wanted(
    parquet: Path, wanted: Wanted, expected: list[str]
) -> None:
    assert places(parquet, wanted) == expected


def test_a_value_is_never_read_as_sql(parquet: Path) -> None:
    assert places(parquet, Wanted(contig="' OR true --")) == []


def test_size_is_signed(parquet: Path) -> None:
    page = variants.read(parquet, Wanted(type="INDEL"), offset=0, limit=9)
    assert [row["size"] for row in page.rows] == [2, -2]


def test_pages(parquet: Path) -> None:
    page = variants.read(parquet, Wanted(), offset=3, limit=2)
    assert ([row["contig"] for row in page.rows], page.total) == (["chr2"], 4)


@pytest.mark.parametrize("sort", variants.SORTS)
def test_pages_are_the_whole_cut_up(parquet: Path, sort: str) -> None:
    whole = variants.read(parquet, Wanted(), offset=0, limit=9, sort=sort).rows
    pages = [
        variants.read(parquet, Wanted(), offset=at, limit=1, sort=sort).rows
        for at in range(5)
    ]
    assert [row for page in pages for row in page] == list(whole)


def test_tells_two_runs_apart(parquet: Path, tmp_path: Path) -> None:
    other = extracted(tmp_path / "other", [RECORDS[1], RECORDS[3]])
    page = variants.only_in(parquet, other, Wanted(), offset=0, limit=9)
    assert ([row["position"] for row in page.rows], page.total) == ([30], 1)
    back = variants.only_in(other, parquet, Wanted(), offset=0, limit=9)
    assert back.total == 0


def test_the_same_place_with_another_allele_is_another_variant(
    parquet: Path, tmp_path: Path
) -> None:
    contig, position, _ref, _alt, info, samples = RECORDS[2]
    longer = (contig, position, "A", "ATTT,AT", info, samples)
    other = extracted(tmp_path / "other", [RECORDS[1], longer, RECORDS[3]])
    page = variants.only_in(parquet, other, Wanted(), offset=0, limit=9)
    assert [row["alt"] for row in page.rows] == ["ATT,AT"]


def test_sorts_by_quality_the_unknown_last(parquet: Path) -> None:
    assert places(parquet, Wanted(), "quality")[:2] == ["chr2:5:FP", "chr1:20:FP"]


def test_tells_what_there_is_to_choose(parquet: Path) -> None:
    by = variants.choices(parquet).by
    assert by["verdict"] == {"FN": 2, "FP": 2}
    assert by["stratum"] == {"CONF": 2, "TR": 1}


def test_refuses_a_vcf_of_another_kind(tmp_path: Path) -> None:
    vcf = tmp_path / "calls.vcf.gz"
    with gzip.open(vcf, "wt") as file:
        file.write(HEADER.replace("TRUTH\tQUERY", "NA12878"))
    with pytest.raises(VariantsError, match="no samples TRUTH and QUERY"):
        variants.extract(vcf, tmp_path / "out.parquet")


def test_says_when_the_file_is_gone(tmp_path: Path) -> None:
    with pytest.raises(VariantsError, match="is not there"):
        variants.read(tmp_path / "none.parquet", Wanted(), offset=0, limit=1)


def test_of_a_real_result(tmp_path: Path) -> None:
    folder = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval"
    parquet = tmp_path / variants.NAME
    assert variants.extract(folder / "output.vcf.gz", parquet) == 19
    page = variants.read(parquet, Wanted(verdict="FP"), offset=0, limit=50)
    assert page.total == 8
    assert [row["reason"] for row in page.rows].count("genotype") == 7
