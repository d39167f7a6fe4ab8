"""The first page: what runs, what came out, what failed, what room is left."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from runs.models import Run, Status
from runs.views.access import viewers
from runs.views.headlines import judged
from runs.views.machine import disk

SHOWN = 10


@require_safe
@viewers
def overview(request: HttpRequest) -> HttpResponse:
    runs = Run.objects.select_related("sample", "created_by")
    day = timezone.now() - timedelta(days=1)
    ended = Run.objects.filter(finished_at__gte=day)
    completed = runs.filter(status=Status.COMPLETED).order_by("-finished_at")
    active = list(runs.active().order_by("-status", "queued_at")[:SHOWN])
    context = {
        "active": active,
        "running": Run.objects.filter(status=Status.RUNNING).count(),
        "queued": Run.objects.filter(status=Status.PENDING).count(),
        "completed": ended.filter(status=Status.COMPLETED).count(),
        "failed": ended.filter(status=Status.ERROR).count(),
        "rows": judged(list(completed[:SHOWN])),
        "failures": runs.filter(status=Status.ERROR).order_by("-finished_at")[:5],
        "disk": disk(),
    }
    part = "runs/_overview.html" if request.GET.get("part") else "runs/overview.html"
    return render(request, part, context)
