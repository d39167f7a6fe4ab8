"""The list of runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from runs.forms import RunFilter
from runs.models import Run
from runs.views import paging, taken
from runs.views.access import viewers
from runs.views.headlines import judged
from runs.views.run_table import run_table

PAGE = 50


@require_safe
@viewers
def run_list(request: HttpRequest) -> HttpResponseBase:
    """Runs, newest first; filters that cannot be read are said and left out."""
    filters = RunFilter(request.GET)
    runs = filters.narrow(Run.objects.select_related("sample", "created_by"))
    if taken.wanted(request) and filters.is_valid():
        return run_table(request, runs, "runs")
    page, status = paging.asked(request, runs, PAGE)
    if not filters.is_valid():
        status = 400
    context = {
        "filters": filters,
        "filtered": any(filters.cleaned_data.values()),
        "page": page,
        "rows": judged(page.runs),
        "formats": taken.FORMATS,
        "query": taken.query(request),
    }
    return render(request, "runs/run_list.html", context, status=status)
