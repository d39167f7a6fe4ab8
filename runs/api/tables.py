"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from runs.api.streams import stream

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for a formula at the start of a cell (OWASP)."""
LINES = 500
"""How many lines are sent at a time."""


def cell(value: Any) -> Any:
    """A value that no spreadsheet carries out; numbers stay numbers."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA) and not _number(value):
        return f"'{value}"
    return value


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def download(
    request: HttpRequest, name: str, heading: Sequence[str], rows: Iterable[Any]
) -> StreamingHttpResponse:
    """A CSV, or a TSV if the name ends so, as a file to keep."""
    tabs = name.endswith(".tsv")
    kind = "text/tab-separated-values" if tabs else "text/csv"
    pieces = _pieces(heading, iter(rows), "\t" if tabs else ",")
    response = stream(request, pieces, f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(
    heading: Sequence[str], rows: Iterator[Any], delimiter: str
) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(heading)
    while True:
        batch = list(islice(rows, LINES))
        writer.writerows([cell(value) for value in row] for row in batch)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        if len(batch) < LINES:
            return
