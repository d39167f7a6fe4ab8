"""Taking samples in: from S3, from a ZIP, a whole prefix at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase

from runs import intake, lifecycle
from runs.api import serialize
from runs.api.bodies import Asked, ImportBody
from runs.api.errors import ApiError
from runs.models import Priority, Run, Source


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
