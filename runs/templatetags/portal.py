"""What templates need to write numbers and times for people."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Literal

from django import template
from django.template.defaultfilters import floatformat
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

NOTHING = "–"
BADGE = (
    '<span class="status status-{}"><svg class="icon" aria-hidden="true">'
    '<use href="{}#{}"/></svg>{}</span>'
)


def _unbroken(text: str) -> str:
    """A number stays on one line with its unit."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


@register.filter
def ratio(value: float | Literal[""] | None, digits: int = 4) -> str:
    """A share between 0 and 1; a dash where there was nothing to divide by.

    Not all is never rounded to 1. Templates give an empty text for the number of a
    row that is not there.
    """
    if value is None or value == "":
        return NOTHING
    if value < 1:
        value = min(value, 1 - 10.0**-digits)
    return str(floatformat(value, digits))


@register.filter
def count(value: int | None) -> str:
    """A whole number with its thousands apart."""
    return NOTHING if value is None else str(floatformat(value, "0g"))


@register.filter
def amount(size: float | None) -> str:
    """Bytes in decimal units, three digits."""
    if size is None:
        return NOTHING
    units = [_("bytes"), _("kB"), _("MB"), _("GB"), _("TB")]
    value, at = float(size), 0
    while value >= 999.5 and at < len(units) - 1:
        value, at = value / 1000, at + 1
    digits = 0 if at == 0 or value >= 100 else 1 if value >= 10 else 2
    return _unbroken(f"{floatformat(value, digits)} {units[at]}")


@register.filter
def took(span: timedelta | float | None) -> str:
    """A span of time in its two largest units: 42 s, 3 min 05 s, 2 h 10 min."""
    if span is None:
        return NOTHING
    return _unbroken(_in_words(span))


def _in_words(span: timedelta | float) -> str:
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span)
    minutes, s = divmod(max(0, seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": h}
    if hours:
        return f"{hours} h {m:02} min"
    return f"{minutes} min {s:02} s" if minutes else f"{s} s"


@register.simple_tag
def badge(status: str, label: object) -> SafeString:
    """Sign, word and colour of a state. No template: lists have many."""
    return format_html(BADGE, status, static("img/icons.svg"), status, label)


@register.filter
def percent_of(part: float, whole: float | None) -> int | None:
    """How many percent of the whole; none while the whole is not known."""
    return min(100, int(100 * part / whole)) if whole else None


@register.filter
def entry(mapping: dict[Any, Any], key: Any) -> Any:
    """The value of a key, or nothing."""
    return mapping.get(key)


@register.simple_tag
def stage_time(stage: Any) -> timedelta | None:
    """How long the stage took, while it is known."""
    if stage.started_at is None or stage.finished_at is None:
        return None
    return stage.finished_at - stage.started_at  # type: ignore[no-any-return]


@register.filter
def pretty(value: Any) -> str:
    """A record as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def waited(since: datetime | None, now: datetime) -> timedelta | None:
    return None if since is None else now - since
