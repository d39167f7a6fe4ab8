"""Taking samples in: from S3, from a ZIP, a whole prefix at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from runs import intake, lifecycle, sources
from runs.api import receive, serialize
from runs.api.answers import PrefixAnswer
from runs.api.bodies import Asked, ImportBody, PrefixBody, ZipBody
from runs.api.errors import ApiError
from runs.models import Priority, Run, Source, Status
from runs.transfers.base import TransferError
from runs.uploads import location_of


def create(
    request: HttpRequest,
    sample_id: str,
    source: Source,
    location: dict[str, Any],
    asked: Asked,
) -> Run:
    """The run that was asked for, or the active one that may be joined."""
    stages, _options = intake.stages_of(asked.stages)
    order = lifecycle.Order(
        sample_id=sample_id,
        source=source,
        location=location,
        stages=stages,
        options=asked.chosen(asked.stages),
        auto_process=asked.auto_process,
        priority=Priority(asked.priority),
        join=asked.if_active == "join",
    )
    return lifecycle.create(order, user=user_of(request))


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  the route saw to it
    return request.user


def require_bucket() -> None:
    """Raises `ApiError` 409 while no S3 bucket is configured."""
    if not settings.VCBENCH.s3_bucket:
        raise ApiError(
            409,
            "not_configured",
            "No S3 bucket is set. An administrator names it by VCBENCH_S3_BUCKET; "
            "a ZIP can be uploaded instead.",
        )


def import_sample(request: HttpRequest, body: ImportBody) -> HttpResponseBase:
    require_bucket()
    location = {"id": body.id} if body.id else {}
    run = create(request, body.sample_id, Source.S3, location, body)
    return serialize.started(run)


def upload_archive(request: HttpRequest, body: ZipBody) -> HttpResponseBase:
    path = receive.archive_of(request)
    location = location_of(path)
    run = create(request, body.sample_id, Source.ZIP, location, body)
    receive.handler_of(request).keep()
    return serialize.started(run)


def import_prefix(request: HttpRequest, body: PrefixBody) -> HttpResponseBase:
    """Every sample of the store that has no run that succeeded or may yet."""
    require_bucket()
    try:
        names = sources.s3_store().samples()
    except TransferError as error:
        raise ApiError(502, "store_failed", error.sentence) from error
    found = [name for name in names if name.startswith(body.starting_with)]
    have = imported(found)
    missing = [name for name in found if name not in have]
    runs = [
        create(request, name, Source.S3, {}, body) for name in missing[: body.limit]
    ]
    answer: PrefixAnswer = {
        "found": len(found),
        "imported_before": len(have),
        "left_for_later": len(missing) - len(runs),
        "runs": [{"sample_id": run.sample.name, "run": run.uuid} for run in runs],
    }
    return JsonResponse(answer, status=201 if runs else 200)


def imported(names: Sequence[str]) -> set[str]:
    """Those of the samples that have a run which was not given up."""
    rows = Run.objects.exclude(status__in=[Status.ERROR, Status.CANCELLED])
    return set(rows.values_list("sample__name", flat=True)) & set(names)
