"""Plain builders of rows for tests."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from runs.claims import Claim
from runs.models import Run, Sample, Source, Stage, StageName, Status


def make_sample(name: str = "NA24143_Lib3_Rep1", **fields: Any) -> Sample:
    fields.setdefault("individual", "HG004")
    return Sample.objects.get_or_create(name=name, defaults=fields)[0]


def make_run(*stages: StageName, sample: Sample | None = None, **fields: Any) -> Run:
    """A run with rows for these stages, pending unless `status` says otherwise."""
    if fields.get("status") == Status.RUNNING:
        fields.setdefault("claim", uuid.uuid4())
        fields.setdefault("beat_at", timezone.now())
        fields.setdefault("worker", "host/1")
        fields.setdefault("started_at", timezone.now())
    run = Run.objects.create(
        sample=sample or make_sample(), source=fields.pop("source", Source.S3), **fields
    )
    names = list(StageName)
    Stage.objects.bulk_create(
        Stage(run=run, name=name, position=names.index(name)) for name in stages
    )
    return run


def claim_of(run: Run) -> Claim:
    """The claim under which that running run is carried out."""
    run.refresh_from_db()
    assert run.claim is not None
    return Claim(run.pk, run.attempt, run.claim)
