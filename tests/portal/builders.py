"""Runs with results, as pages show them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from runs import lifecycle
from runs.lifecycle import Order
from runs.models import Artifact, Run, Source, Stage, StageStatus, Status

SAMPLE = "NA24143_Lib3_Rep1"


def make_run(sample: str = SAMPLE, user: User | None = None, **changes: Any) -> Run:
    """A new pending run, with the changes written over it."""
    order = Order(sample_id=sample, source=Source.S3, join=False)
    run = lifecycle.create(order, user=user)
    if changes:
        Run.objects.filter(pk=run.pk).update(**changes)
        run.refresh_from_db()
    return run


def completed(sample: str = SAMPLE, user: User | None = None, **changes: Any) -> Run:
    """A run that took 90 s and has ended well, with results of each kind."""
    now = timezone.now()
    times = {"started_at": now - timedelta(seconds=90), "finished_at": now}
    run = make_run(sample, user, status=Status.COMPLETED, **{**times, **changes})
    Stage.objects.filter(run=run).update(
        status=StageStatus.COMPLETED, finished_at=now, started_at=now
    )
    for kind, found in (("SNP", 6960), ("INDEL", 1010)):
        for passing in ("PASS", "ALL"):
            small_variants(run, kind, passing, found)
    structural_variants(run)
    qc(run, "Mapping", "Mapped reads", "12345", 12345.0, 99.5)
    return run


def small_variants(
    run: Run, kind: str, passing: str, found: int, **changes: Any
) -> SmallVariantMetric:
    total = 7021 if kind == "SNP" else 1086
    values: dict[str, Any] = {
        "engine": "builtin",
        "truth_total": total,
        "truth_tp": found,
        "truth_fn": total - found,
        "query_total": 9000,
        "query_tp": found,
        "query_fp": 12,
        "query_unk": 2028,
        "fp_gt": 3,
        "fp_al": 1,
        "recall": found / total,
        "precision": found / (found + 12),
        "f1": 0.991304,
    }
    return SmallVariantMetric.objects.create(
        run=run, type=kind, filter=passing, **{**values, **changes}
    )


def structural_variants(run: Run) -> StructuralVariantMetric:
    return StructuralVariantMetric.objects.create(
        run=run,
        source="bench",
        preset="default",
        tp_base=90,
        tp_comp=91,
        fp=8,
        fn=10,
        precision=0.9192,
        recall=0.9,
        f1=0.9095,
        gt_concordance=0.87,
    )


def qc(
    run: Run,
    category: str,
    metric: str,
    text: str,
    value: float | None = None,
    percent: float | None = None,
    line: int = 1,
) -> QCMetric:
    return QCMetric.objects.create(
        run=run,
        category=category,
        file="a.mapping_metrics.csv",
        kind="mapping_metrics",
        line=line,
        metric=metric,
        text=text,
        value=value,
        percent=percent,
    )


def file_of(run: Run, name: str, **changes: Any) -> Artifact:
    values: dict[str, Any] = {
        "role": Artifact.Role.INPUT,
        "stage": "download",
        "path": f"runs/{run.uuid}/{name}",
        "size": 1_234_567,
        "md5": "0123456789abcdef0123456789abcdef",
        "verified_by": "md5",
    }
    return Artifact.objects.create(run=run, name=name, **{**values, **changes})


def failed(sample: str = SAMPLE, **changes: Any) -> Run:
    """A run that has ended in error just now."""
    now = timezone.now()
    values = {"status": Status.ERROR, "reason": "Cut off.", "finished_at": now}
    return make_run(sample, **{**values, **changes})


def running(sample: str = SAMPLE, **changes: Any) -> Run:
    """A run that a worker has taken just now."""
    now = timezone.now()
    values = {"status": Status.RUNNING, "claim": uuid4(), "started_at": now}
    return make_run(sample, **{**values, "beat_at": now, **changes})
