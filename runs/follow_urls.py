"""The addresses of the pages that set runs beside each other."""

from __future__ import annotations

from django.urls import path

from runs.views import compare, over_time, qc_dashboard, report

urlpatterns = [
    path("compare/", compare.compare, name="compare"),
    path("runs/<uuid:uuid>/report/", report.run_report, name="run-report"),
    path("runs/<uuid:uuid>/report.pdf", report.run_report_pdf, name="run-report-pdf"),
    path("qc/", qc_dashboard.qc_dashboard, name="qc"),
    path("over-time/", over_time.over_time, name="over-time"),
    path("over-time/annotations/", over_time.annotate, name="annotation-new"),
    path(
        "over-time/annotations/<int:note>/remove/",
        over_time.remove_annotation,
        name="annotation-remove",
    ),
]
