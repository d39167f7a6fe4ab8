from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.haplotypes.beds import read_bed, read_parts
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.records import Contigs
from benchmarks.haplotypes.regions import from_intervals
from benchmarks.haplotypes.strata import (
    INSIDE,
    OUTSIDE,
    PARTLY,
    Extents,
    Stratum,
    place_rows,
    place_strata,
    read_list,
    shared_bases,
)
from benchmarks.parsers.happy import iterate_extended
from tests.haplotypes.small import (
    GENOME,
    Call,
    bench,
    deletion,
    insertion,
    other_base,
    write_bed,
)

CONTIGS = Contigs(("chr1", "chr10", "chr2"), np.array([3000, 3000, 3000]))


def listed(folder: Path, text: str) -> list[Stratum]:
    path = folder / "strata.tsv"
    path.write_text(text)
    return read_list(path)


def test_a_list_names_labels_and_files_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "beds").mkdir()
    write_bed(tmp_path / "beds" / "a.bed", ("chr1", 0, 10))
    strata = listed(tmp_path, "# GIAB\nlow.map\tbeds/a.bed\n\n")
    assert strata == [Stratum("low.map", tmp_path / "beds" / "a.bed")]


def test_all_faults_of_a_list_are_said_at_once(tmp_path: Path) -> None:
    write_bed(tmp_path / "a.bed", ("chr1", 0, 10))
    text = "a\ta.bed\na\ta.bed\nMYCONF\ta.bed\nx:y\ta.bed\nTS_boundary\ta.bed\n"
    with pytest.raises(BenchmarkError) as caught:
        listed(tmp_path, text + "gone\tgone.bed\nonly a label\n")
    said = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 6
    for part in ("line 2", "line 1", "CONF", "':'", "reserved", "gone.bed", "a tab"):
        assert part in said


def test_an_empty_list_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="names no BED file"):
        listed(tmp_path, "# nothing\n")


def test_a_bed_is_read_plain_and_compressed(tmp_path: Path) -> None:
    text = (
        "track name=x\n#c\nchr1\t5\t9\tname\nchr10 1 2\r\nchr1\t8\t20\n\nchrM\t1\t2\n"
    )
    plain, packed = tmp_path / "a.bed", tmp_path / "a.bed.gz"
    plain.write_text(text)
    packed.write_bytes(
        gzip.compress(text[:30].encode()) + gzip.compress(text[30:].encode())
    )
    for path in (plain, packed):
        regions = read_bed(path, CONTIGS)
        assert regions.starts.tolist() == [5, 1]
        assert regions.ends.tolist() == [20, 2]
        assert regions.offsets.tolist() == [0, 1, 2, 2]
        assert regions.ignored == ("chrM",)


@pytest.mark.parametrize(
    "line",
    ["chr1\t5", "chr1\tx\t9", "chr1\t9\t5", "chr1\t-1\t5", "chr1\t1\t5x", "\t1\t2",
             "chr1\t1\t99999999999999999999"],
)  # fmt: skip
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.bed"
    path.write_text(f"chr1\t0\t1\n{line}\n")
    with pytest.raises(BenchmarkError, match="line 2"):
        read_bed(path, CONTIGS)


def test_a_cut_off_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.bed.gz"
    path.write_bytes(gzip.compress(b"chr1\t0\t1\n" * 100)[:-12])
    with pytest.raises(BenchmarkError, match="damaged or cut off"):
        read_bed(path, CONTIGS)


def test_faults_of_all_beds_are_said_at_once(tmp_path: Path) -> None:
    strata = []
    for name in "ab":
        path = tmp_path / f"{name}.bed"
        path.write_text("nonsense\n")
        strata.append(Stratum(name, path))
    empty = Extents(
        np.zeros(4, np.int64), *(np.zeros(0, np.int64),) * 2, np.zeros(0, bool)
    )
    kinds = (np.zeros(0, np.uint16), np.zeros(0, np.uint16), 1)
    with ThreadPoolExecutor(2) as pool, pytest.raises(BenchmarkError) as caught:
        place_strata(strata, empty, CONTIGS, kinds, None, pool)
    assert len(caught.value.faults) == 2


INTERVAL = st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(1, 9))


