"""A sample's newest run: status, log, clean-up."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from runs import cleanup, logstore
from runs.api import errors, serialize
from runs.api.answers import CleanUpAnswer
from runs.api.bodies import LogQuery, SampleBody
from runs.api.runs import find
from runs.api.streams import stream
from runs.api.uploads import user_of
from runs.models import Run


def newest_of(sample_id: str) -> Run:
    """The newest run of a sample. Raises `ApiError` 404."""
    rows = serialize.run_rows().filter(sample__name=sample_id)
    run = rows.order_by("-created_at", "-pk").first()
    if run is None:
        raise errors.not_found(
            f"There is no run of a sample {sample_id}. Check the spelling, or import "
            "it first."
        )
    return run


def status(request: HttpRequest, sample_id: str) -> HttpResponseBase:
    return JsonResponse(serialize.run_answer(newest_of(sample_id)))


def logs(request: HttpRequest, sample_id: str, query: LogQuery) -> HttpResponseBase:
    return _poll(newest_of(sample_id), query)


def run_logs(request: HttpRequest, run_id: UUID, query: LogQuery) -> HttpResponseBase:
    return _poll(find(run_id), query)


def _poll(run: Run, query: LogQuery) -> HttpResponseBase:
    return JsonResponse(
        logstore.poll(
            run,
            since=query.since,
            limit=query.limit,
            levels=query.level,
            search=query.search,
        )
    )


def log_file(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """The whole log as text, a page at a time."""
    run = find(run_id)
    response = stream(request, logstore.text(run), "text/plain; charset=utf-8")
    name = f"{run.sample.name}-{str(run.uuid)[:8]}.log.txt"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def clean_up(request: HttpRequest, body: SampleBody) -> HttpResponseBase:
    rows = Run.objects.ended().filter(sample__name=body.sample_id)
    run = rows.order_by("-created_at", "-pk").first()
    if run is None:
        newest_of(body.sample_id)
        raise errors.conflict(
            f"No run of {body.sample_id} has ended yet. Cancel it first, or wait."
        )
    freed = cleanup.clean_up(run, by=user_of(request).get_username())
    answer: CleanUpAnswer = {
        "sample_id": body.sample_id,
        "run": run.uuid,
        "files": freed.files,
        "bytes": freed.bytes,
    }
    return JsonResponse(answer)
