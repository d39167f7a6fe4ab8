"""Precision-recall curves, thinned from ROC files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks import curves
from benchmarks.curves import CurvePoint
from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.happy import COUNTED, EXTENDED_NEEDS
from tests.cases import case

TOTAL = 10_000


def row(score: int | None, found: int, false: int, **changes: str) -> dict[str, str]:
    counts = dict.fromkeys(COUNTED, "0") | {
        "TRUTH.TOTAL": str(TOTAL),
        "TRUTH.TP": str(found),
        "TRUTH.FN": str(TOTAL - found),
        "QUERY.TOTAL": str(found + false),
        "QUERY.TP": str(found),
        "QUERY.FP": str(false),
    }
    shares = {
        "METRIC.Recall": str(found / TOTAL),
        "METRIC.Precision": str(found / (found + false)),
        "METRIC.Frac_NA": "0",
        "METRIC.F1_Score": "0.5",
    }
    names = {"Type": "SNP", "Filter": "ALL", "QQ.Field": "GQ"}
    names |= {"QQ": "*" if score is None else str(score)}
    names |= dict.fromkeys(("Subtype", "Subset", "Genotype"), "*")
    return {**names, **shares, **counts, **changes}


def roc(folder: Path, rows: list[dict[str, str]]) -> Path:
    path = folder / "a.roc.all.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*EXTENDED_NEEDS, "QQ.Field"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_curve_goes_by_falling_score_and_knows_its_end(tmp_path: Path) -> None:
    kept = tmp_path / curves.NAME
    rows = [row(None, 9000, 100), row(5, 8000, 50), row(30, 4000, 1)]

    [curve] = curves.thin(roc(tmp_path, rows), kept)

    assert (curve.type, curve.filter, curve.field) == ("SNP", "ALL", "GQ")
    assert [point.score for point in curve.points] == [30, 5]
    assert curve.points[1] == CurvePoint(5, 0.8, 8000 / 8050, 8000, 2000, 50)
    assert curve.whole is not None
    assert curve.whole.recall == 0.9
    assert curves.read(kept) == [curve]


def test_strata_subtypes_and_other_filters_are_left_out(tmp_path: Path) -> None:
    rows = [
        row(1, 9000, 100, Subset="TR"),
        row(1, 9000, 100, Subtype="ti"),
        row(1, 9000, 100, Filter="SEL"),
        row(1, 9000, 100, Genotype="het"),
        row(1, 9000, 100, Type="INDEL", Filter="PASS"),
    ]

    [curve] = curves.thin(roc(tmp_path, rows), tmp_path / "kept")

    assert (curve.type, curve.filter) == ("INDEL", "PASS")


def test_long_curves_keep_their_ends_and_their_bends(tmp_path: Path) -> None:
    # flat for long, then steep: the steep part must not be lost
    rows = [row(10_000 - n, n, 0) for n in range(1, 9000, 2)]
    rows += [row(1000 - n, 9000, 9 * n) for n in range(1, 1000)]

    [curve] = curves.thin(roc(tmp_path, rows), tmp_path / "kept")

    assert len(curve.points) <= curves.POINTS + 2
    assert (curve.points[0].score, curve.points[-1].score) == (9999, 1)
    steep = [point for point in curve.points if point.recall == 0.9]
    assert len(steep) > curves.POINTS // 3


def test_a_file_that_is_no_roc_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")

    with pytest.raises(ParseError, match="no"):
        curves.thin(path, tmp_path / "kept")


def test_without_a_file_there_are_no_curves(tmp_path: Path) -> None:
    assert curves.read(tmp_path / curves.NAME) == []


@pytest.mark.cases
def test_happys_own_roc_file(tmp_path: Path) -> None:
    path = case("happy-outputs") / "happyR" / "NA12878-I30_S1.roc.all.csv.gz"

    found = {
        (curve.type, curve.filter): curve
        for curve in curves.thin(path, tmp_path / "kept")
    }

    whole = found["INDEL", "ALL"].whole
    assert whole is not None
    assert (whole.recall, whole.precision) == (0.918968, 0.918715)
    assert found["INDEL", "ALL"].points[-1].truth_tp == 7654
