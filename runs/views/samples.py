"""The page of a sample."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from runs.models import Run, Sample
from runs.views import paging, taken
from runs.views.access import viewers
from runs.views.headlines import judged
from runs.views.run_table import run_table

PAGE = 50


@require_safe
@viewers
def sample(request: HttpRequest, name: str) -> HttpResponseBase:
    found = get_object_or_404(Sample.objects.select_related("truth_set"), name=name)
    runs = Run.objects.filter(sample=found).select_related("sample", "created_by")
    if taken.wanted(request):
        return run_table(request, runs, found.name)
    page, status = paging.asked(request, runs, PAGE)
    rows = judged(page.runs)
    newest = next((row for row in rows if row.headline.small), None)
    context = {
        "sample": found,
        "page": page,
        "rows": rows,
        "newest": newest,
        "formats": taken.FORMATS,
    }
    return render(request, "runs/sample.html", context, status=status)
