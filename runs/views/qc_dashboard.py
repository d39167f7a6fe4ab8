"""QC metrics across samples: by category, against a reference sample and each other."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from benchmarks.models import QCMetric
from benchmarks.parsers.dragen_files import CATEGORIES
from runs.charts import SYMBOLS, Axis, Band, Chart, Mark, Point, Series, height_of
from runs.forms import INDIVIDUALS
from runs.models import Run, Status
from runs.templatetags.portal import count
from runs.templatetags.signed import figure
from runs.trends import Subject, Value, qc_subject, values_of
from runs.views import taken
from runs.views.access import viewers
from runs.views.subjects import choices, chosen_of, groups, newest_rows, subjects
from runs.views.widgets import LongSelect

RUNS = 300
"""Newest runs that are looked at."""
SAMPLES = 30
"""Samples that are drawn and set against each other, by their newest runs."""
LOOKED_AT = 10
"""Newest runs that say what a category has."""


class QCForm(forms.Form):
    """What is looked at; everything may be left out."""

    category = forms.ChoiceField(
        required=False, choices=[(name, name) for name in CATEGORIES]
    )
    individual = forms.ChoiceField(
        label=lazy("Individual"),
        required=False,
        choices=[("", lazy("all")), *((name, name) for name in INDIVIDUALS)],
    )
    reference = forms.ChoiceField(
        label=lazy("Reference sample"), widget=LongSelect, required=False
    )
    other = forms.ChoiceField(
        label=lazy("Against"), widget=LongSelect, required=False, choices=groups
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        person = data.get("individual", "")
        self.runs = list(_newest(person if person in INDIVIDUALS else ""))
        self.samples = list(dict.fromkeys(run.sample.name for run in self.runs))
        self.samples = self.samples[:SAMPLES]
        names = [(name, name) for name in sorted(self.samples)]
        self.fields["reference"].choices = [("", _("the newest")), *names]  # type: ignore[attr-defined]
        self.is_valid()

    def _given(self, name: str, default: str) -> str:
        return str(self.cleaned_data.get(name) or default)

    @property
    def chosen_category(self) -> str:
        return self._given("category", CATEGORIES[0])

    @property
    def chosen_other(self) -> str:
        return self._given("other", self.chosen_category)

    @property
    def chosen_reference(self) -> str:
        """A sample's name; without one, that of the newest run."""
        return self._given("reference", self.samples[0] if self.samples else "")


def _newest(person: str) -> Iterable[Run]:
    runs = Run.objects.filter(status=Status.COMPLETED).select_related("sample")
    if person:
        runs = runs.filter(sample__individual=person)
    wanted = ("uuid", "created_at", "pipeline", "sample__name", "sample__individual")
    return runs.only(*wanted).order_by("-created_at", "-id")[:RUNS]


@require_safe
@viewers
def qc_dashboard(request: HttpRequest) -> HttpResponseBase:
    form = QCForm(request.GET)
    drawn = [run for run in form.runs if run.sample.name in form.samples]
    found = subjects(form.chosen_category, drawn[:LOOKED_AT])
    subject = chosen_of(request.GET.get("metric", ""), found)
    values = values_of(drawn, subject) if subject else []
    rows = _rows(form, drawn)
    if taken.wanted(request):
        return _taken(request, form, subject, values, rows)
    others = found
    if form.chosen_other != form.chosen_category:
        others = subjects(form.chosen_other, drawn[:LOOKED_AT])
    against = _against(request, subject, others)
    context = {
        "form": form,
        "categories": _tabs(request, form.chosen_category),
        "choices": choices(found, subject),
        "other_choices": choices(others, against),
        "subject": subject,
        "strip": _strip(subject, values, form) if subject and values else None,
        "scatter": _scatter(subject, against, drawn, values),
        "rows": rows,
        "over_time": _over_time(form, subject),
        "shown": len(drawn),
        "formats": taken.FORMATS,
        "query": _query(request),
    }
    status = 200 if form.is_valid() else 400
    return render(request, "results/qc.html", context, status=status)


