"""How the portal fares: what waits, what runs, what came through, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDay, TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from runs.models import Run, Status
from runs.views.access import viewers
from runs.views.machine import disk, workers

HOURS = 24
DAYS = 14
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Bar:
    """Runs that ended in a span of time, with the bar's place in a 100 x 40 box."""

    start: datetime
    completed: int
    failed: int
    x: float
    width: float
    scale: float

    @property
    def height(self) -> float:
        return round(self.completed * self.scale, 2)

    @property
    def bad_height(self) -> float:
        return round(self.failed * self.scale, 2)

    @property
    def y(self) -> float:
        return round(40 - self.height, 2)

    @property
    def bad_y(self) -> float:
        return round(self.y - self.bad_height, 2)


@require_safe
@viewers
def monitoring(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    runs = Run.objects.select_related("sample", "created_by")
    running = runs.filter(status=Status.RUNNING)
    queued = runs.filter(status=Status.PENDING)
    failed = runs.filter(status=Status.ERROR, finished_at__gte=now - timedelta(days=1))
    context = {
        "now": now,
        "counts": {
            "running": running.count(),
            "queued": queued.count(),
            "failed": failed.count(),
        },
        "running": running.order_by("started_at")[:SHOWN],
        "queued": queued.order_by("queued_at")[:SHOWN],
        "failures": failed.order_by("-finished_at")[:SHOWN],
        "hours": _bars(TruncHour, _hours(now)),
        "days": _bars(TruncDay, _days(now)),
        "workers": workers(),
        "disk": disk(),
    }
    whole = "runs/monitoring.html"
    part = "runs/_monitoring.html" if request.GET.get("part") else whole
    return render(request, part, context)


def _hours(now: datetime) -> list[datetime]:
    this = now.replace(minute=0, second=0, microsecond=0)
    return [this - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]


def _days(now: datetime) -> list[datetime]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _bars(trunc: type[TruncHour | TruncDay], starts: Sequence[datetime]) -> list[Bar]:
    counted = (
        Run.objects.filter(finished_at__gte=starts[0])
        .annotate(span=trunc("finished_at"))
        .values_list("span")
        .annotate(
            good=Count("id", filter=Q(status=Status.COMPLETED)),
            bad=Count("id", filter=Q(status=Status.ERROR)),
        )
    )
    found = {span: (good, bad) for span, good, bad in counted}
    highest = max((good + bad for good, bad in found.values()), default=0)
    scale, step = 40 / max(1, highest), 100 / len(starts)
    return [
        Bar(start, *found.get(start, (0, 0)), at * step + 0.3, step - 0.6, scale)
        for at, start in enumerate(starts)
    ]
