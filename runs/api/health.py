"""Whether the portal lives, whether it can work, and its figures for Prometheus."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator

import django_rq
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Count, F, Min, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from runs.api import auth
from runs.api.errors import ApiError
from runs.models import Priority, Run, Stage, StageName, Status
from runs.roles import VIEW

logger = logging.getLogger(__name__)


@require_safe
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponseBase:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@login_not_required
@never_cache
def readyz(request: HttpRequest) -> HttpResponseBase:
    """200 if all that a run needs is there, else 503 with what is not.

    Causes are in the log of the server: whoever asks is not known.
    """
    parts = {"database": _database(), "redis": _redis(), "data_folder": _data_folder()}
    ready = all(parts.values())
    words = {name: "ok" if fine else "away" for name, fine in parts.items()}
    status = "ok" if ready else "not ready"
    return JsonResponse({"status": status, **words}, status=200 if ready else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("The database does not answer: %s", error)
        return False
    return True


def _redis() -> bool:
    try:
        return bool(django_rq.get_connection(Priority.DEFAULT).ping())
    except RedisError as error:
        logger.warning("Redis does not answer: %s", error)
        return False


def _data_folder() -> bool:
    folder = settings.VCBENCH.data_dir
    fine = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    if not fine:
        logger.warning("The data folder %s cannot be written", folder)
    return fine


@require_safe
@login_not_required
@never_cache
def metrics(request: HttpRequest) -> HttpResponseBase:
    """For administrators, and for any token of someone who may see runs."""
    try:
        user = auth.user_of(request)
        if not user.is_staff and not getattr(request, "by_token", False):
            raise ApiError(
                403, "forbidden", "The figures are for administrators and tokens."
            )
        auth.require(user, VIEW)
    except ApiError as error:
        return error.response()
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """Read from the database when they are asked for, so that every web process says
    the same, and nothing is lost with a process."""

    def collect(self) -> Iterator[Metric]:
        yield self._runs()
        yield self._oldest()
        yield self._waits()
        yield self._stages()
        yield from self._disk()

    def _runs(self) -> Metric:
        family = GaugeMetricFamily(
            "vcbench_runs", "Runs by their status.", labels=["status"]
        )
        rows = Run.objects.order_by().values_list("status").annotate(Count("pk"))
        counted = dict(rows)
        for status in Status.values:
            family.add_metric([status], counted.get(status, 0))
        return family

    def _oldest(self) -> Metric:
        waiting = Run.objects.filter(
            status=Status.PENDING, queued_at__lte=timezone.now()
        )
        oldest = waiting.aggregate(at=Min("queued_at"))["at"]
        wait = (timezone.now() - oldest).total_seconds() if oldest else 0
        return GaugeMetricFamily(
            "vcbench_queue_wait_seconds",
            "How long the run that waits longest has been waiting.",
            value=wait,
        )

    def _waits(self) -> Metric:
        started = Run.objects.filter(started_at__isnull=False)
        found = started.aggregate(
            count=Count("pk"), sum=Sum(F("started_at") - F("created_at"))
        )
        total = found["sum"].total_seconds() if found["sum"] else 0
        return SummaryMetricFamily(
            "vcbench_run_wait_seconds",
            "From the creation of a run to its first start.",
            count_value=found["count"],
            sum_value=total,
        )

    def _stages(self) -> Metric:
        family = SummaryMetricFamily(
            "vcbench_stage_seconds",
            "How long the last execution of each stage took.",
            labels=["stage", "status"],
        )
        ended = Stage.objects.filter(
            started_at__isnull=False, finished_at__isnull=False
        )
        rows = ended.order_by().values("name", "status")
        for row in rows.annotate(
            count=Count("pk"), sum=Sum(F("finished_at") - F("started_at"))
        ):
            labels = [StageName(row["name"]).value, row["status"]]
            family.add_metric(labels, row["count"], row["sum"].total_seconds())
        return family

    def _disk(self) -> Iterator[Metric]:
        usage = shutil.disk_usage(settings.VCBENCH.data_dir)
        for name, value in (("total", usage.total), ("free", usage.free)):
            yield GaugeMetricFamily(
                f"vcbench_disk_{name}_bytes", "Of the data folder’s disk.", value=value
            )
