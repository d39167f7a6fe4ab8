"""Control charts: a number of many runs over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from benchmarks.control import FEWEST, LONGEST, Baseline
from runs.charts import Axis, Chart, Mark, Point, Series
from runs.control_charts import limits, place_of, with_edge
from runs.models import Annotation, Run
from runs.templatetags.signed import figure, signed
from runs.trends import Episode, Judged, Subject, Value, episodes, judge, values_of
from runs.views import taken
from runs.views.access import operators, person, viewers
from runs.views.follow_form import AnnotationForm, FollowForm
from runs.views.paging import asked
from runs.views.subjects import choices, chosen_of, subjects

SHOWN = 200
"""Runs of one chart; older and newer ones are pages away."""
NEWEST = 10
"""Runs that are looked at for what there is to follow."""


@dataclass(frozen=True, slots=True)
class Course:
    """The values of a page, judged, with what belongs to them."""

    subject: Subject
    judged: Sequence[Judged]
    baseline: Baseline | None
    based_on: Sequence[Value]
    annotations: Sequence[Annotation]

    @property
    def episodes(self) -> list[Episode]:
        return episodes(self.judged)[::-1]

    @property
    def warned(self) -> int:
        return sum(each.warned for each in self.judged)


@require_safe
@viewers
def over_time(request: HttpRequest) -> HttpResponseBase:
    form = FollowForm(request.GET)
    shown, status = asked(request, form.runs(), SHOWN)
    if not form.is_valid():
        status = 400
    found = subjects(form.chosen_group, shown.runs[:NEWEST])
    subject = chosen_of(request.GET.get("metric", ""), found)
    course = None if subject is None else _course(form, subject, shown.runs)
    if course is not None and taken.wanted(request):
        return taken.table(request, "over-time", HEADING, map(_cells, course.judged))
    context = {
        "form": form,
        "choices": choices(found, subject),
        "course": course,
        "lines": _lines(course) if course else "",
        "chart": _chart(course) if course and course.judged else None,
        "page": shown,
        "formats": taken.FORMATS,
        "query": _query(request),
        "kept": _kept(request),
        "annotating": AnnotationForm(
            initial={"individual": form.person}, auto_id="note_%s"
        ),
        "here": request.get_full_path(),
        "fewest": FEWEST,
    }
    return render(request, "results/over_time.html", context, status=status)


def _course(form: FollowForm, subject: Subject, runs: Sequence[Run]) -> Course:
    values = values_of(runs, subject)
    based_on = values_of(form.baseline_runs(), subject)
    baseline = Baseline.of([value.value for value in based_on])
    annotations: list[Annotation] = []
    if values:
        annotations = form.annotations(values[0].time, values[-1].time)
    judged = judge(baseline, _before(form, subject, runs), values)
    return Course(subject, judged, baseline, based_on, annotations)


def _before(form: FollowForm, subject: Subject, runs: Sequence[Run]) -> list[Value]:
    """The values before those of the page, which Westgard's rules look back at."""
    if not runs:
        return []
    oldest = min(run.created_at for run in runs)
    older = form.runs().filter(created_at__lt=oldest)
    return values_of(list(older.order_by("-created_at")[: LONGEST - 1]), subject)


HEADING = ("time", "run", "sample", "pipeline", "value", "z", "rules")


def _cells(each: Judged) -> list[object]:
    value = each.value
    return [
        value.time.isoformat(),
        str(value.run),
        value.sample,
        value.pipeline,
        value.value,
        each.z,
        " ".join(each.rules),
    ]


def _query(request: HttpRequest) -> str:
    kept = request.GET.copy()
    kept.pop("format", None)
    return kept.urlencode()


# Two hundred rows by the template language took longer than all else of the page.
LINE = (
    '<tr class="{}"><th scope="row" class="nowrap">'
    '<input type="checkbox" form="chosen" name="run" value="{}" id="c{}"> '
    '<label class="visually-hidden" for="c{}">{}</label>'
    '<a href="{}">{}</a></th><td>{}</td><td>{}</td><td class="number">{}</td>'
    '<td class="number">{}</td><td>{}</td></tr>'
)


