"""Tables that are taken away: CSV, TSV and JSON of what a page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from runs.api import tables

FORMATS = ("csv", "tsv", "json")


def wanted(request: HttpRequest) -> str:
    """The format that was asked for; empty for the page itself."""
    asked = request.GET.get("format", "")
    return asked if asked in FORMATS else ""


def table(
    request: HttpRequest,
    name: str,
    heading: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> HttpResponseBase:
    """The table as a file in the format that was asked for.

    Spreadsheet formulas are escaped in CSV and TSV; JSON has a list of objects.
    """
    kind = wanted(request)
    if kind == "json":
        items = [dict(zip(heading, row, strict=True)) for row in rows]
        answer = JsonResponse({"items": items})
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return answer
    return tables.download(request, f"{name}.{kind}", heading, rows)


def query(request: HttpRequest) -> str:
    """The address as it stands, for links to other formats of it."""
    kept = request.GET.copy()
    for name in ("format", "table", "before", "after"):
        kept.pop(name, None)
    return kept.urlencode()
