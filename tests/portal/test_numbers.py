"""How pages write numbers and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from runs.templatetags import portal


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("size", "english", "french"),
    [
        (None, "–", "–"),
        (0, "0 bytes", "0 octets"),
        (999, "999 bytes", "999 octets"),
        (1000, "1.00 kB", "1,00 ko"),
        (12_345, "12.3 kB", "12,3 ko"),
        (999_499, "999 kB", "999 ko"),
        (999_999, "1.00 MB", "1,00 Mo"),
        (48_123_456_789, "48.1 GB", "48,1 Go"),
        (10**16, "10000 TB", "10000 To"),
    ],
)
def test_amounts_have_three_digits(size: int, english: str, french: str) -> None:
    assert plain(portal.amount(size)) == english
    with translation.override("fr"):
        assert plain(portal.amount(size)) == french


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "–"),
        (timedelta(0), "0 s"),
        (59.9, "59 s"),
        (timedelta(minutes=3, seconds=5), "3 min 05 s"),
        (timedelta(hours=2, minutes=10, seconds=59), "2 h 10 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_spans_have_their_two_largest_units(
    span: timedelta | float | None, words: str
) -> None:
    assert plain(portal.took(span)) == words


def test_a_number_stays_on_one_line_with_its_unit() -> None:
    assert " " not in portal.amount(48_000_000)
    assert " " not in portal.took(timedelta(hours=2))


@pytest.mark.parametrize(("value", "text"), [(None, "–"), ("", "–"), (0.0, "0.0000")])
def test_nothing_is_told_from_zero(value: float | None, text: str) -> None:
    assert portal.ratio(value) == text


def test_shares_are_not_rounded_up_to_perfection() -> None:
    assert portal.ratio(0.99996) == "0.9999"
    assert portal.ratio(1.0) == "1.0000"
    assert portal.ratio(0.9999999, 6) == "0.999999"


def test_percent_of_what_is_not_known() -> None:
    assert portal.percent_of(1, None) is None
    assert portal.percent_of(1, 0) is None
    assert portal.percent_of(5, 4) == 100


def test_waits() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert portal.waited(datetime(2026, 1, 1, tzinfo=UTC), now) == timedelta(days=1)
    assert portal.waited(None, now) is None
