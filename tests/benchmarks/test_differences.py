from __future__ import annotations

import pytest

from benchmarks.differences import Share, difference


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
