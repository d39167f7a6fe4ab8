from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.happy import (
    EXTENDED_NEEDS,
    Counts,
    ExtendedRow,
    Interval,
    iterate_extended,
    read_extended,
    read_summary,
)
from tests.cases import case

SUMMARY = (
    "Type,Filter,TRUTH.TOTAL,TRUTH.TP,TRUTH.FN,QUERY.TOTAL,QUERY.FP,QUERY.UNK,FP.gt,"
    "METRIC.Recall,METRIC.Precision,METRIC.Frac_NA,METRIC.F1_Score\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "x.summary.csv"
    path.write_text(text)
    return path


def raw(path: Path) -> list[dict[str, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def metrics_files(pattern: str) -> Iterator[Path]:
    yield from sorted(case("happy-outputs").rglob(pattern))
    yield from sorted(case("hg38-chr20-5M-HG002").rglob(f"hap.py-*/{pattern[2:]}"))


def number(text: str) -> float | None:
    return None if text in ("", ".", "*") else float(text)


def test_nothing_to_divide_by_is_none_and_the_denominators_stay(
    tmp_path: Path,
) -> None:
    [row] = read_summary(written(tmp_path, SUMMARY + "SNP,ALL,0,0,0,5,0,5,0,0,0,1,\n"))
    assert (row.recall, row.precision, row.f1) == (None, None, None)
    assert row.frac_na == 1.0
    assert (row.truth_total, row.query_tp, row.query_fp) == (0, 0, 0)


def test_a_recall_that_is_really_zero_stays_zero(tmp_path: Path) -> None:
    line = "SNP,ALL,3,0,3,2,2,0,0,0.0,0.0,0.0,\n"
    [row] = read_summary(written(tmp_path, SUMMARY + line))
    assert (row.recall, row.precision, row.f1) == (0.0, 0.0, None)


def test_query_tp_follows_from_the_other_counts(tmp_path: Path) -> None:
    line = "SNP,ALL,10,9,1,20,3,5,1,0.9,0.8,0.25,0.847059\n"
    [row] = read_summary(written(tmp_path, SUMMARY + line))
    assert row.query_tp == 12
    assert row.fp_al is None


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"Filter, .*METRIC\.F1_Score"):
        read_summary(written(tmp_path, "Type,Count\nSNP,1\n"))


def test_a_line_that_was_cut_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=r"line 2: 4 columns .* cut off"):
        read_summary(written(tmp_path, SUMMARY + "SNP,ALL,10,9"))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("SNP,ALL,ten,0,0,0,0,0,0,0,0,0,0", "TRUTH.TOTAL is 'ten', not a number"),
        ("SNP,ALL,1.5,0,0,0,0,0,0,0,0,0,0", "TRUTH.TOTAL is '1.5', not a count"),
        ("SNP,ALL,,0,0,0,0,0,0,0,0,0,0", "TRUTH.TOTAL is empty"),
        ("SNP,ALL,1,1,0,1,1,1,0,0,0,0,0", "together more than QUERY.TOTAL"),
    ],
)
def test_bad_cells_are_named(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(ParseError, match=fault):
        read_summary(written(tmp_path, SUMMARY + line))


def test_a_cut_gzip_file_is_named(tmp_path: Path) -> None:
    path, header = tmp_path / "roc.all.csv.gz", ",".join(EXTENDED_NEEDS)
    path.write_bytes(gzip.compress(header.encode() + b"\n" * 9999)[:-12])
    with pytest.raises(ParseError, match="ends too early"):
        list(iterate_extended(path))


def test_binary_and_missing_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ParseError, match="not text"):
        read_summary(path)
    with pytest.raises(ParseError, match="No such file"):
        read_summary(tmp_path / "absent.csv")


