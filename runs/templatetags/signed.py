"""Differences as people read them."""

from __future__ import annotations

from django import template
from django.template.defaultfilters import floatformat

from runs.templatetags.portal import NOTHING

register = template.Library()
MINUS = "−"


@register.filter
def signed(value: float | None, digits: int = 6) -> str:
    """With its sign: +0.000123, −12, 0."""
    if value is None:
        return NOTHING
    text = str(floatformat(abs(value), f"{digits}g"))
    if value == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


@register.filter
def figure(value: float | None, digits: int = 6) -> str:
    """A number of any size to so many digits that count, at most."""
    if value is None:
        return NOTHING
    if abs(value) < 1e15 and (value == int(value) or abs(value) >= 10**digits):
        return str(floatformat(value, "0g"))
    text = f"{value:.{digits}g}"
    if "e" in text:
        return text
    return str(floatformat(value, f"{len(text.partition('.')[2])}g"))