@settings(max_examples=150, deadline=None)
@given(regions=st.lists(INTERVAL, max_size=12), rows=st.lists(INTERVAL, max_size=30))
def test_rows_are_placed_as_base_by_base(
    regions: list[tuple[int, int, int]], rows: list[tuple[int, int, int]]
) -> None:
    covered = np.zeros((3, 80), dtype=bool)
    for where, first, size in regions:
        covered[where, first : first + size] = True
    table = np.array([(c, s, s + n) for c, s, n in regions], dtype=np.int64)
    merged = from_intervals(CONTIGS, table)
    rows = sorted(rows, key=lambda row: row[0])
    contig = np.array([row[0] for row in rows], dtype=np.int64)
    starts = np.array([row[1] for row in rows], dtype=np.int64)
    ends = starts + np.array([row[2] for row in rows], dtype=np.int64)
    edges = np.searchsorted(contig, np.arange(4)).astype(np.int64)
    extents = Extents(edges, starts, ends, np.zeros(len(rows), dtype=np.bool_))
    for place, (c, s, n) in zip(place_rows(extents, merged), rows, strict=True):
        bases = covered[c, s : s + n]
        wanted = INSIDE if bases.all() else PARTLY if bases.any() else OUTSIDE
        assert place == wanted


def test_shared_bases_are_those_in_both() -> None:
    a = from_intervals(CONTIGS, np.array([[0, 0, 10], [1, 5, 9], [2, 0, 4]]))
    b = from_intervals(CONTIGS, np.array([[0, 8, 20], [1, 0, 6], [2, 4, 9]]))
    assert shared_bases(a, b) == 3
    assert shared_bases(b, a) == 3


def test_each_stratum_has_its_own_rows(tmp_path: Path) -> None:
    write_bed(tmp_path / "first.bed", ("chr1", 0, 150), ("chr1", 140, 250))
    write_bed(tmp_path / "rest.bed", ("chr1", 250, 3000))
    write_bed(tmp_path / "none.bed", ("chr2", 0, 3000))
    tsv = tmp_path / "s.tsv"
    tsv.write_text("zz\tfirst.bed\nrest\trest.bed\nnone\tnone.bed\n")
    conf = write_bed(tmp_path / "c.bed", ("chr1", 0, 1000))
    done = bench(
        tmp_path,
        [Call(100), Call(200), Call(300)],
        [Call(100), Call(300), Call(500), Call(2000)],
        stratification=tsv,
        confident=conf,
    )
    first = done.extended(Type="SNP", Subset="zz")
    assert (first["TRUTH.TP"], first["TRUTH.FN"], first["QUERY.FP"]) == ("1", "1", "0")
    assert (first["Subset.Size"], first["Subset.IS_CONF.Size"]) == ("250.000000",) * 2
    rest = done.extended(Type="SNP", Subset="rest")
    assert (rest["TRUTH.TP"], rest["QUERY.FP"], rest["QUERY.UNK"]) == ("1", "1", "1")
    assert rest["Subset.IS_CONF.Size"] == "750.000000"
    assert done.extended(Type="SNP", Subset="none")["TRUTH.TOTAL"] == "0"
    assert done.extended(Type="INDEL", Subtype="D1_5", Subset="zz")["TRUTH.TP"] == "0"


def test_rows_are_tagged_in_alphabetical_order(tmp_path: Path) -> None:
    write_bed(tmp_path / "a.bed", ("chr1", 0, 150))
    tsv = tmp_path / "s.tsv"
    tsv.write_text("".join(f"s{i:02d}\ta.bed\n" for i in reversed(range(10))))
    done = bench(tmp_path, [Call(100), Call(200)], [Call(100)], stratification=tsv)
    tags = {record.pos: record.info.get("Regions") for record in done.records()}
    assert tags[100] == tuple(f"s{i:02d}" for i in range(10))
    assert tags[200] is None


def test_rows_are_tagged_with_all_of_many_strata(tmp_path: Path) -> None:
    labels = [f"s{k:02}" for k in range(19)]
    for k, label in enumerate(labels):
        write_bed(tmp_path / f"{label}.bed", ("chr1", 0, 150 if k % 3 else 250))
    tsv = tmp_path / "strata.tsv"
    tsv.write_text("".join(f"{s}\t{s}.bed\n" for s in reversed(labels)))
    done = bench(tmp_path, [Call(100), Call(200)], [Call(100)], stratification=tsv)
    tags = {record.pos: record.info.get("Regions") for record in done.records()}
    assert tags == {100: tuple(labels), 200: tuple(labels[::3])}


def test_a_row_in_part_in_a_stratum_lies_on_a_border(tmp_path: Path) -> None:
    write_bed(tmp_path / "a.bed", ("chr1", 0, 102), ("chr1", 500, 602))
    tsv = tmp_path / "s.tsv"
    tsv.write_text("a\ta.bed\n")
    added = other_base(GENOME["chr1"][601])
    calls = [Call(50), deletion(100, 5), insertion(602, added)]
    done = bench(tmp_path, calls, calls, stratification=tsv)
    assert done.extended(Type="INDEL", Subset="TS_boundary")["TRUTH.TP"] == "1"
    assert done.extended(Type="INDEL", Subset="a")["TRUTH.TP"] == "1"


