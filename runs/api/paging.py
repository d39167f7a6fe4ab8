"""Paging by cursor: where the last page ended, so that new rows shift nothing."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime

from runs.api import errors

Row = TypeVar("Row", bound=Model)


def encode(*values: Any) -> str:
    text = json.dumps([_plain(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> list[Any]:
    """The values of a cursor. Raises `ApiError` 400."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return [_typed(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, TypeError, binascii.Error) as error:
        raise errors.bad_field(
            "cursor", "This is no cursor of this list. Use `next` of the page before."
        ) from error


def newest(
    rows: QuerySet[Row], cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """A page of rows by `created_at` and id, newest first, and the next cursor."""
    if cursor:
        time, key = decode(cursor, datetime, int)
        # The first condition is what an index can begin with.
        rows = rows.filter(created_at__lte=time)
        rows = rows.filter(Q(created_at__lt=time) | Q(pk__lt=key))
    page = list(rows.order_by("-created_at", "-pk")[: limit + 1])
    if len(page) <= limit:
        return page, None
    last: Any = page[limit - 1]
    return page[:limit], encode(last.created_at, last.pk)


def ascending(
    rows: QuerySet[Row], cursor: str | None, limit: int, by: str = "pk"
) -> tuple[list[Row], str | None]:
    """A page of rows by one unique column, and the next cursor."""
    if cursor:
        kind = int if by == "pk" else str
        [after] = decode(cursor, kind)
        rows = rows.filter(**{f"{by}__gt": after})
    page = list(rows.order_by(by)[: limit + 1])
    if len(page) <= limit:
        return page, None
    return page[:limit], encode(getattr(page[limit - 1], by))


def by_run(
    rows: QuerySet[Row], cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """A page of rows of runs, run by run, and the next cursor.

    By run, not by key alone: a number that only few or late runs have is then found by
    an index, instead of reading all rows before it.
    """
    if cursor:
        run, key = decode(cursor, int, int)
        rows = rows.filter(run_id__gte=run)
        rows = rows.filter(Q(run_id__gt=run) | Q(pk__gt=key))
    page = list(rows.order_by("run_id", "pk")[: limit + 1])
    if len(page) <= limit:
        return page, None
    last: Any = page[limit - 1]
    return page[:limit], encode(last.run_id, last.pk)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(value: Any, kind: type) -> Any:
    if kind is datetime:
        time = parse_datetime(value)
        if time is None or time.tzinfo is None:
            raise ValueError(value)
        return time
    if type(value) is not kind:
        raise TypeError(value)
    return value
