"""What is followed over time, and against which baseline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, TextChoices
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from runs.forms import INDIVIDUALS
from runs.models import Annotation, Run, RunQuerySet, Sample, Status
from runs.trends import BASELINE
from runs.views.subjects import groups
from runs.views.widgets import LongSelect

MOST = 200
"""Runs of a baseline."""


class BaselineKind(TextChoices):
    FIRST = "first", _("the oldest 20")
    PIPELINE = "pipeline", _("one pipeline version")
    DATES = "dates", _("between two dates")
    RUNS = "runs", _("chosen runs")


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput({"type": "date"})
    )


class FollowForm(forms.Form):
    """Everything may be left out. `run`, read from the data, repeats: the runs of a
    chosen baseline."""

    individual = forms.ChoiceField(
        label=_("Individual"), widget=LongSelect, required=False
    )
    sample = forms.ChoiceField(label=_("Sample"), widget=LongSelect, required=False)
    pipeline = forms.ChoiceField(label=_("Pipeline"), widget=LongSelect, required=False)
    group = forms.ChoiceField(label=_("Metrics of"), widget=LongSelect, required=False)
    since = _day(_("From"))
    until = _day(_("To"))
    baseline = forms.ChoiceField(
        label=_("Baseline"), required=False, choices=BaselineKind.choices
    )
    base_pipeline = forms.ChoiceField(
        label=_("Version"), widget=LongSelect, required=False
    )
    base_since = _day(_("Baseline from"))
    base_until = _day(_("Baseline to"))

    WHAT = ("individual", "sample", "pipeline", "since", "until", "group")
    AGAINST = ("baseline", "base_pipeline", "base_since", "base_until")

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.base_runs = [u for text in data.getlist("run") if (u := _uuid(text))]
        self.person = data.get("individual") or _first_individual()
        self._choose("individual", [(name, name) for name in INDIVIDUALS])
        self._choose("group", groups())
        samples = Sample.objects.filter(individual=self.person).values_list("name")
        self._choose("sample", [("", _("all")), *((n, n) for [n] in samples[:500])])
        versions = [(name, name) for name in _pipelines()]
        self._choose("pipeline", [("", _("all")), *versions])
        self._choose("base_pipeline", [("", "–"), *versions])
        self.initial = {"individual": self.person}
        self.is_valid()

    def _choose(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for first, last in (("since", "until"), ("base_since", "base_until")):
            if given.get(first) and given.get(last) and given[first] > given[last]:
                self.add_error(last, _("This is before the first day."))
        if given.get("baseline") == BaselineKind.PIPELINE and not given.get(
            "base_pipeline"
        ):
            self.add_error("base_pipeline", _("Choose the version."))
        return given

    def clean_individual(self) -> str:
        return self.cleaned_data["individual"] or self.person

    @property
    def chosen_group(self) -> str:
        return str(self.cleaned_data.get("group") or "small")

    @property
    def what(self) -> list[forms.BoundField]:
        return [self[name] for name in self.WHAT]

    @property
    def against(self) -> list[forms.BoundField]:
        return [self[name] for name in self.AGAINST]

    def runs(self) -> RunQuerySet:
        """Completed runs of what is chosen."""
        given = self.cleaned_data
        runs = self._of_person()
        if given.get("sample"):
            runs = runs.filter(sample__name=given["sample"])
        if given.get("pipeline"):
            runs = runs.filter(pipeline=given["pipeline"])
        return runs.filter(within(given.get("since"), given.get("until")))

    def _of_person(self) -> RunQuerySet:
        return (
            Run.objects.filter(status=Status.COMPLETED, sample__individual=self.person)
            .select_related("sample")
            .only("uuid", "created_at", "pipeline", "sample__name")
        )

    def baseline_runs(self) -> list[Run]:
        """Those that the limits are made of, oldest first."""
        given = self.cleaned_data
        runs, most = self._of_person(), MOST
        match given.get("baseline"):
            case BaselineKind.RUNS if self.base_runs:
                runs = runs.filter(uuid__in=self.base_runs[:MOST])
            case BaselineKind.PIPELINE if given.get("base_pipeline"):
                runs = runs.filter(pipeline=given["base_pipeline"])
                if given.get("sample"):
                    runs = runs.filter(sample__name=given["sample"])
            case BaselineKind.DATES:
                runs = self.runs().filter(
                    within(given.get("base_since"), given.get("base_until"))
                )
            case _:
                runs, most = self.runs(), BASELINE
        return list(runs.order_by("created_at", "id")[:most])

    def annotations(self, first: datetime, last: datetime) -> list[Annotation]:
        """What happened in that time, to this individual or to all."""
        return list(
            Annotation.objects.filter(
                date__range=(first.date(), last.date()),
                individual__in=("", self.person),
            )
            .select_related("author")
            .order_by("date", "id")
        )


def within(since: date | None, until: date | None) -> Q:
    """Runs that were made on these days, both included (UTC)."""
    found = Q()
    if since:
        found &= Q(created_at__gte=datetime.combine(since, time(), UTC))
    if until:
        after = datetime.combine(until, time(), UTC) + timedelta(days=1)
        found &= Q(created_at__lt=after)
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _first_individual() -> str:
    """The individual of the newest completed run."""
    newest = Run.objects.filter(status=Status.COMPLETED).exclude(sample__individual="")
    person = newest.order_by("-created_at").values_list("sample__individual", flat=True)
    return person.first() or INDIVIDUALS[0]


# From name to name by the index: DISTINCT would read every run.
PIPELINES = """
WITH RECURSIVE known (name) AS (
    SELECT min(pipeline) FROM runs_run WHERE pipeline > ''
    UNION ALL
    SELECT (SELECT min(pipeline) FROM runs_run WHERE pipeline > known.name)
    FROM known WHERE known.name IS NOT NULL)
SELECT name FROM known WHERE name IS NOT NULL LIMIT 100"""


def _pipelines() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(PIPELINES)
        return [name for [name] in cursor.fetchall()]


class AnnotationForm(forms.ModelForm):  # type: ignore[type-arg]
    """What happened, on which day."""

    individual = forms.ChoiceField(
        label=_("Individual"),
        required=False,
        choices=[("", _("all")), *((name, name) for name in INDIVIDUALS)],
    )

    class Meta:
        model = Annotation
        fields = ("date", "text", "individual")
        widgets = {"date": forms.DateInput({"type": "date"}, format="%Y-%m-%d")}

    def clean_text(self) -> str:
        text = " ".join(self.cleaned_data["text"].split())
        if not text:
            raise ValidationError(_("Say what happened."))
        return text