def test_a_bed_may_name_contigs_in_the_other_style(tmp_path: Path) -> None:
    write_bed(tmp_path / "a.bed", ("1", 0, 150))
    tsv = tmp_path / "s.tsv"
    tsv.write_text("a\ta.bed\n")
    done = bench(tmp_path, [Call(100)], [Call(100)], stratification=tsv)
    assert done.extended(Type="SNP", Subset="a")["TRUTH.TP"] == "1"


def test_a_stratum_off_the_contigs_is_noted(tmp_path: Path) -> None:
    write_bed(tmp_path / "a.bed", ("chrUn", 0, 150))
    tsv = tmp_path / "s.tsv"
    tsv.write_text("a\ta.bed\n")
    done = bench(tmp_path, [Call(100)], [Call(100)], stratification=tsv)
    assert any("Stratum a has no region" in note for note in done.result.warnings)


def named_strata(folder: Path, label: str = "a") -> Path:
    """chr1:1-300 as genes X (twice) and Y, and a line without a name."""
    lines = ["0\t120\tX", "120\t150\tX\t0\t+", "150\t250\tY y", "250\t300"]
    text = "".join(f"chr1\t{line}\n" for line in lines)
    (folder / "a.bed").write_text(text)
    tsv = folder / "s.tsv"
    tsv.write_text(f"{label}\ta.bed\n")
    return tsv


def test_names_in_the_fourth_column_are_strata_of_level_one(tmp_path: Path) -> None:
    calls = [Call(100), Call(130), Call(200), Call(280), Call(400)]
    done = bench(tmp_path, calls, calls, stratification=named_strata(tmp_path))
    found = [
        (row["TRUTH.TP"], row["Subset.Size"], row["Subset.Level"])
        for row in (
            done.extended(Type="SNP", Subset=name) for name in ("a", "a_X", "a_Y_y")
        )
    ]
    assert found == [
        ("4", "300.000000", "0.000000"),
        ("2", "150.000000", "1.000000"),
        ("1", "100.000000", "1.000000"),
    ]
    tags = {record.pos: record.info.get("Regions") for record in done.records()}
    assert tags[100] == ("a", "a_X")
    assert tags[280] == ("a",)


def test_a_fixed_label_is_not_divided(tmp_path: Path) -> None:
    tsv = named_strata(tmp_path, "=a")
    done = bench(tmp_path, [Call(100)], [Call(100)], stratification=tsv)
    subsets = {row.subset for row in done.result.rows}
    assert subsets == {"*", "a"}


def test_too_many_names_are_not_divided_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.haplotypes.strata.MOST_PARTS", 1)
    tsv = named_strata(tmp_path)
    done = bench(tmp_path, [Call(100)], [Call(100)], stratification=tsv)
    assert {row.subset for row in done.result.rows} == {"*", "a"}
    assert "has 2 names" in done.result.warnings[-1]


def test_two_strata_of_one_name_are_said(tmp_path: Path) -> None:
    tsv = named_strata(tmp_path)
    tsv.write_text("a\ta.bed\na_X\ta.bed\n")
    done = bench(tmp_path, [Call(100)], [Call(100)], stratification=tsv)
    assert "Two strata are named a_X; the first is counted." in done.result.warnings
    assert done.extended(Type="SNP", Subset="a_X_X")["TRUTH.TP"] == "1"


def test_a_fourth_column_begins_with_a_tab(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_text("chr1 0 10 name\nchr1\t20\t30\t\n")
    assert read_parts(path, CONTIGS)[1] == {}


def test_curves_of_strata_are_made_when_asked_for(tmp_path: Path) -> None:
    tsv = named_strata(tmp_path)
    conf = write_bed(tmp_path / "c.bed", ("chr1", 0, 1000))
    calls = [Call(100, qual="20"), Call(200, qual="60"), Call(400, qual="40")]
    done = bench(
        tmp_path,
        calls,
        calls,
        stratification=tsv,
        confident=conf,
        roc_regions=("a_X", "TS_contained"),
    )
    path = done.prefix.with_name("out.roc.all.csv.gz")
    curves = [
        (row.subset, row.qq, row.truth_tp.total, row.truth_fn.total)
        for row in iterate_extended(path)
        if row.qq is not None and row.filter == "PASS"
    ]
    assert curves == [
        ("*", 20.0, 3, 0),
        ("*", 40.0, 2, 1),
        ("*", 60.0, 1, 2),
        ("TS_contained", 20.0, 3, 0),
        ("TS_contained", 40.0, 2, 1),
        ("TS_contained", 60.0, 1, 2),
        ("a_X", 20.0, 1, 0),
    ]


def test_an_unknown_region_of_curves_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="--roc-regions b: there is no stratum"):
        bench(tmp_path, [Call(100)], [Call(100)], roc_regions=("*", "b"))
