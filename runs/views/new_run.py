"""Starting a run: from S3, a ZIP, a path on the server, or addresses."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from runs import lifecycle
from runs.forms import FORMS
from runs.models import Source
from runs.views.access import operators, person


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def new_run(request: HttpRequest) -> HttpResponse:
    source = request.GET.get("source", Source.S3)
    if source not in FORMS:
        raise Http404
    if request.method != "POST":
        form = FORMS[source](initial={"sample_id": request.GET.get("sample", "")})
        return _page(request, source, form)
    form = FORMS[source](request.POST)
    if not form.is_valid():
        return _page(request, source, form, status=422)
    run = lifecycle.create(form.order(), user=person(request))
    messages.success(request, _("The run of %s is queued.") % run.sample)
    return redirect(run)


def _page(
    request: HttpRequest, source: str, form: object, status: int = 200
) -> HttpResponse:
    tabs = [(name, label) for name, label in Source.choices if name in FORMS]
    context = {"source": source, "form": form, "tabs": tabs}
    return render(request, "runs/new_run.html", context, status=status)
