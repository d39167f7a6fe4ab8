"""Odd inputs through the whole engine: each is handled, or counted and named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pysam
import pytest

from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.quantify import Column
from benchmarks.haplotypes.run import Job, Result, benchmark
from tests.haplotypes.small import (
    GENOME,
    Call,
    bench,
    deletion,
    insertion,
    other_base,
    vcf_text,
    write_fasta,
    write_vcf,
)

PLAIN = [Call(100), Call(200), deletion(300, 3), insertion(400, "GATC")]


def wrong(result: Result) -> list[int]:
    columns = (Column.TRUTH_FN, Column.QUERY_FP)
    return [row.of(column) for row in result.summary for column in columns]


def found(result: Result) -> list[int]:
    return [row.of(Column.TRUTH_TP) for row in result.summary]


def line(pos: int, alt: str, gt: str = "0/1", ref: str = "") -> Call:
    return Call(pos, alt, gt, ref)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (line(1000, "<DEL>"), "symbolic allele"),
        (line(1000, "<INS:ME:ALU>"), "symbolic allele"),
        (line(1000, "*"), "symbolic allele"),
        (line(1000, "N[chr2:5["), "breakend"),
        (line(1000, "]chr2:5]N"), "breakend"),
        (line(1000, "R"), "allele holds other letters than bases"),
        (line(1000, "", "./."), "no genotype"),
        (line(1000, "", "."), "no genotype"),
        (line(1000, "", "0/0"), "genotype is reference"),
        (line(1000, "", "0/7"), "genotype names an allele that is not there"),
        (line(1000, "", "0/1/1"), "more than two alleles in the genotype"),
        (line(1000, GENOME["chr1"][999] + "A" * 1000), "allele longer than the limit"),
        (line(2999, "A", ref="ACGTACGT"), "ends beyond its contig"),
        (line(1000, "<NON_REF>", "0/0"), "reference block or no variant"),
        (line(1000, "<*>", "0/0"), "reference block or no variant"),
        (line(1000, ".", "0/0"), "reference block or no variant"),
    ],
    ids=lambda value: getattr(value, "alt", value)[:12],
)
def test_what_is_not_compared_is_counted_and_named(
    tmp_path: Path, odd: Call, reason: str
) -> None:
    done = bench(tmp_path, PLAIN, sorted([*PLAIN, odd], key=lambda call: call.pos))
    assert done.result.skipped == {"truth": {}, "query": {reason: 1}}
    info = json.loads(done.prefix.with_name("out.runinfo.json").read_text())
    assert info["skipped"]["query"] == {reason: 1}
    assert wrong(done.result) == [0] * 8


BASE, NEXT = GENOME["chr1"][999], GENOME["chr1"][1000]


@pytest.mark.parametrize(
    ("truth", "query"),
    [
        ([line(1000, "", "0/1")], [line(1000, "", "./1")]),
        ([line(1000, "", "1/1")], [line(1000, "", "1")]),
        (
            [line(1000, "", "0/1")],
            [line(1000, f"{other_base(BASE)},<NON_REF>", "0/1")],
        ),
        ([line(1000, "", "0/1")], [line(1000, f"*,{other_base(BASE)}", "1/2")]),
        (
            [line(1000, "", "0|1"), line(1001, "", "0|1")],
            [line(1000, other_base(BASE) + other_base(NEXT), "0/1", BASE + NEXT)],
        ),
        ([line(1000, "", "0/1")], [line(1000, "", "0/1", "N")]),
        (
            [deletion(998, 6, "0/1"), line(1000, "", "0/1")],
            [line(1000, "", "0/1"), deletion(998, 6, "0/1")],
        ),
    ],
    ids=["half call", "haploid", "with <NON_REF>", "beside *", "MNP", "IUPAC in REF",
         "overlapping and unsorted"],
)  # fmt: skip
def test_what_is_written_oddly_is_matched(
    tmp_path: Path, truth: list[Call], query: list[Call]
) -> None:
    if query[0].ref == "N":
        query = [line(1000, other_base(BASE), "0/1", "N")]
    done = bench(tmp_path, [*PLAIN, *truth], [*PLAIN, *query])
    assert done.result.skipped == {"truth": {}, "query": {}}
    assert wrong(done.result) == [0] * 8
    assert sum(found(done.result)[::2]) == 4 + len(truth)


def test_unsorted_records_are_sorted_and_said_to_be(tmp_path: Path) -> None:
    done = bench(tmp_path, PLAIN, PLAIN[::-1])
    assert wrong(done.result) == [0] * 8
    assert "not in the order of the reference" in " ".join(done.result.warnings)


def test_duplicates_match_once(tmp_path: Path) -> None:
    """hap.py joins two equal heterozygous calls into a homozygous one: a wrong GT."""
    truth = [Call(100, gt="1/1"), Call(200)]
    done = bench(tmp_path, truth, [Call(100, gt="1/1")] * 2 + [Call(200)] * 2)
    snp = done.summary()
    assert (snp["TRUTH.TP"], snp["TRUTH.FN"], snp["FP.gt"]) == ("1", "1", "1")


def test_a_ref_that_disagrees_is_told_with_its_place(tmp_path: Path) -> None:
    wrong = line(1000, "", "0/1", other_base(BASE, 2))
    done = bench(tmp_path, PLAIN, [*PLAIN, wrong])
    (told,) = done.result.warnings
    assert "REF of 1 of 5 compared records disagrees" in told
    assert "chr1:1000" in told


def two_samples(path: Path) -> Path:
    text = vcf_text(PLAIN).replace("\tS\n", "\tA\tB\n")
    path.write_text(text.replace(":30\n", ":30\t1/1:30\n"))
    return path


def run(folder: Path, truth: Path, query: Path, **options: object) -> Result:
    reference = write_fasta(folder / "ref.fa")
    return benchmark(Job(truth, query, reference, folder / "o", **options))  # type: ignore[arg-type] # by name


def test_of_several_samples_none_is_guessed(tmp_path: Path) -> None:
    both = two_samples(tmp_path / "t.vcf"), two_samples(tmp_path / "q.vcf")
    with pytest.raises(BenchmarkError) as caught:
        run(tmp_path, *both)
    assert len(caught.value.faults) == 2
    for fault, name in zip(caught.value.faults, ("t.vcf", "q.vcf"), strict=True):
        assert "2 samples (A, B)" in fault
        assert name in fault
    result = run(tmp_path, *both, truth_sample="A", query_sample="B")
    assert (result.truth_sample, result.query_sample) == ("A", "B")


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip", "bcf"])
def test_kinds_of_files_give_the_same_numbers(tmp_path: Path, kind: str) -> None:
    text = vcf_text([*PLAIN, Call(900, "<NON_REF>", "0/0")])
    text = text.replace(
        "##contig",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="">\n'
        '##INFO=<ID=END,Number=1,Type=Integer,Description="">\n##contig',
        1,
    )
    plain = tmp_path / "calls.g.vcf"
    plain.write_text(text)
    names = {"plain": "calls.g.vcf", "bcf": "calls.bcf"}
    other = tmp_path / names.get(kind, "calls.vcf.gz")
    if kind == "gzip":
        other.write_bytes(gzip.compress(text.encode()))
    elif kind == "bgzip":
        pysam.tabix_compress(str(plain), str(other))
    elif kind == "bcf":
        with (
            pysam.VariantFile(str(plain)) as source,
            pysam.VariantFile(str(other), "wb", header=source.header) as target,
        ):
            for record in source:
                target.write(record)
    result = run(tmp_path, write_vcf(tmp_path / "truth.vcf", PLAIN), other)
    assert result.skipped["query"] == {"reference block or no variant": 1}
    assert found(result) == [2, 2, 2, 2]
