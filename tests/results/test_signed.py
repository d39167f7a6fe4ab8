from __future__ import annotations

import pytest
from django.utils import translation

from runs.templatetags.signed import figure, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (38.2, "38.2"),
        (0.00038218, "0.00038218"),
        (0.9952612345, "0.995261"),
        (1047900791.3, "1,047,900,791"),
        (123456789, "123,456,789"),
        (0.0000755, "0.0000755"),
        (1e-12, "1e-12"),
    ],
)
def test_a_figure_has_the_digits_that_count(value: float | None, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.000123, 6, "+0.000123"),
        (-12, 0, "−12"),
        (0, 0, "0"),
        (1234, 0, "+1,234"),
        (None, 0, "–"),
    ],
)
def test_a_difference_has_its_sign(value: float | None, digits: int, text: str) -> None:
    assert signed(value, digits) == text


def test_numbers_are_written_in_the_language_of_the_reader() -> None:
    with translation.override("fr"):
        assert figure(0.5) == "0,5"
        assert signed(-0.5, 1) == "−0,5"
