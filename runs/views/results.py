"""What a run has brought, arranged for its page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from benchmarks import contigs, curves
from benchmarks.contigs import ContigCounts
from benchmarks.models import QCMetric, SmallVariantMetric
from runs.charts import Chart
from runs.models import Artifact, Run, StageName
from runs.standing import Standing, standings
from runs.views.drawn import contig_chart, curve_charts
from runs.views.findings import Facts, Finding, findings
from runs.views.small import SmallVariants, small_variants_of
from runs.views.structural import StructuralVariants, structural_variants_of
from runs.views.taken import FORMATS

QC_SHOWN = 25
"""Rows of a category on the page; histograms have thousands."""


@dataclass(frozen=True, slots=True)
class Category:
    """QC values of one category, the first of them."""

    name: str
    rows: Sequence[QCMetric]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Made:
    """How a stage made its results: what it says of itself, its commands apart."""

    stage: str
    facts: Mapping[str, str]
    commands: Sequence[str]


@dataclass(frozen=True, slots=True)
class Results:
    small: SmallVariants
    structural: StructuralVariants
    qc: Sequence[Category]
    files: Sequence[Artifact]
    made: Sequence[Made]
    contigs: Sequence[ContigCounts]
    charts: Sequence[Chart]
    """Curves, strata and contigs of small variants."""
    findings: Sequence[Finding]
    standings: Sequence[Standing]
    """Among the runs before."""

    @property
    def formats(self) -> Sequence[str]:
        """What the tables can be taken away as."""
        return FORMATS

    @property
    def any(self) -> bool:
        return bool(self.small or self.structural or self.qc)

    @property
    def verdicts(self) -> Sequence[SmallVariantMetric]:
        return self.small.verdicts


def results_of(run: Run) -> Results:
    """Ten queries, whatever the run has brought, and two small files."""
    small, structural = small_variants_of(run), structural_variants_of(run)
    files = list(run.artifacts.order_by("role", "stage", "name"))
    beside = run.folder / StageName.HAPPY
    counted = contigs.read(beside / contigs.NAME) if small else []
    course = standings(run) if small or structural else []
    return Results(
        small=small,
        structural=structural,
        qc=_categories(run),
        files=files,
        made=list(_made(run)),
        contigs=counted,
        charts=[
            *(curve_charts(curves.read(beside / curves.NAME)) if small else []),
            *small.strata_errors,
            *([contig_chart(counted)] if len(counted) > 1 else []),
        ],
        findings=findings(Facts(small, structural, counted, files, course)),
        standings=course,
    )


def _categories(run: Run) -> list[Category]:
    """The first rows of each category, and how many there are."""
    rows = QCMetric.objects.filter(run=run)
    totals = dict(
        rows.order_by("category").values_list("category").annotate(Count("pk"))
    )
    place = Window(
        RowNumber(),
        partition_by=F("category"),
        order_by=[F("file"), F("line"), F("pk")],
    )
    first = rows.annotate(place=place).filter(place__lte=QC_SHOWN)
    return [
        Category(name, list(found), totals[name])
        for name, found in groupby(
            first.order_by("category", "place"), key=lambda row: row.category
        )
    ]


def _made(run: Run) -> Iterator[Made]:
    for name in StageName:
        record = dict(run.provenance.get(name) or {})
        commands = record.pop("commands", [])
        facts = {key: _written(value) for key, value in record.items() if value}
        if facts or commands:
            yield Made(str(name.label), facts, commands)


def _written(value: object) -> str:
    """A value of the record in one line: `name 1.2, other 3.4` for a mapping."""
    if isinstance(value, Mapping):
        pairs = sorted(value.items())  # PostgreSQL keeps no order
        return ", ".join(f"{key} {_written(inner)}" for key, inner in pairs)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
