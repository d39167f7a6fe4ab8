from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks.haplotypes.intervals import jeffreys
from benchmarks.haplotypes.roc import LEVELS, thresholds
from benchmarks.parsers.happy import iterate_extended
from tests.cases import case
from tests.haplotypes.small import Bench, Call, bench, run_real


def scored(folder: Path, **options: object) -> Bench:
    """Two true calls at 20 and 60, a false one at 40; one truth variant is missed."""
    truth = [Call(100), Call(200), Call(300)]
    query = [Call(100, qual="20"), Call(200, qual="60"), Call(900, qual="40")]
    return bench(folder, truth, query, **options)


def curve(done: Bench, name: str = "SNP") -> list[tuple[float | None, int, int, int]]:
    path = done.prefix.with_name(f"out.roc.Locations.{name}.csv.gz")
    return [
        (row.qq, row.truth_tp.total, row.truth_fn.total, row.query_fp.total)
        for row in iterate_extended(path)
    ]


def test_a_threshold_counts_the_calls_at_or_above_it(tmp_path: Path) -> None:
    assert curve(scored(tmp_path)) == [
        (0.0, 2, 1, 1),
        (20.0, 2, 1, 1),
        (40.0, 1, 2, 1),
        (60.0, 1, 2, 0),
    ]


def test_another_field_can_be_the_score(tmp_path: Path) -> None:
    truth = [Call(100), Call(200)]
    query = [Call(100, info="VQ=1.5"), Call(200, info="VQ=7")]
    done = bench(tmp_path, truth, query, roc="INFO.VQ")
    assert [row[0] for row in curve(done)] == [1.5, 7.0]
    assert done.extended(Type="SNP")["QQ.Field"] == "INFO.VQ"


def test_missing_scores_count_as_zero(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100)], [Call(100, qual=".")])
    assert curve(done) == [(0.0, 1, 0, 0)]


def test_pass_curves_lose_failing_calls(tmp_path: Path) -> None:
    query = [Call(100, qual="20"), Call(200, qual="60", filter="LowQual")]
    done = bench(tmp_path, [Call(100), Call(200)], query)
    assert curve(done, "SNP.PASS") == [(20.0, 1, 1, 0), (60.0, 0, 2, 0)]


def test_a_level_stays_in_the_pass_curve_when_its_call_is_removed(
    tmp_path: Path,
) -> None:
    """As in hap.py, whose curves of all filters have the same thresholds."""
    query = [Call(100, qual="20"), Call(900, qual="60", filter="LowQual")]
    done = bench(tmp_path, [Call(100)], query)
    assert curve(done, "SNP.PASS") == [(20.0, 1, 0, 0), (60.0, 0, 1, 0)]


def test_no_roc_leaves_the_tables_without_thresholds(tmp_path: Path) -> None:
    done = scored(tmp_path, do_roc=False)
    assert curve(done) == []
    path = done.prefix.with_name("out.roc.all.csv.gz")
    assert {row.qq for row in iterate_extended(path)} == {None}


def test_thresholds_keep_their_distance() -> None:
    scores = np.array([0, 0.1, 0.6, 0.7, 5, 5], dtype=np.float32)
    assert thresholds(scores, 0.5).round(3).tolist() == [0.0, 0.6, 5.0]


def test_thresholds_stay_few_whatever_the_scores() -> None:
    scores = np.random.default_rng(1).uniform(0, 1e7, 100_000).astype(np.float32)
    found = thresholds(scores, 0.5)
    assert LEVELS / 4 < len(found) <= LEVELS
    assert found[0] == scores.min()


@pytest.mark.cases
def test_the_columns_are_those_of_real_files(tmp_path: Path) -> None:
    real = case("happy-outputs") / "happyR"
    done = scored(tmp_path)
    for name in ("roc.all", "roc.Locations.SNP", "roc.Locations.SNP.PASS"):
        heads = []
        for path in (real / f"happy_demo.{name}.csv.gz",
                     done.prefix.with_name(f"out.{name}.csv.gz")):  # fmt: skip
            with gzip.open(path, "rt") as handle:
                heads.append(handle.readline())
        assert heads[0] == heads[1]


@pytest.mark.cases
def test_rows_of_a_real_run_are_hap_py_s(tmp_path: Path) -> None:
    """All of them, but for the threshold 0 of calls that vcfeval did not judge.

    hap.py knows no score of those; here they keep their own.
    """
    folder = case("hg38-chr20-5M-HG002")
    prefix = tmp_path / "out"
    run_real(prefix, roc_regions=("TS_contained",))
    ours, theirs = (
        {
            (row.type, row.subtype, row.subset, row.filter, row.qq)
            for row in iterate_extended(path)
        }
        for path in (
            tmp_path / "out.roc.all.csv.gz",
            folder / "hap.py-vcfeval" / "roc.all.csv.gz",
        )
    )
    assert ours < theirs
    assert {row[4] for row in theirs - ours} == {0.0}
    assert len(theirs - ours) == 6


@pytest.mark.parametrize(
    ("successes", "trials", "lower", "upper"),
    [
        (1075, 1086, 0.9825386668850113, 0.9946069465090775),
        (7021, 7021, 0.9994747314423756, 1.0),
        (62, 63, 0.9282148076830341, 1.0),
        (0, 1069, 0.0, 0.003444828831356883),
        (0, 0, 0.0, 1.0),
        (1, 1, 0.025, 1.0),
        (0, 1, 0.0, 0.975),
    ],
)
def test_intervals_are_hap_py_s(
    successes: int, trials: int, lower: float, upper: float
) -> None:
    found = jeffreys(np.array([successes]), np.array([trials]), 0.05)
    assert (found[0][0], found[1][0]) == pytest.approx((lower, upper), abs=1e-12)
