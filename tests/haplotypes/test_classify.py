from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from benchmarks.haplotypes.align import primitives
from benchmarks.haplotypes.classify import (
    SUBTYPES,
    Classes,
    LocationType,
    VariantType,
    classify,
)
from benchmarks.haplotypes.load import read_records
from benchmarks.haplotypes.reference import open_reference
from tests.haplotypes.small import Call, write_fasta, write_vcf


def classes_of(folder: Path, call: Call) -> Classes:
    reference = open_reference(write_fasta(folder / "ref.fa"))
    path = write_vcf(folder / "calls.vcf", [call])
    with ThreadPoolExecutor(1) as pool:
        return classify(read_records(path, contigs=reference.contigs, pool=pool))


def names(bits: int) -> list[str]:
    return [name for i, name in enumerate(SUBTYPES) if bits >> i & 1]


@pytest.mark.parametrize(
    ("ref", "alt", "gt", "variant", "subtypes", "location"),
    [
        ("A", "G", "0/1", "SNP", ["ti"], "HET"),
        ("A", "C", "1/1", "SNP", ["tv"], "HOMALT"),
        ("A", "C,G", "1/2", "SNP", ["ti", "tv"], "HETALT"),
        ("AC", "GT", "0/1", "SNP", ["ti"], "HET"),
        ("a", "g", "0|1", "SNP", ["ti"], "HET"),
        ("A", "ACCCCC", "0/1", "INDEL", ["i1_5"], "HET"),
        ("A", "ACCCCCC", "0/1", "INDEL", ["i6_15"], "HET"),
        ("A", "A" + "C" * 16, "1/1", "INDEL", ["i16_plus"], "HOMALT"),
        ("ACC", "A", "1/0", "INDEL", ["d1_5"], "HET"),
        ("A" + "C" * 15, "A", "0/1", "INDEL", ["d6_15"], "HET"),
        ("A" + "C" * 16, "A", "0/1", "INDEL", ["d16_plus"], "HET"),
        ("ACC", "ACCT,A", "1/2", "INDEL", ["i1_5", "d1_5"], "HETALT"),
        ("A", "GTT", "0/1", "INDEL", ["ti", "c1_5"], "HET"),
        ("A", "G", "1", "SNP", ["ti"], "HEMI"),
        ("A", "G", "./1", "SNP", ["ti"], "HALFCALL"),
        ("A", "G,*", "1/2", "SNP", ["ti"], "HETALT"),
        ("A", "<DEL>", "0/1", "UNK", [], "HET"),
        ("A", "G", "./.", "NOCALL", [], "NOCALL"),
    ],
)
def test_a_record_has_hap_py_s_type_subtypes_and_zygosity(
    tmp_path: Path,
    ref: str,
    alt: str,
    gt: str,
    variant: str,
    subtypes: list[str],
    location: str,
) -> None:
    found = classes_of(tmp_path, Call(500, alt, gt, ref))
    assert VariantType(found.variant[0]).name == variant
    assert names(int(found.subtypes[0])) == subtypes
    assert LocationType(found.location[0]).name == location


@pytest.mark.parametrize(
    ("ref", "alt", "start", "end", "insertion"),
    [
        ("A", "G", 499, 500, False),
        ("ACGT", "A", 500, 503, False),
        ("A", "ACC", 499, 501, True),
        ("ACGT", "ACGTT", 501, 503, True),
        ("ACC", "A,ACCT", 500, 503, False),
        ("CAG", "TAG", 499, 500, False),
        ("A", "<DUP>", 499, 500, False),
    ],
)
def test_the_extent_is_that_of_the_trimmed_alleles(
    tmp_path: Path, ref: str, alt: str, start: int, end: int, insertion: bool
) -> None:
    found = classes_of(tmp_path, Call(500, alt, "0/1", ref))
    assert (found.start[0], found.end[0]) == (start, end)
    assert bool(found.insertion[0]) is insertion


def aligned(ref: str, alt: str) -> list[tuple[int, int, int, int]]:
    a, b = (np.frombuffer(s.encode(), dtype=np.uint8) for s in (ref, alt))
    return [(int(r), int(n), int(q), int(m)) for r, n, q, m in primitives(a, b)]


@pytest.mark.parametrize(
    ("ref", "alt", "wanted"),
    [
        ("AC", "GT", [(0, 1, 0, 1), (1, 1, 1, 1)]),
        ("ACGT", "AT", [(1, 2, 1, 0)]),
        ("AACCGG", "TTAACCGG", [(0, 0, 0, 2)]),
        ("A", "GTT", [(0, 1, 0, 1), (1, 0, 1, 2)]),
    ],
)
def test_alleles_are_taken_apart_where_they_differ(
    ref: str, alt: str, wanted: list[tuple[int, int, int, int]]
) -> None:
    assert aligned(ref, alt) == wanted


def test_the_parts_of_an_allele_rebuild_it() -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        ref = "".join(rng.choice(list("ACGT"), rng.integers(1, 14)))
        alt = "".join(rng.choice(list("ACGT"), rng.integers(1, 14)))
        rebuilt, at = "", 0
        for r, r_size, a, a_size in aligned(ref, alt):
            rebuilt += ref[at:r] + alt[a : a + a_size]
            at = r + r_size
        assert rebuilt + ref[at:] == alt
