"""Numbers: of one run, and across runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from runs.api import paging, tables
from runs.api.bodies import MetricFilter, QCFilter, SmallFilter, StructuralFilter
from runs.api.runs import find
from runs.models import Run

Metric = TypeVar("Metric", bound=Model)
NOT_ANSWERED = ("id", "run")
BATCH = 2000


@dataclass(frozen=True, slots=True)
class Table(Generic[Metric]):
    """A kind of metric; `columns` are its fields in their order."""

    model: type[Metric]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, model: type[Metric]) -> Table[Metric]:
        names = (each.name for each in model._meta.concrete_fields)
        return cls(model, tuple(name for name in names if name not in NOT_ANSWERED))

    def rows(self) -> QuerySet[Any]:
        return self.model._default_manager.select_related("run__sample")

    def values(self, row: Any) -> dict[str, Any]:
        return {name: getattr(row, name) for name in self.columns}

    def answer(self, row: Any) -> dict[str, Any]:
        """A row across runs: it says whose it is."""
        run: Run = row.run
        return {
            "run": run.uuid,
            "sample_id": run.sample.name,
            "individual": run.sample.individual,
            "created_at": run.created_at,
            **self.values(row),
        }


SMALL = Table.of(SmallVariantMetric)
STRUCTURAL = Table.of(StructuralVariantMetric)
QC = Table.of(QCMetric)


def of_run(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """All small- and structural-variant rows; QC rows are many and have their own
    address, so that only their number is said here."""
    run = find(run_id)
    small = run.small_variant_metrics.filter(subset="*").order_by("pk")
    structural = run.structural_variant_metrics.order_by("pk")
    return JsonResponse(
        {
            "run": run.uuid,
            "sample_id": run.sample.name,
            "status": run.status,
            "small_variants": [SMALL.values(row) for row in small],
            "structural_variants": [STRUCTURAL.values(row) for row in structural],
            "qc_rows": run.qc_metrics.count(),
        }
    )


def small_variants(request: HttpRequest, query: SmallFilter) -> HttpResponseBase:
    return _across(request, SMALL, query)


def structural_variants(
    request: HttpRequest, query: StructuralFilter
) -> HttpResponseBase:
    return _across(request, STRUCTURAL, query)


def qc(request: HttpRequest, query: QCFilter) -> HttpResponseBase:
    return _across(request, QC, query)


def _across(
    request: HttpRequest, table: Table[Any], query: MetricFilter
) -> HttpResponseBase:
    rows = table.rows().filter(**query.conditions())
    if query.format == "json":
        page, following = paging.by_run(rows, query.cursor, query.limit)
        items = [table.answer(row) for row in page]
        return JsonResponse({"items": items, "next": following})
    columns = [name for name in _heading(table) if name != "columns"]
    name = f"{table.model._meta.model_name}.{query.format}"
    cells = (
        [line[column] for column in columns] for line in _all(rows, table, query.cursor)
    )
    return tables.download(request, name, columns, cells)


def _heading(table: Table[Any]) -> list[str]:
    return ["run", "sample_id", "individual", "created_at", *table.columns]


def _all(
    rows: QuerySet[Any], table: Table[Any], cursor: str | None
) -> Iterator[Mapping[str, Any]]:
    """Every row from the cursor on, a batch at a time."""
    while True:
        page, cursor = paging.by_run(rows, cursor, BATCH)
        yield from (table.answer(row) for row in page)
        if cursor is None:
            return
