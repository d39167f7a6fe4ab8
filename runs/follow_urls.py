"""The addresses of the pages that set runs beside each other."""

from __future__ import annotations

from django.urls import path

from runs.views import compare

urlpatterns = [
    path("compare/", compare.compare, name="compare"),
]
