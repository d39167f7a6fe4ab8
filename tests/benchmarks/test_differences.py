from __future__ import annotations

import numpy as np
import pytest

from benchmarks.differences import Counted, Share, difference


def test_wilsons_interval_of_a_share() -> None:
    """Newcombe's table I of 1998 (Stat Med 17:857-872), method 3: 81 of 263."""
    share = Share.of(81, 263)

    assert share is not None
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_newcombes_intervals_of_a_difference(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Table II of Newcombe 1998, method 10: first less second."""
    one, two = Share.of(*first), Share.of(*second)
    assert one is not None
    assert two is not None

    found = difference(two, one)

    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.beyond
    assert not found.within


def test_nothing_is_said_without_an_interval() -> None:
    found = difference(Share(0.5), Share(0.6, 0.5, 0.7))

    assert found.value == pytest.approx(0.1)
    assert not found.beyond
    assert not found.within


def test_a_share_of_nothing() -> None:
    assert Share.of(0, 0) is None


def test_the_bounds_stay_around_the_share() -> None:
    share = Share.of(10, 10)

    assert share is not None
    assert share.high == 1.0
    assert share.value <= share.high


def test_the_bounds_of_f1_are_those_of_the_delta_method_where_counts_are_large() -> (
    None
):
    tp, fn, fp = 960_000, 25_000, 15_000
    common = tp / (tp + fn + fp)
    slope = 2 / (1 + common) ** 2
    half = 1.96 * slope * (common * (1 - common) / (tp + fn + fp)) ** 0.5
    f1 = 2 * tp / (2 * tp + fn + fp)

    assert Counted(tp, fn, tp, fp).f1_bounds() == pytest.approx(
        (f1 - half, f1 + half), abs=1e-6
    )


def test_the_bounds_of_f1_hold_it_as_often_as_they_say() -> None:
    """Draws of found, missed and false variants of which F1 is 2 * 0.9 / 1.9."""
    chance = np.random.default_rng(5)
    draws = chance.multinomial(60, (0.9, 0.06, 0.04), size=4000)

    held = 0
    for tp, fn, fp in draws.tolist():
        bounds = Counted(tp, fn, tp, fp).f1_bounds()
        assert bounds is not None
        held += bounds[0] <= 2 * 0.9 / 1.9 <= bounds[1]

    assert 0.93 < held / len(draws) < 0.97


@pytest.mark.parametrize(
    "counted",
    [Counted(900, 100, 300, 100), Counted(9, 1, 30, 1), Counted(1000, 0, 999, 1)],
)
def test_they_lie_around_the_f1_that_engines_report(counted: Counted) -> None:
    recall = counted.truth_tp / (counted.truth_tp + counted.truth_fn)
    precision = counted.query_tp / (counted.query_tp + counted.query_fp)
    bounds = counted.f1_bounds()

    assert bounds is not None
    assert bounds[0] < 2 * recall * precision / (recall + precision) <= bounds[1]


@pytest.mark.parametrize(
    ("counted", "bounds"),
    [
        (Counted(0, 0, 0, 0), None),
        (Counted(0, 5, 0, 5), (0.0, 2 * 0.3085 / 1.3085)),
        (Counted(7, 0, 7, 0), (2 * 0.5904 / 1.5904, 1.0)),
    ],
)
def test_where_all_is_wrong_or_right(
    counted: Counted, bounds: tuple[float, float] | None
) -> None:
    """0.025 ** (1 / n), as of any share that was never or always met."""
    assert counted.f1_bounds() == (bounds and pytest.approx(bounds, abs=5e-5))
