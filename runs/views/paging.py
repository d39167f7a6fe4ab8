"""Pages of a list that grows at its head: by place, not by number.

A place is the time and key of a row, so a page costs the same at the end of a long
list as at its beginning, and stays what it was while new runs come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.http import HttpRequest

from runs.models import Run, RunQuerySet


@dataclass(frozen=True, slots=True)
class Page:
    """Runs, newest first, with the places to go on from (or empty)."""

    runs: Sequence[Run]
    older: str = ""
    newer: str = ""


class BadPlace(ValueError):
    """What stands in the address is no place in the list."""


def page(runs: RunQuerySet, *, before: str, after: str, size: int) -> Page:
    """The `size` runs older than `before`, or newer than `after`, or the newest.

    Raises `BadPlace`.
    """
    if after:
        rows = list(
            runs.filter(_beyond(after, "gt")).order_by("created_at", "id")[: size + 1]
        )
        more, rows = len(rows) > size, rows[:size][::-1]
        return Page(rows, _place(rows, -1), _place(rows, 0) if more else "")
    if before:
        runs = runs.filter(_beyond(before, "lt"))
    rows = list(runs.order_by("-created_at", "-id")[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    return Page(rows, _place(rows, -1) if more else "", _place(rows, 0) * bool(before))


def asked(request: HttpRequest, runs: RunQuerySet, size: int) -> tuple[Page, int]:
    """The page that the address asks for, with the status to answer it with."""
    before, after = (request.GET.get(name, "") for name in ("before", "after"))
    try:
        return page(runs, before=before, after=after, size=size), 200
    except BadPlace:
        return Page([]), 400


def _place(rows: Sequence[Run], at: int) -> str:
    return f"{rows[at].created_at.isoformat()}~{rows[at].pk}" if rows else ""


def _beyond(place: str, sense: str) -> Q:
    time, _, key = place.partition("~")
    try:
        created, pk = datetime.fromisoformat(time), int(key)
    except ValueError as error:
        raise BadPlace(place) from error
    if created.tzinfo is None:
        raise BadPlace(place)
    # The first condition is what an index can begin with.
    return Q((f"created_at__{sense}e", created)) & (
        Q((f"created_at__{sense}", created)) | Q((f"id__{sense}", pk))
    )
