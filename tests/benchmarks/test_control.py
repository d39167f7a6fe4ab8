"""Westgard's rules on series that break exactly one of them."""

from __future__ import annotations

import pytest

from benchmarks.control import Baseline, Rule, broken_rules

UNIT = Baseline(mean=10, sd=2, count=20)


def last(*scores: float) -> tuple[Rule, ...]:
    return broken_rules(UNIT, [10 + 2 * score for score in scores])[-1]


@pytest.mark.parametrize(
    ("scores", "rules"),
    [
        ([0.5], ()),
        ([2.1], ("1-2s",)),
        ([-2.1], ("1-2s",)),
        ([2.0], ()),
        ([3.1], ("1-3s",)),
        ([2.1, 2.1], ("1-2s", "2-2s")),
        ([2.1, 0.0, 2.1], ("1-2s",)),
        ([2.1, -2.1], ("1-2s", "R-4s")),
        ([1.9, -2.1], ("1-2s",)),
        ([1.1] * 4, ("4-1s",)),
        ([1.1, 1.1, 0.9, 1.1], ()),
        ([-1.1] * 4, ("4-1s",)),
        ([0.1] * 10, ("10x",)),
        ([0.1] * 9, ()),
        ([-0.1, *[0.1] * 9], ()),
    ],
)
def test_rules(scores: list[float], rules: tuple[Rule, ...]) -> None:
    assert last(*scores) == rules


def test_each_value_is_judged_with_those_before_it() -> None:
    assert broken_rules(UNIT, [10, 15, 10]) == [(), ("1-2s",), ()]


def test_limits_come_from_the_baseline() -> None:
    baseline = Baseline.of([1, 2, 3, 4, 5])
    assert baseline is not None
    assert baseline.mean == 3
    assert baseline.sd == pytest.approx(1.5811, abs=1e-4)
    assert baseline.limit(-2) == pytest.approx(3 - 2 * 1.5811, abs=1e-3)


@pytest.mark.parametrize("values", [[], [1, 2, 3, 4], [2, 2, 2, 2, 2]])
def test_no_limits_without_enough_variation(values: list[float]) -> None:
    assert Baseline.of(values) is None
