"""What the admin pages of all apps share: looking only, at tables of any length."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

MOST_ROWS = 10_000
"""Rows that a list of a long table is paged through at most; filters find the rest."""


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than `MOST_ROWS`: a full count reads the whole table."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.order_by().values_list("pk")[:MOST_ROWS])


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only the portal itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LongTableAdmin(ReadOnlyAdmin):
    """Read-only rows of a table that may have millions."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 100


def one_of(
    column: str, title: Any, values: Sequence[str]
) -> type[admin.SimpleListFilter]:
    """A filter by known values. Django's own would read the whole column for them."""

    class OneOf(admin.SimpleListFilter):
        parameter_name = column

        def lookups(
            self, request: HttpRequest, model_admin: Any
        ) -> list[tuple[str, str]]:
            return [(value, value) for value in values]

        def queryset(
            self, request: HttpRequest, queryset: QuerySet[Any]
        ) -> QuerySet[Any]:
            chosen = self.value()
            return queryset.filter(**{column: chosen}) if chosen else queryset

    OneOf.title = title
    return OneOf


class OfRun(admin.SimpleListFilter):
    """Keeps to the run that the address names (`?run=<key>`); offers no choice."""

    title = _("run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get("run")
        return [(chosen, _("this run"))] if chosen else []  # type: ignore[list-item]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(run=chosen) if chosen.isdigit() else queryset.none()
