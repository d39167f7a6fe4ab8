"""BED files as merged intervals."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.haplotypes.records import Contigs, HaplotypesError
from benchmarks.haplotypes.regions import from_intervals, overlaps, read_bed

CONTIGS = Contigs(("chr1", "chr2"), np.array([100, 100], dtype=np.int64))
INTERVALS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 90), st.integers(0, 10)), max_size=30
)


def test_lines_are_sorted_and_merged(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_text(
        "track x\nchr2\t5\t9\nchr1\t20\t30\tname\n\nchr1\t10\t20\nchrX\t1\t2\n"
    )
    regions = read_bed(path, CONTIGS)
    assert regions.starts.tolist() == [10, 5]
    assert regions.ends.tolist() == [30, 9]
    assert regions.of(1)[0].tolist() == [5]
    assert regions.ignored == ("chrX",)
    assert (regions.size(), len(regions)) == (24, 2)


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "a.bed.gz"
    path.write_bytes(gzip.compress(b"chr1\t1\t3\n"))
    assert read_bed(path, CONTIGS).size() == 2


@pytest.mark.parametrize("bad", ["chr1\t5", "chr1\tx\ty", "chr1\t9\t3", "chr1\t-1\t3"])
def test_a_bad_line_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "a.bed"
    path.write_text(f"chr1\t1\t2\n{bad}\n")
    with pytest.raises(HaplotypesError, match="line 2: not a BED interval"):
        read_bed(path, CONTIGS)


def test_a_bed_of_other_contigs(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_text("1\t1\t2\n")
    with pytest.raises(HaplotypesError, match="It names 1; the comparison has chr1"):
        read_bed(path, CONTIGS)


@given(INTERVALS, INTERVALS)
def test_overlaps_are_those_of_single_bases(
    held: list[tuple[int, int, int]], asked: list[tuple[int, int, int]]
) -> None:
    rows = np.array([(c, s, s + n) for c, s, n in held], dtype=np.int64).reshape(-1, 3)
    regions = from_intervals(CONTIGS, rows)
    covered = {(c, p) for c, s, n in held for p in range(s, s + n)}
    assert regions.size() == len(covered)
    queries = np.array([(c, s, s + n + 1) for c, s, n in asked], dtype=np.int64)
    queries = queries.reshape(-1, 3)
    found = overlaps(
        regions, queries[:, 0].astype(np.int32), queries[:, 1], queries[:, 2]
    )
    expected = [
        any((c, p) in covered for p in range(s, e)) for c, s, e in queries.tolist()
    ]
    assert found.tolist() == expected
