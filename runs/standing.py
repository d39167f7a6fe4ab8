"""How a run stands among those before it, by its headline numbers.

The same baseline and rules as on the page of charts over time, up to this run: what
came later does not change what is said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from benchmarks.control import LONGEST, Baseline
from runs.charts import Axis, Chart, Point, Series
from runs.control_charts import limits, place_of, with_edge
from runs.models import Run, RunQuerySet, Status
from runs.trends import BASELINE, Judged, Subject, Value, judge, values_of

HEADLINES = (
    Subject("small", ("SNP", "PASS", "*", "f1")),
    Subject("small", ("INDEL", "PASS", "*", "f1")),
    Subject("sv", ("f1",)),
)
SHOWN = 30
"""Runs of a chart, with this one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`judged` are the runs before, oldest first, and this one last."""

    subject: Subject
    judged: Sequence[Judged]
    baseline: Baseline | None

    @property
    def this(self) -> Judged:
        return self.judged[-1]

    @property
    def before(self) -> Value:
        return self.judged[-2].value

    @property
    def change(self) -> float:
        return self.this.value.value - self.before.value


def standings(run: Run) -> list[Standing]:
    """Of a completed run with others before it; a query for each number, and two."""
    if run.status != Status.COMPLETED:
        return []
    earlier = _before(run)
    newest = list(earlier.order_by("-created_at", "-id")[: SHOWN + LONGEST - 2])
    oldest = list(earlier.order_by("created_at", "id")[:BASELINE])
    found = (_standing(each, run, newest, oldest) for each in HEADLINES)
    return [each for each in found if each is not None]


def _before(run: Run) -> RunQuerySet:
    """Of the same individual; of the same sample where it has none."""
    runs = Run.objects.filter(status=Status.COMPLETED, created_at__lte=run.created_at)
    person = run.sample.individual
    same = {"sample__individual": person} if person else {"sample": run.sample}
    return (
        runs.filter(**same)
        .exclude(pk=run.pk)
        .select_related("sample")
        .only("uuid", "created_at", "pipeline", "sample__name")
    )


def _standing(
    subject: Subject, run: Run, newest: Sequence[Run], oldest: Sequence[Run]
) -> Standing | None:
    every = {each.pk: each for each in (*newest, *oldest, run)}
    values = values_of(list(every.values()), subject)
    base, near = {each.pk for each in oldest}, {each.pk for each in newest}
    this = [each for each in values if each.key == run.pk]
    before = [each for each in values if each.key in near]
    if not this or not before:
        return None
    baseline = Baseline.of([each.value for each in values if each.key in base])
    course = [*before, *this]
    judged = judge(baseline, course[:-SHOWN], course[-SHOWN:])
    return Standing(subject, judged, baseline)


def standing_chart(standing: Standing) -> Chart:
    """A control chart, run after run, with the limits of the baseline."""
    points = [
        Point(
            at,
            place_of(standing.baseline, each.value.value),
            tone="bad" if each.rejected else "",
        )
        for at, each in enumerate(standing.judged, 1 - len(standing.judged))
    ]
    return Chart(
        key=f"standing-{standing.subject.parts[0].lower()}",
        title=standing.subject.title,
        about=with_edge(
            _("A ring marks a value that breaks a rule of Westgard."), standing.judged
        ),
        x=Axis(_("runs, counted back from this one")),
        y=Axis(),
        series=[
            Series(_("runs before"), points[:-1], "1", "circle", "solid"),
            Series(_("this run"), points[-1:], "2", "star"),
        ],
        marks=limits(standing.baseline),
    )
