"""What there is: samples, references and truth sets, engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache import cache
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from benchmarks import catalog
from benchmarks.catalog import CatalogError, FileEntry, ReferenceEntry, TruthSetEntry
from benchmarks.engines import registry
from benchmarks.engines.base import Availability, EngineError
from benchmarks.engines.truvari import PRESETS
from benchmarks.models import Cached, Reference, State, TruthSet
from runs.api import paging
from runs.api.answers import (
    CachedState,
    EngineAnswer,
    EnginesAnswer,
    PresetAnswer,
    ReferenceAnswer,
    ReferencesAnswer,
    SampleAnswer,
    TruthSetRow,
)
from runs.api.bodies import SampleFilter
from runs.api.errors import ApiError
from runs.models import Run, Sample

PROBE_SECONDS = 300
"""How long the answer of the engines holds; asking starts each tool once."""


def samples(request: HttpRequest, query: SampleFilter) -> HttpResponseBase:
    rows = sample_rows()
    if query.individual:
        rows = rows.filter(individual=query.individual)
    if query.q:
        rows = rows.filter(name__icontains=query.q)
    page, following = paging.ascending(rows, query.cursor, query.limit, by="name")
    items = [sample_answer(row) for row in page]
    return JsonResponse({"items": items, "next": following})


def sample_rows() -> QuerySet[Sample]:
    """Samples with the number of their runs and the newest of them.

    All three are looked up for the rows of a page; a join would group the runs of all
    samples before the first row is known.
    """
    runs = Run.objects.filter(sample=OuterRef("pk"))
    newest = runs.order_by("-created_at", "-pk")
    counted = runs.order_by().values("sample").annotate(count=Count("*"))
    return Sample.objects.select_related("truth_set").annotate(
        run_count=Coalesce(Subquery(counted.values("count")), 0),
        newest_run=Subquery(newest.values("uuid")[:1]),
        newest_status=Subquery(newest.values("status")[:1]),
    )


def sample_answer(row: Any) -> SampleAnswer:
    return {
        "sample_id": row.name,
        "individual": row.individual,
        "truth_set": row.truth_set.key if row.truth_set else None,
        "note": row.note,
        "created_at": row.created_at,
        "runs": row.run_count,
        "newest_run": row.newest_run,
        "newest_status": row.newest_status,
    }


def references(request: HttpRequest) -> HttpResponseBase:
    try:
        known = catalog.current()
    except CatalogError as error:
        raise ApiError(
            503, "catalogue_unreadable", f"The catalogue cannot be read: {error}"
        ) from error
    genomes = {row.key: row for row in Reference.objects.all()}
    truth = {row.key: row for row in TruthSet.objects.all()}
    listed = {entry.key for entry in known.truth_sets}
    own = [row for key, row in truth.items() if key not in listed]
    answer: ReferencesAnswer = {
        "references": [_genome(entry, genomes) for entry in known.references],
        "truth_sets": [
            *(_truth_set(entry, truth) for entry in known.truth_sets),
            *(_own_truth_set(row) for row in own),
        ],
    }
    return JsonResponse(answer)


def _genome(entry: ReferenceEntry, rows: Mapping[str, Reference]) -> ReferenceAnswer:
    return {
        "key": entry.key,
        "build": entry.build,
        "default": entry.default,
        **_state(rows.get(entry.key), entry.files.values()),
    }


def _truth_set(entry: TruthSetEntry, rows: Mapping[str, TruthSet]) -> TruthSetRow:
    return {
        "key": entry.key,
        "build": entry.build,
        "default": entry.default,
        "individual": entry.individual,
        "kind": entry.kind,
        "version": entry.version,
        "origin": TruthSet.Origin.CATALOG,
        **_state(rows.get(entry.key), entry.files.values()),
    }


def _own_truth_set(row: TruthSet) -> TruthSetRow:
    return {
        "key": row.key,
        "build": row.build,
        "default": False,
        "individual": row.individual,
        "kind": row.kind,
        "version": row.version,
        "origin": row.origin,
        **_state(row, ()),
    }


def _state(row: Cached | None, files: Iterable[FileEntry]) -> CachedState:
    """Whether the files are on this machine, and how large they are."""
    known = sum(file.bytes or 0 for file in files) or None
    if row is None:
        return {
            "state": State.ABSENT,
            "message": "",
            "size": known,
            "fetched_at": None,
            "used_at": None,
        }
    return {
        "state": row.state,
        "message": row.message,
        "size": row.size or known,
        "fetched_at": row.fetched_at,
        "used_at": row.used_at,
    }


def engines(request: HttpRequest) -> HttpResponseBase:
    try:
        found = cache.get("engines")
        if found is None:
            found = registry.probe_all()
            cache.set("engines", found, PROBE_SECONDS)
    except EngineError as error:
        raise ApiError(503, "engines_unknown", str(error)) from error
    presets: list[PresetAnswer] = [
        {"name": preset.name, "title": preset.title} for preset in PRESETS.values()
    ]
    answer: EnginesAnswer = {
        "engines": [engine_answer(name, state) for name, state in found.items()],
        "presets": presets,
    }
    return JsonResponse(answer)


def engine_answer(name: str, state: Availability) -> EngineAnswer:
    small = name in registry.SMALL
    return {
        "name": name,
        "kind": TruthSet.Kind.SMALL if small else TruthSet.Kind.STRUCTURAL,
        "available": state.available,
        "version": state.version,
        "reason": state.reason,
        "remedy": state.remedy,
    }
