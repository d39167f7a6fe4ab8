"""The query as hap.py prepares it: the same haplotypes, other records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.haplotypes.load import read_records
from benchmarks.haplotypes.preprocess import preprocess
from benchmarks.haplotypes.records import Field, Records, Status
from benchmarks.haplotypes.reference import open_reference
from tests.haplotypes.small import Call, write_fasta, write_vcf

BASES = "GATTACA" + "CACACACA" + "GGTCA" + "TTTTT" + "GCATGCAAGTC" * 6
GENOME = {"chr1": BASES, "chr2": BASES[::-1]}


def prepared(folder: Path, calls: list[Call], **options: Any) -> Records:
    reference = open_reference(write_fasta(folder / "ref.fa", GENOME))
    path = write_vcf(folder / "query.vcf", calls, genome=GENOME)
    with ThreadPoolExecutor(2) as pool:
        records = read_records(path, contigs=reference.contigs, pool=pool)
        return preprocess(records, reference, pool, **options)


def rows(records: Records) -> list[tuple[int, str, str, str]]:
    found = []
    for i in range(len(records)):
        gt = "/".join(str(a) for a in records.gt[i] if a != -2)
        ref, alt = records.value(i, Field.REF), records.value(i, Field.ALT)
        assert len(ref) == records.ref_len[i]
        assert alt.count(",") + 1 == records.n_alts[i]
        assert records.value(i, Field.POS) == str(records.pos[i] + 1)
        found.append((int(records.pos[i]) + 1, ref, alt, gt))
    return found


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (Call(11, "A", "0/1", "ACA"), [(4, "TAC", "T", "0/1")]),
        (Call(11, "ACA", "1/1", "A"), [(4, "T", "TAC", "1/1")]),
        (Call(2, "CG", "0/1", "AT"), [(2, "A", "C", "0/1"), (3, "T", "G", "0/1")]),
        (Call(2, "GTT", "1/1", "ATT"), [(2, "A", "G", "1/1")]),
        (Call(17, "TC", "0/1", "GTC"), [(15, "AG", "A", "0/1")]),
        (Call(16, "A,C", "1/2", "G"), [(16, "G", "A,C", "1/2")]),
        (
            Call(16, "A,GTT", "1/2", "G"),
            [(16, "G", "A", "0/1"), (16, "G", "GTT", "0/1")],
        ),
        (Call(16, "A,C", "0/2", "G"), [(16, "G", "C", "0/1")]),
        (Call(2, "C", "1", "A"), [(2, "A", "C", "1")]),
        (Call(2, "<DEL>", "0/1", "A"), [(2, "A", "<DEL>", "0/1")]),
        (Call(2, "C", "./1", "A"), [(2, "A", "C", "-1/1")]),
        (Call(2, "CG", "0/1", "TT"), [(2, "TT", "CG", "0/1")]),
    ],
    ids=["deletion", "insertion", "mnp", "trimmed", "moved", "two snps", "mixed",
         "uncalled alt", "haploid", "symbolic", "half call", "wrong ref"],
)  # fmt: skip
def test_a_record_is_split_shifted_and_joined(
    tmp_path: Path, call: Call, wanted: list[tuple[int, str, str, str]]
) -> None:
    assert rows(prepared(tmp_path, [call])) == wanted


def test_two_heterozygous_calls_at_one_position_become_one(tmp_path: Path) -> None:
    calls = [Call(16, "A", "0|1", "G"), Call(16, "C", "1|0", "G")]
    assert rows(prepared(tmp_path, calls)) == [(16, "G", "A,C", "1/2")]


def test_indels_are_joined_under_the_longest_ref(tmp_path: Path) -> None:
    calls = [Call(18, "T", "0/1", "TC"), Call(18, "TGG", "0/1", "T")]
    assert rows(prepared(tmp_path, calls)) == [(18, "TC", "T,TGGC", "1/2")]


def test_the_same_call_twice_becomes_homozygous(tmp_path: Path) -> None:
    calls = [Call(16, "A", "0/1", "G")] * 2
    assert rows(prepared(tmp_path, calls)) == [(16, "G", "A", "1/1")]


def test_calls_of_different_filters_stay_apart(tmp_path: Path) -> None:
    calls = [Call(16, "A", "0/1", "G"), Call(16, "C", "0/1", "G", filter="LowQual")]
    assert len(prepared(tmp_path, calls)) == 2


def test_an_indel_does_not_pass_the_call_before_it(tmp_path: Path) -> None:
    calls = [Call(10, "G", "1/1", "C"), Call(11, "A", "1/1", "ACA")]
    assert rows(prepared(tmp_path, calls))[1][0] >= 10


def test_records_that_do_not_change_are_not_copied(tmp_path: Path) -> None:
    calls = [Call(2, "C", "0/1", "A"), Call(16, "GTT", "1/1", "G")]
    records = prepared(tmp_path, calls)
    assert rows(records) == [(2, "A", "C", "0/1"), (16, "G", "GTT", "1/1")]


def test_each_step_can_be_left_out(tmp_path: Path) -> None:
    moved, complex_ = Call(11, "A", "0/1", "ACA"), Call(2, "CG", "0/1", "AT")
    still = prepared(tmp_path, [moved], leftshift=False)
    assert rows(still) == [(11, "ACA", "A", "0/1")]
    whole = prepared(tmp_path, [complex_], decompose=False)
    assert rows(whole) == [(2, "AT", "CG", "0/1")]


def test_the_higher_score_of_joined_calls_is_kept(tmp_path: Path) -> None:
    calls = [Call(16, "A", "0/1", "G", qual="9"), Call(16, "C", "0/1", "G", qual="30")]
    assert prepared(tmp_path, calls).score.tolist() == [30.0]


Edit = tuple[int, int, str]


def edits(pos: int, ref: str, allele: str) -> list[Edit]:
    """(start, end, bases), trimmed as the comparison does it; none for REF itself."""
    start, end = pos - 1, pos - 1 + len(ref)
    while ref and allele and ref[0] == allele[0]:
        ref, allele, start = ref[1:], allele[1:], start + 1
    while ref and allele and ref[-1] == allele[-1]:
        ref, allele, end = ref[:-1], allele[:-1], end - 1
    return [(start, end, allele)] if ref or allele else []


def replay(changes: list[Edit], bases: str) -> str:
    text, done = "", 0
    for start, end, allele in sorted(changes):
        text += bases[done:start] + allele
        done = end
    return text + bases[done:]


def haplotypes(records: Records, bases: str) -> set[tuple[str, str]]:
    """All pairs of genomes that the records can stand for, phase unknown."""
    pairs: list[tuple[list[Edit], list[Edit]]] = [([], [])]
    for pos, ref, alts, gt in rows(records):
        alleles = [ref, *alts.split(",")]
        one, two = (edits(pos, ref, alleles[int(a)]) for a in gt.split("/"))
        pairs = [
            (left + first, right + other)
            for left, right in pairs
            for first, other in ((one, two), (two, one))
        ]
    return {
        (min(both), max(both))
        for left, right in pairs
        for both in [(replay(left, bases), replay(right, bases))]
    }


@st.composite
def one_call(draw: st.DrawFn) -> Call:
    pos = draw(st.integers(3, len(BASES) - 8))
    size = draw(st.integers(1, 5))
    ref = BASES[pos - 1 : pos - 1 + size]
    alt = draw(st.text("ACGT", min_size=1, max_size=6).filter(lambda a: a != ref))
    return Call(pos, alt, draw(st.sampled_from(["0/1", "1/1", "1|0"])), ref)


@settings(max_examples=120, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(call=one_call())
def test_a_prepared_call_can_stand_for_the_same_genomes(
    tmp_path: Path, call: Call
) -> None:
    reference = open_reference(write_fasta(tmp_path / "ref.fa", GENOME))
    path = write_vcf(tmp_path / "query.vcf", [call], genome=GENOME)
    with ThreadPoolExecutor(1) as pool:
        before = read_records(path, contigs=reference.contigs, pool=pool)
        after = preprocess(before, reference, pool)
    assert haplotypes(before, BASES) <= haplotypes(after, BASES)
    assert (np.diff(after.pos) >= 0).all()
    assert (after.status == Status.JUDGED).all()
