"""Rows as answers."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponseBase, JsonResponse
from django.urls import reverse

from runs.api.answers import (
    ArtifactAnswer,
    Links,
    RunAnswer,
    RunDetail,
    RunStarted,
    StageAnswer,
)
from runs.models import Artifact, Run, Stage


def run_rows() -> QuerySet[Run]:
    """Runs with all that `run_answer` looks at, in three queries."""
    return Run.objects.select_related("sample", "created_by").prefetch_related("stages")


def stage_answer(stage: Stage) -> StageAnswer:
    return {
        "name": stage.name,
        "status": stage.status,
        "message": stage.message,
        "percent": stage.percent,
        "done": stage.done,
        "total": stage.total,
        "started_at": stage.started_at,
        "finished_at": stage.finished_at,
    }


def links(run: Run) -> Links:
    return {
        "self": reverse("api-runs", args=[run.uuid]),
        "page": run.get_absolute_url(),
        "logs": reverse("api-runs-logs", args=[run.uuid]),
        "metrics": reverse("api-runs-metrics", args=[run.uuid]),
    }


def run_answer(run: Run) -> RunAnswer:
    return {
        "run": run.uuid,
        "sample_id": run.sample.name,
        "individual": run.sample.individual,
        "status": run.status,
        "reason": run.reason,
        "source": run.source,
        "location": run.location,
        "options": run.options,
        "auto_process": run.auto_process,
        "priority": run.priority,
        "attempt": run.attempt,
        "next_attempt_at": run.next_attempt_at,
        "created_by": run.created_by.get_username() if run.created_by else None,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "stage": run.stage,
        "stages": [stage_answer(stage) for stage in run.stages.all()],
        "bytes_done": run.bytes_done,
        "bytes_total": run.bytes_total,
        "rate": run.rate,
        "eta": run.eta,
        "last_sequence": run.last_sequence,
        "links": links(run),
    }


def artifact_answer(artifact: Artifact, run: Run) -> ArtifactAnswer:
    return {
        "name": artifact.name,
        "role": artifact.role,
        "kind": artifact.kind,
        "stage": artifact.stage,
        "size": artifact.size,
        "md5": artifact.md5,
        "sha256": artifact.sha256,
        "crc64nvme": artifact.crc64nvme,
        "verified_by": artifact.verified_by,
        "removed_at": artifact.removed_at,
        "link": reverse("api-runs-artifacts", args=[run.uuid, artifact.name]),
    }


def run_detail(run: Run) -> RunDetail:
    return {
        **run_answer(run),
        "details": run.details,
        "provenance": run.provenance,
        "artifacts": [artifact_answer(row, run) for row in run.artifacts.all()],
    }


def started(run: Run, *, status: int | None = None) -> HttpResponseBase:
    """A run that was created (201), joined (200) or sent on its way again."""
    row = run_rows().get(pk=run.pk)
    answer: RunStarted = {**run_answer(row), "joined": run.joined}
    code = status or (200 if run.joined else 201)
    where = answer["links"]["self"]
    return JsonResponse(answer, status=code, headers={"Location": where})
