"""The false positives and negatives of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import chain
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from pydantic import AfterValidator, Field

from benchmarks import variants
from benchmarks.variants import COLUMNS, VariantsError, Wanted
from runs.api import errors, tables
from runs.api.bodies import Body, fault
from runs.api.runs import find
from runs.places import BadPlace, Place
from runs.results import variants_of


def _place(text: str) -> str:
    try:
        if text:
            Place.read(text)
    except BadPlace as error:
        raise fault(str(error)) from error
    return text


Short = Annotated[str, Field(max_length=300)]


class VariantQuery(Body):
    """Which of the false variants; empty means all, as on the page."""

    kind: Literal["small", "structural"] = "small"
    verdict: Literal["", "FP", "FN"] = ""
    type: Short = Field("", description="SNP, INDEL; DEL, INS … of structural ones.")
    reason: Literal["", "no match", "genotype", "allele"] = ""
    stratum: Short = ""
    genotype: Short = ""
    filter: Short = Field("", description="Of the call, e.g. PASS.")
    place: Annotated[str, AfterValidator(_place)] = Field(
        "", description="chr20, chr20:1000 or chr20:1000-2000; 1-based, inclusive."
    )
    min_size: Annotated[int, Field(ge=0)] | Literal[""] | None = None
    max_size: Annotated[int, Field(ge=0)] | Literal[""] | None = None
    min_quality: float | Literal[""] | None = None
    max_quality: float | Literal[""] | None = None
    sort: Literal["", "place", "-place", "size", "-size", "quality", "-quality"] = ""
    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    format: Literal["json", "csv", "tsv"] = Field(
        "json", description="csv and tsv hold all rows, whatever offset and limit."
    )

    def wanted(self) -> Wanted:
        names = {each.name for each in fields(Wanted)} & set(type(self).model_fields)
        values = {name: getattr(self, name) for name in names}
        values = {name: value for name, value in values.items() if value != ""}
        if self.place:
            place = Place.read(self.place)
            values |= {"contig": place.contig, "start": place.start, "end": place.end}
        return Wanted(**values)


def of_run(request: HttpRequest, run_id: UUID, query: VariantQuery) -> HttpResponseBase:
    run = find(run_id)
    parquet, wanted = variants_of(run, query.kind), query.wanted()
    sort = query.sort or "place"
    try:
        if query.format != "json":
            name = f"{run.sample.name}.variants.{query.format}"
            rows = _started(variants.every(parquet, wanted, sort=sort))
            return tables.download(request, name, COLUMNS, map(_cells, rows))
        page = variants.read(
            parquet, wanted, offset=query.offset, limit=query.limit, sort=sort
        )
    except VariantsError as error:
        raise errors.not_found(
            f"The run has no table of false variants. {error}"
        ) from error
    following = query.offset + len(page.rows)
    return JsonResponse(
        {
            "items": page.rows,
            "total": page.total,
            "next": following if following < page.total else None,
        }
    )


def _started(rows: Iterator[Any]) -> Iterator[Any]:
    """The rows, the first of which is read now, while an error can still be told."""
    first = next(rows, None)
    return iter(()) if first is None else chain([first], rows)


def _cells(row: dict[str, Any]) -> list[Any]:
    return [
        ";".join(value) if isinstance(value, list) else value
        for value in (row[name] for name in COLUMNS)
    ]
