from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from benchmarks.haplotypes.outputs import tables
from tests.cases import case
from tests.haplotypes.small import Bench, Call, bench, deletion, write_bed

TRUTH = [Call(100), Call(200), deletion(300, 3), Call(400)]
QUERY = [
    Call(100, filter="LowQual"),
    Call(200),
    deletion(300, 3, filter="LowQual;Deep"),
    Call(500, filter="Deep"),
]


def read_all(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as handle:
        return list(csv.DictReader(handle))


def filter_rows(done: Bench) -> dict[tuple[str, str], dict[str, str]]:
    rows = read_all(done.prefix.with_name("out.roc.all.csv.gz"))
    return {
        (row["Type"], row["Filter"]): row
        for row in rows
        if row["Subtype"] == "*" and row["Filter"] not in ("ALL", "PASS", "SEL")
    }


def test_each_filter_has_a_row_that_says_what_it_removes(tmp_path: Path) -> None:
    rows = filter_rows(bench(tmp_path, TRUTH, QUERY))
    assert set(rows) == {("SNP", "LowQual"), ("SNP", "Deep"), ("INDEL", "LowQual"),
                         ("INDEL", "Deep")}  # fmt: skip
    names = ("TRUTH.TP", "QUERY.TP", "QUERY.FP")
    assert [rows["SNP", "LowQual"][name] for name in names] == ["1", "1", "0"]
    assert [rows["SNP", "Deep"][name] for name in names] == ["0", "0", "1"]
    assert [rows["INDEL", "Deep"][name] for name in names] == ["1", "1", "0"]


def test_ignored_filters_are_marked_as_hap_py_does(tmp_path: Path) -> None:
    done = bench(tmp_path, TRUTH, QUERY, roc_filter="LowQual")
    assert {name for _, name in filter_rows(done)} == {"SEL_IGN_LowQual", "Deep"}
    every = bench(tmp_path, TRUTH, QUERY, roc_filter="*")
    assert {name for _, name in filter_rows(every)} == {
        "SEL_IGN_LowQual",
        "SEL_IGN_Deep",
    }


def test_filters_are_in_no_other_table(tmp_path: Path) -> None:
    done = bench(tmp_path, TRUTH, QUERY)
    for name in ("summary.csv", "extended.csv"):
        text = done.prefix.with_name(f"out.{name}").read_text()
        assert "LowQual" not in text
    assert {row.filter for row in done.result.summary} == {"ALL", "PASS"}


@pytest.mark.cases
def test_cells_of_a_filter_are_those_of_a_real_run(tmp_path: Path) -> None:
    """The same cells hold numbers, zeros, dots and nothing."""
    real = read_all(case("happy-outputs") / "happyR" / "happy_demo.roc.all.csv.gz")
    bed = write_bed(tmp_path / "c.bed", ("chr1", 0, 3000))
    done = bench(tmp_path, TRUTH, QUERY, confident=bed)
    ours = read_all(done.prefix.with_name("out.roc.all.csv.gz"))
    for type_ in ("SNP", "INDEL"):
        shapes = []
        for rows, name in ((real, "LowGQX"), (ours, "Deep")):
            (row,) = (
                r
                for r in rows
                if (r["Type"], r["Filter"], r["Subtype"]) == (type_, name, "*")
            )
            shapes.append([shape(title, row[title]) for title in tables.EXTENDED])
        assert shapes[0] == shapes[1]


def shape(title: str, cell: str) -> str:
    if cell in ("", ".") or title in ("Type", "Subtype", "Subset", "Genotype"):
        return cell
    if title.endswith("ratio"):
        return ""
    if title in tables.UNKNOWN_OF_FILTERS:
        return cell
    return "number" if cell.replace(".", "", 1).isdigit() else "text"
