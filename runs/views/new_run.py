"""Starting a run: from S3, a ZIP, a path on the server, or addresses."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from runs import lifecycle
from runs.api import receive
from runs.api.errors import ApiError
from runs.forms import FORMS, OrderForm, ZipForm
from runs.models import Source
from runs.transfers.base import TransferError
from runs.views.access import operators, person


@csrf_exempt  # _submit checks it: an upload's handler must be set before POST is read
@require_http_methods(["GET", "HEAD", "POST"])
@operators
def new_run(request: HttpRequest) -> HttpResponse:
    source = request.GET.get("source", Source.S3)
    if source not in FORMS:
        raise Http404
    if request.method != "POST":
        form = FORMS[source](initial={"sample_id": request.GET.get("sample", "")})
        return _page(request, source, form)
    if source == Source.ZIP:
        return _upload(request)
    return _submit(request, source)


def _upload(request: HttpRequest) -> HttpResponse:
    """Take an archive in while it comes; leave nothing of one that is not used."""
    try:
        receive.prepare(request)
    except ApiError as error:
        form = FORMS[Source.ZIP](initial={"sample_id": ""})
        messages.error(request, error.message)
        return _page(request, Source.ZIP, form, error.status)
    try:
        return _submit(request, Source.ZIP)
    finally:
        receive.handler_of(request).remove()


@csrf_protect
def _submit(request: HttpRequest, source: str) -> HttpResponse:
    form = FORMS[source](request.POST, request.FILES)
    if isinstance(form, ZipForm):
        form.owner = str(person(request).pk)
        if fault := receive.handler_of(request).fault:
            form.add_error("file", fault.message)
    if not form.is_valid():
        return _page(request, source, form, status=422)
    try:
        with form.taking():
            run = lifecycle.create(form.order(), user=person(request))
    except TransferError as error:
        form.add_error("file", error.sentence)
        return _page(request, source, form, status=422)
    if isinstance(form, ZipForm):
        receive.handler_of(request).keep()
    if run.joined:
        messages.info(request, _("This sample is being imported already; here it is."))
    else:
        messages.success(request, _("The run of %s is queued.") % run.sample)
    return redirect(run)


def _page(
    request: HttpRequest, source: str, form: OrderForm, status: int = 200
) -> HttpResponse:
    tabs = [(name, label) for name, label in Source.choices if name in FORMS]
    context = {"source": source, "form": form, "tabs": tabs}
    return render(request, "runs/new_run.html", context, status=status)
