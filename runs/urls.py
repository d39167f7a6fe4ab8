"""The addresses of the portal's pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from runs.views import (
    account,
    genome,
    monitoring,
    new_run,
    overview,
    references,
    run,
    runs,
    samples,
    variants,
)

login = login_not_required(
    LoginView.as_view(
        redirect_authenticated_user=True, http_method_names=account.FORM_METHODS
    )
)

urlpatterns = [
    path("login/", login, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", overview.overview, name="overview"),
    path("runs/", runs.run_list, name="run-list"),
    path("runs/new/", new_run.new_run, name="new-run"),
    path("runs/<uuid:uuid>/", run.run, name="run"),
    path("runs/<uuid:uuid>/state/", run.run_state, name="run-state"),
    path("runs/<uuid:uuid>/results/", run.run_results, name="run-results"),
    path("runs/<uuid:uuid>/cancel/", run.cancel, name="run-cancel"),
    path("runs/<uuid:uuid>/retry/", run.retry, name="run-retry"),
    path("runs/<uuid:uuid>/launch/", run.launch, name="run-launch"),
    path("runs/<uuid:uuid>/variants/", variants.run_variants, name="run-variants"),
    path("runs/<uuid:uuid>/genome/", genome.run_genome, name="run-genome"),
    path("runs/<uuid:uuid>/reads/", genome.set_reads, name="run-reads"),
    path("samples/<text:name>/", samples.sample, name="sample"),
    path("monitoring/", monitoring.monitoring, name="monitoring"),
    path("references/", references.references, name="references"),
    path("references/<text:key>/fetch/", references.fetch, name="reference-fetch"),
    path(
        "settings/password/",
        account.ChangePassword.as_view(),
        name="settings-password",
    ),
    path("settings/tokens/", account.tokens, name="settings-tokens"),
    path("settings/tokens/<int:token>/revoke/", account.revoke, name="token-revoke"),
]
