from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.locations import END_OF_CONTIG, Location, parse
from benchmarks.haplotypes.records import Contigs
from tests.haplotypes.small import Bench, Call, bench, deletion, write_bed

CONTIGS = Contigs(("chr1", "chrM", "HLA-A*01:01"), np.array([3000, 100, 50]))


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("chr1", Location("chr1")),
        ("1", Location("chr1")),
        ("MT", Location("chrM")),
        ("chr1:5-9", Location("chr1", 4, 9)),
        ("chr1:1,005-2,000", Location("chr1", 1004, 2000)),
        ("chr1:5-", Location("chr1", 4, END_OF_CONTIG)),
        ("chr1:5", Location("chr1", 4, 5)),
        ("HLA-A*01:01", Location("HLA-A*01:01")),
        ("HLA-A*01:01:5-9", Location("HLA-A*01:01", 4, 9)),
    ],
)
def test_a_location_is_a_contig_or_a_range(text: str, location: Location) -> None:
    assert parse(text, CONTIGS) == location


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("chr7", "no contig chr7. It has chr1, chrM"),
        ("chr7:1-2", "no contig chr7"),
        ("chr1:9-5", "9-5 is no range"),
        ("chr1:0-5", "counted from 1"),
        ("chr1:a-b", "no contig chr1:a-b"),
        ("chr1:,-5", "is no range"),
    ],
)
def test_what_is_no_location_is_named(text: str, words: str) -> None:
    with pytest.raises(BenchmarkError) as caught:
        parse(text, CONTIGS)
    assert words in str(caught.value)


def true_positions(done: Bench) -> list[int]:
    return [pos for pos, (decision, _) in done.verdicts("TRUTH").items() if decision]


CALLS = [Call(50), deletion(96, 8), Call(100), Call(200), Call(201), Call(300)]


def test_a_range_keeps_what_starts_in_it(tmp_path: Path) -> None:
    done = bench(tmp_path, CALLS, CALLS, locations=("chr1:98-200",))
    assert true_positions(done) == [100, 200]
    assert done.result.skipped["query"] == {"outside the target regions": 4}


def test_ranges_and_contigs_add_up(tmp_path: Path) -> None:
    calls = [*CALLS, Call(70, contig="chr2")]
    done = bench(tmp_path, calls, calls, locations=("chr1:1-60", "chr1:300-", "chr2"))
    assert true_positions(done) == [50, 300, 70]


def test_all_faulty_locations_are_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError) as caught:
        bench(tmp_path, CALLS, CALLS, locations=("chr8", "chr1:2-1"))
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "--location chr8",
        "--location chr1",
    ]


def test_targets_keep_what_starts_in_them_as_bcftools_does(tmp_path: Path) -> None:
    bed = write_bed(tmp_path / "t.bed", ("chr1", 97, 200))
    done = bench(tmp_path, CALLS, CALLS, targets=bed)
    assert true_positions(done) == [100, 200]


def test_restricted_regions_keep_what_touches_them(tmp_path: Path) -> None:
    bed = write_bed(tmp_path / "t.bed", ("chr1", 97, 200))
    done = bench(tmp_path, CALLS, CALLS, restrict=bed)
    assert true_positions(done) == [96, 100, 200]
