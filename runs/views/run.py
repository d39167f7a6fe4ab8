"""The page of a run, and what may be done with the run there."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from runs import intake, lifecycle
from runs.forms import LaunchForm
from runs.models import Run
from runs.views.access import operators, person, viewers
from runs.views.results import results_of

WATCHED = Run.objects.select_related("sample", "created_by")


@require_safe
@viewers
def run(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(WATCHED, uuid=uuid)
    context = {
        "run": found,
        "stages": list(found.stages.all()),
        "results": results_of(found),
        "launch": LaunchForm(auto_id="launch_%s"),
    }
    return render(request, "runs/run.html", context)


@require_safe
@viewers
def run_state(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The part of the page that changes while the run is carried out."""
    found = get_object_or_404(WATCHED, uuid=uuid)
    context = {"run": found, "stages": list(found.stages.all())}
    return render(request, "runs/_run_renewed.html", context)


@require_safe
@viewers
def run_results(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The part of the page that a run fills when it ends."""
    found = get_object_or_404(WATCHED, uuid=uuid)
    context = {
        "run": found,
        "results": results_of(found),
        "launch": LaunchForm(auto_id="launch_%s"),
    }
    return render(request, "runs/_run_results.html", context)


@require_POST
@operators
def cancel(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(WATCHED, uuid=uuid)
    try:
        lifecycle.cancel(found, by=person(request).username)
    except lifecycle.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The run is being cancelled."))
    return redirect(found)


@require_POST
@operators
def retry(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(WATCHED, uuid=uuid)
    try:
        again = lifecycle.retry(found, by=person(request).username)
    except lifecycle.Refused as refused:
        messages.error(request, str(refused))
    else:
        text = _("Attempt %d is queued; what was done is kept.") % again.attempt
        messages.success(request, text)
    return redirect(found)


@require_POST
@operators
def launch(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(WATCHED, uuid=uuid)
    form = LaunchForm(request.POST, auto_id="launch_%s")
    if not form.is_valid():
        for faults in form.errors.values():
            messages.error(request, " ".join(map(str, faults)))
        return redirect(found)
    stages, options = intake.stages_of(form.cleaned_data["stages"])
    if form.cleaned_data["engine"]:
        options["engine"] = form.cleaned_data["engine"]
    try:
        lifecycle.launch(found, stages, options=options, by=person(request).username)
    except lifecycle.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The stages are queued."))
    return redirect(found)
