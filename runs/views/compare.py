"""The page that sets runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from benchmarks.models import SmallVariantMetric
from runs.charts import Chart
from runs.comparison import (
    FEWEST,
    LETTERS,
    MOST,
    Line,
    Number,
    Side,
    conditions,
    lines,
    sides_of,
)
from runs.models import SAMPLE_ID, Run, Status
from runs.views import apart, taken
from runs.views.access import viewers
from runs.views.apart import WHOLE, PairFilter
from runs.views.drawn import errors_chart

OFFERED = 20
"""Newest runs of the same individual that can be added."""
FILTERS = ("PASS", "ALL")


@dataclass(frozen=True, slots=True)
class Asked:
    """The runs of the address, in its order, and what of it cannot be read."""

    runs: Sequence[Run]
    faults: Sequence[str]


def _asked(values: Sequence[str]) -> Asked:
    """Runs by their id; two queries at most."""
    names = list(dict.fromkeys(value.strip() for value in values if value.strip()))
    uuids = {name: found for name in names if (found := _uuid(name)) is not None}
    known = {
        run.uuid: run
        for run in Run.objects.filter(uuid__in=uuids.values()).select_related("sample")
    }
    newest = {
        name: _newest_of(name) for name in [n for n in names if n not in uuids][:MOST]
    }
    runs: list[Run] = []
    faults = []
    for name in names:
        run = known.get(uuids[name]) if name in uuids else newest.get(name)
        if run is None:
            faults.append(
                _("“%s” is neither a run nor a sample with a completed run.")
                % name[:100]
            )
        elif run not in runs:
            runs.append(run)
    if len(runs) > MOST:
        faults.append(
            _("At most %(most)d runs can be compared; the first of them are shown.")
            % {"most": MOST}
        )
    return Asked(runs[:MOST], faults)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _newest_of(sample: str) -> Run | None:
    """For who types a sample id instead of a run's."""
    try:
        SAMPLE_ID(sample)
    except ValidationError:
        return None
    runs = Run.objects.filter(sample__name=sample, status=Status.COMPLETED)
    return runs.select_related("sample").order_by("-created_at").first()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run of the comparison, with the addresses that move it."""

    letter: str
    run: Run
    first: str
    without: str


def _chosen(asked: Asked) -> list[Chosen]:
    runs = list(asked.runs)
    return [
        Chosen(
            LETTERS[at],
            run,
            _of_runs([run, *runs[:at], *runs[at + 1 :]]) if at else "",
            _of_runs([*runs[:at], *runs[at + 1 :]]),
        )
        for at, run in enumerate(runs)
    ]


def _of_runs(runs: Sequence[Run]) -> str:
    return urlencode([("run", str(run.uuid)) for run in runs])


class CompareFilter(forms.Form):
    """What of the runs is compared."""

    passing = forms.ChoiceField(
        label=lazy("Calls"),
        required=False,
        choices=[("PASS", lazy("that pass the filters")), ("ALL", lazy("all"))],
    )
    stratum = forms.ChoiceField(label=lazy("Stratum"), required=False)

    def __init__(self, data: Mapping[str, Any], strata: Sequence[str]) -> None:
        super().__init__(data)
        field = self.fields["stratum"]
        whole = [("", _("whole genome"))]
        field.choices = whole + [(n, n) for n in strata]  # type: ignore[attr-defined]
        self.is_valid()

    @property
    def passing_filter(self) -> str:
        return self.cleaned_data.get("passing") or "PASS"

    @property
    def subset(self) -> str:
        return self.cleaned_data.get("stratum") or WHOLE


@require_safe
@viewers
def compare(request: HttpRequest) -> HttpResponseBase:
    asked = _asked(request.GET.getlist("run"))
    filters = CompareFilter(request.GET, _strata(asked.runs))
    sides = sides_of(asked.runs, passing=filters.passing_filter, stratum=filters.subset)
    if len(sides) < FEWEST:
        return _picking(request, asked)
    measured = lines(sides)
    pair = PairFilter(request.GET)
    first, second = apart.pair_of(request, sides)
    if taken.wanted(request) and request.GET.get("table") == "variants":
        wanted = pair.wanted(filters.subset)
        rows = apart.every(first, second, wanted)
        return taken.table(request, "variants-apart", apart.HEADING, rows)
    if taken.wanted(request):
        return taken.table(request, "comparison", *_table(sides, measured))
    found = conditions(sides)
    context = {
        "asked": asked,
        "chosen": _chosen(asked),
        "sides": sides,
        "conditions": found,
        "warnings": [condition for condition in found if condition.warns],
        "groups": _groups(measured),
        "charts": _charts(sides),
        "filters": filters,
        "pair": pair,
        "first": first,
        "second": second,
        "ways": apart.ways_of(request, first, second, pair.wanted(filters.subset)),
        "query": _query(request.GET),
        "formats": taken.FORMATS,
        "offered": _offered(asked.runs),
        "room": len(sides) < MOST,
    }
    sound = not asked.faults and filters.is_valid() and pair.is_valid()
    return render(
        request, "results/compare.html", context, status=200 if sound else 400
    )


def _picking(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    """Fewer than two runs: the page asks for more."""
    context = {
        "asked": asked,
        "chosen": _chosen(asked),
        "sides": [],
        "offered": _offered(asked.runs),
        "room": True,
    }
    status = 400 if asked.faults else 200
    return render(request, "results/compare.html", context, status=status)


def _strata(runs: Sequence[Run]) -> list[str]:
    """Strata of the first run that has any."""
    rows = SmallVariantMetric.objects.filter(
        run__in=runs[:1], type="SNP", filter="PASS", subtype=WHOLE, genotype=WHOLE
    )
    names = rows.exclude(subset=WHOLE).order_by("subset")
    return list(names.values_list("subset", flat=True).distinct())


def _offered(runs: Sequence[Run]) -> list[Run]:
    """Runs that are likely to be added: the newest of the first one's individual."""
    newest = Run.objects.filter(status=Status.COMPLETED).select_related("sample")
    if runs:
        newest = newest.filter(sample__individual=runs[0].sample.individual)
    chosen = {run.pk for run in runs}
    found = newest.order_by("-created_at", "-id")[: OFFERED + MOST]
    return [run for run in found if run.pk not in chosen][:OFFERED]


