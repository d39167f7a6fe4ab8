"""Every address of the portal."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from runs.api import health
from runs.api import routing as api

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/", include("runs.api.urls")),
    path("api/", api.unknown),
    path("api/<path:rest>", api.unknown),
    path("", include("runs.follow_urls")),
    path("", include("runs.urls")),
]

handler500 = "runs.api.errors.server_error"