def _lines(course: Course) -> SafeString:
    """The rows of the table, newest first."""
    choose = _("Choose")
    return format_html_join(
        "\n", LINE, (_line(each, choose) for each in reversed(course.judged))
    )


def _line(each: Judged, choose: str) -> tuple[object, ...]:
    value = each.value
    return (
        "out" if each.rejected else "look" if each.warned else "",
        *(value.run, value.key, value.key, choose),
        _address(value),
        f"{value.time:%Y-%m-%d %H:%M}",
        *(value.sample, value.pipeline, figure(value.value), signed(each.z, 2)),
        ", ".join(each.rules),
    )


def _address(value: Value) -> str:
    """Of the run's page; `reverse` once a page is enough."""
    return _pattern().replace(str(UUID(int=0)), str(value.run))


@cache
def _pattern() -> str:
    return reverse("run", args=[UUID(int=0)])


ASKED_ANEW = ("format", "before", "after", "run", "baseline")


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """What is asked for, without the baseline and the page."""
    return [
        (name, str(value))
        for name, value in request.GET.items()
        if value and name not in ASKED_ANEW
    ]


def _chart(course: Course) -> Chart:
    samples = {each.value.sample for each in course.judged}
    points = [_point(course, each) for each in course.judged]
    line = "solid" if len(samples) == 1 else "none"
    return Chart(
        key="control",
        title=course.subject.title,
        about=with_edge(
            _(
                "Circles are within the limits. Triangles are beyond 2 s, which is "
                "only a warning. Ringed diamonds break a rule."
            ),
            course.judged,
        ),
        x=Axis(kind="time", format="date"),
        y=Axis(format="short"),
        series=[Series(course.subject.title, points, "1", "circle", line)],  # type: ignore[arg-type]
        marks=[*limits(course.baseline), *_versions(course), *_notes(course)],
        height=420,
        zoom="x",
    )


def _point(course: Course, each: Judged) -> Point:
    value = each.value
    lines = [
        f"{value.time:%Y-%m-%d} {value.sample}",
        f"{figure(value.value)} {value.pipeline}",
    ]
    if each.z is not None:
        lines.append(f"{signed(each.z, 1)} s {' '.join(each.rules)}")
    return Point(
        int(value.time.timestamp() * 1000),
        place_of(course.baseline, value.value),
        text="\n".join(line.strip() for line in lines),
        href=_address(value),
        tone="bad" if each.rejected else "",
        symbol="diamond" if each.rejected else "triangle" if each.warned else "",
    )


def _versions(course: Course) -> list[Mark]:
    """Where a pipeline version is first seen."""
    seen: set[str] = set()
    marks = []
    for each in course.judged:
        value = each.value
        if value.pipeline and value.pipeline not in seen:
            if seen:
                at = int(value.time.timestamp() * 1000)
                marks.append(Mark("x", at, value.pipeline, "dashed", "busy"))
            seen.add(value.pipeline)
    return marks


def _notes(course: Course) -> list[Mark]:
    return [
        Mark("x", f"{note.date:%Y-%m-%d}T00:00:00Z", note.text, "dotted", "muted")
        for note in course.annotations
    ]


@require_POST
@operators
def annotate(request: HttpRequest) -> HttpResponse:
    """Keep what happened, then go back to the chart."""
    form = AnnotationForm(request.POST, auto_id="note_%s")
    if form.is_valid():
        note = form.save(commit=False)
        note.author = person(request)
        note.save()
        messages.success(request, _("The annotation is kept."))
    else:
        for faults in form.errors.values():
            messages.error(request, " ".join(map(str, faults)))
    return redirect(_back(request))


@require_POST
@operators
def remove_annotation(request: HttpRequest, note: int) -> HttpResponse:
    get_object_or_404(Annotation, pk=note).delete()
    messages.success(request, _("The annotation is removed."))
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """The chart that was left, if it is one of ours."""
    here = request.POST.get("here", "")
    start = reverse("over-time")
    if here.startswith(start) and url_has_allowed_host_and_scheme(here, None):
        return here
    return start