def _over_time(form: QCForm, subject: Subject | None) -> str:
    """The same metric on the page of control charts."""
    asked = {"group": form.chosen_category, "metric": subject or ""}
    asked["individual"] = form.cleaned_data.get("individual") or ""
    return urlencode({name: str(value) for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    query: str
    here: bool


def _tabs(request: HttpRequest, chosen: str) -> list[Tab]:
    """The categories; who and against whom stays chosen."""
    kept = request.GET.copy()
    for name in ("metric", "other", "other_metric", "format", "table"):
        kept.pop(name, None)
    tabs = []
    for name in CATEGORIES:
        kept["category"] = name
        tabs.append(Tab(name, kept.urlencode(), name == chosen))
    return tabs


def _query(request: HttpRequest) -> str:
    kept = request.GET.copy()
    for name in ("format", "table"):
        kept.pop(name, None)
    return kept.urlencode()


@dataclass(frozen=True, slots=True)
class Spread:
    """Five numbers of a distribution."""

    count: int
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        some = sorted(values)
        quarters = (
            statistics.quantiles(some, n=4, method="inclusive") if some[1:] else None
        )
        one, two, three = quarters or (some[0], some[0], some[0])
        return cls(len(some), some[0], one, two, three, some[-1])

    def cells(self) -> list[str]:
        numbers = (self.low, self.quarter, self.median, self.three_quarters, self.high)
        return [count(self.count), *map(figure, numbers)]


@dataclass(frozen=True, slots=True)
class Row:
    """A metric of the category: the reference sample's value, and the others'."""

    subject: Subject
    reference: float | None
    spread: Spread
    metric: QCMetric

    @property
    def outside(self) -> str:
        """Where the reference lies beyond the other samples' middle half and its
        length on each side (Tukey's fences)."""
        if self.reference is None or self.spread.count < 5:
            return ""
        room = 1.5 * (self.spread.three_quarters - self.spread.quarter)
        if self.reference < self.spread.quarter - room:
            return "below"
        return "above" if self.reference > self.spread.three_quarters + room else ""


def _rows(form: QCForm, drawn: Sequence[Run]) -> list[Row]:
    """The category's metrics in the newest run of each sample; three queries."""
    newest = {run.sample.name: run for run in reversed(drawn)}
    reference = newest.get(form.chosen_reference)
    if reference is None:
        return []
    metrics = newest_rows(form.chosen_category, [reference])
    by_subject = _values(metrics, [run.pk for run in newest.values()])
    return [
        Row(
            subject=(subject := qc_subject(metric)),
            reference=metric.value,
            spread=Spread.of([value for _run, value in by_subject[subject]]),
            metric=metric,
        )
        for metric in metrics
        if by_subject.get(qc_subject(metric))
    ]


def _values(
    metrics: Sequence[QCMetric], runs: Sequence[int]
) -> Mapping[Subject, list[tuple[int, float]]]:
    """What the runs have of these metrics; one query."""
    rows = QCMetric.objects.filter(
        metric__in={row.metric for row in metrics},
        section__in={row.section for row in metrics},
        run__in=runs,
        value__isnull=False,
    ).order_by("run_id", "line")
    rows = rows.only("run_id", "kind", "section", "scope", "metric", "value")
    found: dict[Subject, list[tuple[int, float]]] = defaultdict(list)
    for row in rows:
        found[qc_subject(row)].append((row.run_id, float(row.value or 0)))
    return found


def _by_sample(values: Sequence[Value]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = defaultdict(list)
    for value in values:
        found[value.sample].append(value)
    return dict(sorted(found.items()))


def _strip(subject: Subject, values: Sequence[Value], form: QCForm) -> Chart:
    samples = _by_sample(values)
    spreads = {
        name: Spread.of([value.value for value in some])
        for name, some in samples.items()
    }
    middle = [
        Point(s.median, name, s.quarter, s.three_quarters, text=_spread_text(name, s))
        for name, s in spreads.items()
    ]
    reference = spreads.get(form.chosen_reference)
    return Chart(
        key="strip",
        title=subject.title,
        about=_(
            "Each circle is a run. A square is the median of a sample, its bar the "
            "middle half of its runs."
        ),
        x=Axis(format="short"),
        y=Axis(kind="band", categories=list(samples)),
        series=[
            Series(_("runs"), [_run_point(v) for v in values], "1", hollow=True),
            Series(_("median"), middle, "3", "square", interval="x"),
        ],
        marks=_reference_mark(form.chosen_reference, reference),
        bands=_reference_band(reference),
        height=height_of(len(samples), row=30),
        heading=[
            _("Sample"),
            _("Runs"),
            _("least"),
            "25 %",
            _("median"),
            "75 %",
            _("most"),
        ],
        rows=[[name, *spread.cells()] for name, spread in spreads.items()],
    )


def _spread_heading() -> list[str]:
    numbers = [_("least"), "25 %", _("median"), "75 %", _("most")]
    return [_("Sample"), _("Runs"), *numbers]


def _reference_mark(name: str, spread: Spread | None) -> list[Mark]:
    return [Mark("x", spread.median, name, "dashed", "busy")] if spread else []


def _reference_band(spread: Spread | None) -> list[Band]:
    if spread is None or spread.low == spread.high:
        return []
    return [Band("x", spread.low, spread.high, tone="busy")]


def _run_point(value: Value) -> Point:
    return Point(value.value, value.sample, text=_said(value), href=_run_link(value))


def _said(value: Value) -> str:
    words = f"{value.time:%Y-%m-%d} {value.sample}\n{figure(value.value)}"
    return f"{words} {value.pipeline}".strip()


def _spread_text(name: str, spread: Spread) -> str:
    return _("%(sample)s: median %(median)s of %(runs)s runs") % {
        "sample": name,
        "median": figure(spread.median),
        "runs": count(spread.count),
    }


def _run_link(value: Value) -> str:
    return reverse("run", args=[value.run])


def _against(
    request: HttpRequest, subject: Subject | None, others: Sequence[Subject]
) -> Subject | None:
    """The second metric; without a wish, one that is not the first."""
    if asked := request.GET.get("other_metric"):
        return chosen_of(asked, others)
    return next((other for other in others if other != subject), None)


def _scatter(
    subject: Subject | None,
    against: Subject | None,
    runs: Sequence[Run],
    values: Sequence[Value],
) -> Chart | None:
    if subject is None or against is None:
        return None
    second = against.values([value.key for value in values])
    people = {run.pk: run.sample.individual or _("others") for run in runs}
    found: dict[str, list[Point]] = defaultdict(list)
    for value in values:
        if value.key in second:
            point = _pair_point(value, second[value.key])
            found[people[value.key]].append(point)
    if not found:
        return None
    return Chart(
        key="scatter",
        title=_("%(first)s against %(second)s")
        % {"first": against.title, "second": subject.title},
        x=Axis(subject.title, format="short"),
        y=Axis(against.title, format="short"),
        series=[
            Series(name, found[name], str(at % 8 + 1), SYMBOLS[at % len(SYMBOLS)])
            for at, name in enumerate(sorted(found))
        ],
        height=420,
        zoom="xy",
    )


def _pair_point(value: Value, second: float) -> Point:
    text = f"{_said(value)}\n{figure(second)}"
    return Point(value.value, second, text=text, href=_run_link(value))


def _taken(
    request: HttpRequest,
    form: QCForm,
    subject: Subject | None,
    values: Sequence[Value],
    rows: Sequence[Row],
) -> HttpResponseBase:
    if request.GET.get("table") == "category":
        return taken.table(request, "qc-category", CATEGORY_HEADING, _lines(rows))
    title = subject.title if subject else ""
    cells: Iterator[list[Any]] = (
        [v.time.isoformat(), str(v.run), v.sample, v.pipeline, title, v.value]
        for v in values
    )
    return taken.table(request, "qc-values", VALUE_HEADING, cells)


VALUE_HEADING = ("time", "run", "sample", "pipeline", "metric", "value")
CATEGORY_HEADING = (
    "metric", "section", "region", "reference", "samples", "least", "quarter",
    "median", "three_quarters", "most", "outside",
)  # fmt: skip


def _lines(rows: Sequence[Row]) -> Iterator[list[Any]]:
    for row in rows:
        _kind, region, section, metric, _field = row.subject.parts
        s = row.spread
        numbers = [s.count, s.low, s.quarter, s.median, s.three_quarters, s.high]
        yield [metric, section, region, row.reference, *numbers, row.outside]