@pytest.mark.cases
def test_real_summaries_cell_by_cell() -> None:
    files = list(metrics_files("*.summary.csv"))
    assert len(files) == 10
    for path in files:
        for row, cells in zip(read_summary(path), raw(path), strict=True):
            assert row.columns == cells
            assert row.type == cells["Type"]
            assert row.truth_total == int(cells["TRUTH.TOTAL"])
            assert row.query_unk == int(cells["QUERY.UNK"])
            assert row.fp_al == number(cells.get("FP.al", ""))
            assert row.f1 == number(cells["METRIC.F1_Score"])
            assert row.query_het_hom_ratio == number(cells["QUERY.TOTAL.het_hom_ratio"])


@pytest.mark.cases
def test_query_tp_agrees_between_summary_and_extended() -> None:
    folder = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval"
    headline = {
        (row.type, row.filter): row.query_tp.total
        for row in read_extended(folder / "extended.csv")
        if row.subset == row.subtype == "*"
    }
    for row in read_summary(folder / "summary.csv"):
        assert row.query_tp == headline[row.type, row.filter]


def flat(row: ExtendedRow) -> dict[str, object]:
    """The row as the file spells it, so that every cell can be held against it."""
    cells: dict[str, object] = {
        "Type": row.type,
        "Subtype": row.subtype,
        "Subset": row.subset,
        "Filter": row.filter,
        "Genotype": row.genotype,
        "QQ.Field": row.qq_field,
        "QQ": row.qq,
        "FP.gt": row.fp_gt,
        "FP.al": row.fp_al,
        "Subset.Size": row.subset_size,
        "Subset.IS_CONF.Size": row.subset_is_conf_size,
        "Subset.Level": row.subset_level,
    }
    names = {"titv_ratio": "TiTv_ratio"}
    for group in ("truth_total", "truth_tp", "truth_fn"):
        cells |= flat_counts(group, getattr(row, group), names)
    for group in ("query_total", "query_tp", "query_fp", "query_unk"):
        cells |= flat_counts(group, getattr(row, group), names)
    return cells


def flat_counts(group: str, counts: Counts, names: dict[str, str]) -> dict[str, object]:
    head = group.upper().replace("_", ".")
    return {
        head
        if field.name == "total"
        else f"{head}.{names.get(field.name, field.name)}": getattr(counts, field.name)
        for field in fields(counts)
    }


@pytest.mark.cases
def test_real_extended_files_cell_by_cell() -> None:
    files = list(metrics_files("*.extended.csv"))
    assert len(files) == 7
    for path in files:
        for row, cells in zip(read_extended(path), raw(path), strict=True):
            assert row.columns == cells
            for name, value in flat(row).items():
                text = cells[name]
                if isinstance(value, str):
                    assert value == text, name
                else:
                    assert value == number(text), (path, name)


@pytest.mark.cases
def test_metrics_of_empty_denominators_only_are_none() -> None:
    for path in metrics_files("*.extended.csv"):
        for row, cells in zip(read_extended(path), raw(path), strict=True):
            expected = number(cells["METRIC.Recall"])
            assert row.recall == (expected if row.truth_total.total else None)


@pytest.mark.cases
def test_confidence_intervals_are_read_where_they_are() -> None:
    path = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval" / "extended.csv"
    row, cells = read_extended(path)[0], raw(path)[0]
    assert row.recall_interval == Interval(
        float(cells["METRIC.Recall.Lower"]), float(cells["METRIC.Recall.Upper"])
    )
    old = case("happy-outputs") / "happyR" / "happy_demo.extended.csv"
    assert read_extended(old)[0].recall_interval is None


@pytest.mark.cases
@pytest.mark.parametrize("name", ["hap.py-vcfeval", "hap.py-xcmp"])
def test_real_roc_files_have_thresholds(name: str) -> None:
    path = case("hg38-chr20-5M-HG002") / name / "roc.all.csv.gz"
    rows = list(iterate_extended(path))
    assert len(rows) == len(raw(path))
    assert [row.qq for row in rows] == [number(cells["QQ"]) for cells in raw(path)]
    assert any(row.qq is not None for row in rows)
