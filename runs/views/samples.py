"""The page of a sample."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from runs.models import Run, Sample
from runs.views import paging
from runs.views.access import viewers
from runs.views.headlines import judged

PAGE = 50


@require_safe
@viewers
def sample(request: HttpRequest, name: str) -> HttpResponse:
    found = get_object_or_404(Sample.objects.select_related("truth_set"), name=name)
    runs = Run.objects.filter(sample=found).select_related("sample", "created_by")
    page, status = paging.asked(request, runs, PAGE)
    rows = judged(page.runs)
    newest = next((row for row in rows if row.headline.small), None)
    context = {"sample": found, "page": page, "rows": rows, "newest": newest}
    return render(request, "runs/sample.html", context, status=status)