def _table(
    sides: Sequence[Side], measured: Sequence[Line]
) -> tuple[list[str], list[list[Any]]]:
    """A row for each measure and run, with everything that the page says of it."""
    heading = [
        *("variants", "measure", "run", "sample", "pipeline", "value", "low", "high"),
        *("difference", "difference_low", "difference_high", "verdict"),
    ]
    rows = [
        [line.group, str(line.name), *_who(side), *_said(number)]
        for line in measured
        for side, number in zip(sides, line.numbers, strict=True)
    ]
    return heading, rows


def _who(side: Side) -> list[str]:
    run = side.run
    return [str(run.uuid), run.sample.name, run.pipeline]


def _said(number: Number) -> list[Any]:
    share, apart = number.share, number.apart
    return [
        number.value,
        share and share.low,
        share and share.high,
        apart and apart.value,
        apart and apart.low,
        apart and apart.high,
        number.verdict,
    ]


@dataclass(frozen=True, slots=True)
class Group:
    """Measures of one kind of variants."""

    name: str
    lines: Sequence[Line]


def _groups(measured: Sequence[Line]) -> list[Group]:
    names = list(dict.fromkeys(line.group for line in measured))
    return [Group(name, [m for m in measured if m.group == name]) for name in names]


def _charts(sides: Sequence[Side]) -> list[Chart]:
    charts = []
    for kind in ("SNP", "INDEL"):
        named = [
            (_name(side), side.small[kind]) for side in sides if kind in side.small
        ]
        if len(named) > 1:
            charts.append(errors_chart(f"compare-{kind.lower()}", kind, named))
    return charts


def _name(side: Side) -> str:
    return f"{side.letter} · {side.run.created_at:%Y-%m-%d} {side.run.pipeline}".strip()


def _query(given: QueryDict) -> str:
    """The address as it stands, for links to other formats of it."""
    kept = given.copy()
    for name in ("format", "table"):
        kept.pop(name, None)
    return kept.urlencode()
