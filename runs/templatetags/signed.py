"""Differences as people read them."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.formats import number_format

from runs.templatetags.portal import NOTHING

register = template.Library()
MINUS = "−"


@register.filter
def signed(value: float | None, digits: int = 6) -> str:
    """With its sign: +0.000123, −12, 0."""
    if value is None:
        return NOTHING
    text = _written(f"{abs(value):.{digits}f}")
    if value == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


@register.filter
def figure(value: float | None, digits: int = 6) -> str:
    """A number of any size to so many digits that count, at most."""
    if value is None:
        return NOTHING
    if abs(value) < 1e15 and (value == int(value) or abs(value) >= 10**digits):
        return _written(f"{value:.0f}")
    text = f"{value:.{digits}g}"
    if "e-" in text and abs(value) >= 1e-9:
        text = f"{Decimal(text):f}"
    return text if "e" in text else _written(text)


def _written(digits: str) -> str:
    """Plain digits as the reader's language writes them."""
    return str(number_format(digits, use_l10n=True, force_grouping=True))
