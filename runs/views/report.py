"""A run's report: one HTML file that needs no network, and the same as PDF."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from runs.charts import Chart
from runs.drawing import draw, svg
from runs.models import Run
from runs.report import Report, Section, Table, report_of
from runs.views.access import viewers

WIDTH = 480
"""Pixels of a chart: two stand beside each other on paper."""
OWN_STYLE = {"default-src": [NONE], "style-src": [UNSAFE_INLINE]}
REPORTED = Run.objects.select_related("sample", "created_by")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A section whose charts are drawn."""

    title: str
    note: str
    tables: list[Table]
    charts: list[tuple[Chart, SafeString]]

    @classmethod
    def of(cls, section: Section) -> Drawn:
        charts = [
            (chart, svg(draw(chart, width=WIDTH), chart.title))
            for chart in section.charts
        ]
        return cls(section.title, section.note, list(section.tables), charts)


@require_safe
@viewers
@csp_replace(OWN_STYLE)  # type: ignore[arg-type]
def run_report(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The file: to look at, or to keep with `?keep=1`. Its style is inside it, and it
    has no script."""
    report = report_of(get_object_or_404(REPORTED, uuid=uuid))
    context = {"report": report, "drawn": [Drawn.of(each) for each in report.sections]}
    answer = render(request, "report/report.html", context)
    if request.GET.get("keep"):
        answer.headers["Content-Disposition"] = _attached(report, "html")
    return answer


@require_safe
@viewers
def run_report_pdf(request: HttpRequest, uuid: UUID) -> HttpResponse:
    from runs.report_pdf import pdf  # slow to import, wanted here only

    report = report_of(get_object_or_404(REPORTED, uuid=uuid))
    answer = HttpResponse(pdf(report), content_type="application/pdf")
    answer.headers["Content-Disposition"] = _attached(report, "pdf")
    return answer


def _attached(report: Report, ending: str) -> str:
    return f'attachment; filename="{report.name}.report.{ending}"'
