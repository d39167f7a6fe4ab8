"""HG002 on chr20:1-5M: record by record the verdicts of rtg vcfeval --ref-overlap."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.load import read_records
from benchmarks.haplotypes.records import Comparison, Field, Match, Options, Records
from benchmarks.haplotypes.reference import Reference, open_reference
from benchmarks.haplotypes.regions import overlaps, read_bed
from tests.cases import case

pytestmark = pytest.mark.cases
Key = tuple[int, str, str]


def read_case(
    folder: Path, truth: str, query: str
) -> tuple[Records, Records, Reference]:
    reference = open_reference(folder / "reference.fa.gz")
    sides = [
        read_records(folder / name, contigs=reference.contigs)
        for name in (truth, query)
    ]
    return sides[0], sides[1], reference


@pytest.fixture(scope="module")
def compared() -> tuple[Path, Records, Records, Comparison]:
    folder = case("hg38-chr20-5M-HG002")
    truth, query, reference = read_case(folder, "truth.vcf.gz", "query.vcf.gz")
    return folder, truth, query, compare(truth, query, reference)


def keys(records: Records, chosen: np.ndarray) -> Counter[Key]:
    return Counter(
        (
            int(records.pos[row]) + 1,
            records.value(int(row), Field.REF),
            records.value(int(row), Field.ALT),
        )
        for row in np.flatnonzero(chosen)
    )


def vcfeval(folder: Path, name: str) -> Counter[Key]:
    with gzip.open(folder / "vcfeval" / f"{name}.vcf.gz", "rt") as handle:
        rows = [line.split("\t") for line in handle if line[0] != "#"]
    return Counter((int(row[1]), row[3], row[4]) for row in rows)


def test_every_record_has_vcfevals_verdict(
    compared: tuple[Path, Records, Records, Comparison],
) -> None:
    folder, truth, query, result = compared
    for good, bad, records, verdicts in (
        ("tp-baseline", "fn", truth, result.truth),
        ("tp", "fp", query, result.query),
    ):
        matched = keys(records, verdicts.match == Match.GENOTYPE)
        missed = keys(records, verdicts.match < Match.GENOTYPE)
        assert not vcfeval(folder, good) - matched
        assert not vcfeval(folder, bad) - missed


def test_no_record_in_the_bed_is_left_out(
    compared: tuple[Path, Records, Records, Comparison],
) -> None:
    folder, truth, query, result = compared
    bed = read_bed(folder / "confident.bed", truth.contigs)
    assert result.unsettled == []
    for files, records in (
        (("tp-baseline", "fn"), truth),
        (("tp", "fp"), query),
    ):
        start = records.pos.astype(np.int64)
        inside = overlaps(bed, records.contig, start, start + records.ref_len)
        theirs = vcfeval(folder, files[0]) + vcfeval(folder, files[1])
        assert not keys(records, inside) - theirs


def test_match_levels_of_the_truth_are_hap_pys(
    compared: tuple[Path, Records, Records, Comparison],
) -> None:
    """BK of each truth row, but for one that hap.py compared with a joined call.

    At 1,953,119 the query holds two heterozygous deletions as two records; one of them
    is the truth's. hap.py joins them into a 2/1 call first, of which one allele agrees.
    """
    folder, truth, _, result = compared
    names = {1: ".", 2: "lm", 3: "am", 4: "gm"}
    ours = {
        (int(truth.pos[row]) + 1, truth.value(row, Field.REF)): names[level]
        for row, level in enumerate(result.truth.match.tolist())
    }
    theirs: dict[tuple[int, str], str] = {}
    with gzip.open(folder / "hap.py-vcfeval" / "output.vcf.gz", "rt") as handle:
        for line in handle:
            row = line.rstrip().split("\t")
            if line[0] != "#":
                fields = dict(zip(row[8].split(":"), row[9].split(":"), strict=False))
                if fields["BVT"] != "NOCALL":
                    theirs[int(row[1]), row[3]] = fields.get("BK", ".")
    different = [place for place in theirs if ours.get(place) != theirs[place]]
    assert [place[0] for place in different] == [1953119]


@pytest.mark.parametrize(
    ("query", "bed", "counts"),
    [
        ("query.deepvariant.vcf.gz", "truth.to_10010000.bed", (47, 47, 0, 1)),
        ("query.gatk4_hc.vcf.gz", "truth.bed", (49, 49, 0, 0)),
        ("query.gatk4_hc_dragenmode.vcf.gz", "truth.bed", (49, 49, 0, 0)),
    ],
)
def test_counts_of_three_callers_on_na12878(
    query: str, bed: str, counts: tuple[int, int, int, int]
) -> None:
    folder = case("hg19-chr20-10kb-NA12878")
    truth, calls, reference = read_case(folder, "truth.HG001_v3.3.2.vcf.gz", query)
    result = compare(truth, calls, reference, Options(query_pass_only=True))
    regions = read_bed(folder / bed, reference.contigs)
    found = []
    for records, verdicts in ((truth, result.truth), (calls, result.query)):
        start = records.pos.astype(np.int64)
        inside = overlaps(regions, records.contig, start, start + records.ref_len)
        level = verdicts.match[inside]
        found += [
            int((level == Match.GENOTYPE).sum()),
            int(((level > Match.NOT_JUDGED) & (level < Match.GENOTYPE)).sum()),
        ]
    assert (found[0], found[2], found[3], found[1]) == counts
