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
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from runs.charts import Axis, Chart, Point, Series
from runs.models import Run, Status
from runs.templatetags.portal import count
from runs.views.access import viewers
from runs.views.machine import disk, workers

HOURS = 24
DAYS = 14
SHOWN = 50


@require_safe
@viewers
def monitoring(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    runs = Run.objects.select_related("sample", "created_by")
    running = runs.filter(status=Status.RUNNING)
    queued = runs.filter(status=Status.PENDING)
    failed = runs.filter(status=Status.ERROR, finished_at__gte=now - timedelta(days=1))
    hours, days = _hours(now), _days(now)
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
        "charts": [
            _chart("hours", _("Runs ended per hour"), "H:i", _ended(TruncHour, hours)),
            _chart("days", _("Runs ended per day"), "m-d", _ended(TruncDay, days)),
        ],
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


@dataclass(frozen=True, slots=True)
class Ended:
    """How many runs ended in the span of time that begins then."""

    start: datetime
    completed: int
    failed: int


def _ended(
    trunc: type[TruncHour | TruncDay], starts: Sequence[datetime]
) -> list[Ended]:
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
    return [Ended(start, *found.get(start, (0, 0))) for start in starts]


def _chart(key: str, title: str, written: str, spans: Sequence[Ended]) -> Chart:
    names = [date_format(each.start, written) for each in spans]
    good = [Point(n, each.completed) for n, each in zip(names, spans, strict=True)]
    bad = [Point(n, each.failed) for n, each in zip(names, spans, strict=True)]
    return Chart(
        key=key,
        title=title,
        x=Axis(_("from (UTC)"), "band", categories=names),
        y=Axis(_("runs"), format="count", zero=True),
        series=[
            Series(_("completed"), good, "1", "none", bar=True),
            Series(_("failed"), bad, "bad", "none", bar=True),
        ],
        height=230,
        heading=[_("From"), _("Completed"), _("Failed")],
        rows=[
            [name, count(each.completed), count(each.failed)]
            for name, each in zip(names, spans, strict=True)
        ],
    )
