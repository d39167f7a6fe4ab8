"""A person's API tokens."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from runs.forms import TokenForm
from runs.models import ApiToken
from runs.views.access import person, viewers

FORM_METHODS = ["get", "head", "post", "options"]
"""Of Django's own form views, which take a PUT for a POST."""


class ChangePassword(SuccessMessageMixin, PasswordChangeView):  # type: ignore[type-arg]
    """One's own password; whoever is signed in may."""

    http_method_names = FORM_METHODS
    template_name = "runs/password.html"
    success_url = reverse_lazy("overview")
    success_message = gettext_lazy("The password is changed.")


@require_http_methods(["GET", "HEAD", "POST"])
@viewers
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens without their keys; a POST issues one and shows its key, once."""
    user = person(request)
    form = TokenForm(request.POST or None)
    key, status = "", 200
    if request.method == "POST":
        if form.is_valid():
            name, expires_at = form.cleaned_data["name"], form.expires_at()
            _token, key = ApiToken.issue(user, name, expires_at=expires_at)
            form = TokenForm()
        else:
            status = 422
    owned = ApiToken.objects.filter(user=user)
    context = {"form": form, "key": key, "tokens": owned, "now": timezone.now()}
    answer = render(request, "runs/tokens.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@viewers
def revoke(request: HttpRequest, token: int) -> HttpResponse:
    found = get_object_or_404(ApiToken, pk=token, user=person(request))
    found.delete()
    messages.success(request, _("The token %s is revoked.") % found.name)
    return redirect("settings-tokens")
