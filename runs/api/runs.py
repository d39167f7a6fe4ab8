"""Runs: list, create, look, control."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from runs import intake, lifecycle
from runs.api import errors, paging, serialize, uploads
from runs.api.bodies import BenchmarkingBody, NoBody, RunBody, RunFilter
from runs.models import Run, Source


def find(run_id: UUID) -> Run:
    """Raises `ApiError` 404."""
    run = Run.objects.select_related("sample").filter(uuid=run_id).first()
    if run is None:
        raise errors.not_found(f"There is no run {run_id}.")
    return run


def index(request: HttpRequest, query: RunFilter) -> HttpResponseBase:
    rows = serialize.run_rows()
    if query.status:
        rows = rows.filter(status__in=query.status)
    wanted = {
        "sample__name": query.sample,
        "sample__individual": query.individual,
        "created_at__gte": query.created_after,
        "created_at__lt": query.created_before,
    }
    rows = rows.filter(**{name: v for name, v in wanted.items() if v is not None})
    page, following = paging.newest(rows, query.cursor, query.limit)
    items = [serialize.run_answer(run) for run in page]
    return JsonResponse({"items": items, "next": following})


def create(request: HttpRequest, body: RunBody) -> HttpResponseBase:
    source = Source(body.source)
    if source is Source.S3:
        uploads.require_bucket()
    run = uploads.create(request, body.sample_id, source, body.location, body)
    return serialize.started(run)


def show(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    rows = serialize.run_rows().prefetch_related("artifacts")
    run = rows.filter(uuid=run_id).first()
    if run is None:
        raise errors.not_found(f"There is no run {run_id}.")
    return JsonResponse(serialize.run_detail(run))


def cancel(request: HttpRequest, run_id: UUID, body: NoBody) -> HttpResponseBase:
    user = uploads.user_of(request)
    run = lifecycle.cancel(find(run_id), by=user.get_username())
    return serialize.started(run, status=202)


def retry(request: HttpRequest, run_id: UUID, body: NoBody) -> HttpResponseBase:
    user = uploads.user_of(request)
    run = lifecycle.retry(find(run_id), by=user.get_username())
    return serialize.started(run, status=202)


def benchmarking(
    request: HttpRequest, run_id: UUID, body: BenchmarkingBody
) -> HttpResponseBase:
    user = uploads.user_of(request)
    stages, _options = intake.stages_of(body.stages)
    options = body.chosen(body.stages)
    run = lifecycle.launch(
        find(run_id), stages, options=options, by=user.get_username()
    )
    return serialize.started(run, status=202)
