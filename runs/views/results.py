"""What a run has brought, arranged for its page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from runs.models import Artifact, Run, StageName
from runs.views.headlines import TYPES, WHOLE

FILTERS = ("PASS", "ALL")
QC_SHOWN = 150
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
    verdicts: Sequence[SmallVariantMetric]
    small: Sequence[SmallVariantMetric]
    structural: Sequence[StructuralVariantMetric]
    qc: Sequence[Category]
    files: Sequence[Artifact]
    made: Sequence[Made]

    @property
    def any(self) -> bool:
        return bool(self.small or self.structural or self.qc)


def results_of(run: Run) -> Results:
    """Four queries, whatever the run has brought."""
    whole = SmallVariantMetric.objects.filter(run=run, type__in=TYPES, **WHOLE)
    small = sorted(
        (row for row in whole.defer("columns") if row.filter in FILTERS),
        key=lambda row: (TYPES.index(row.type), FILTERS.index(row.filter)),
    )
    structural = StructuralVariantMetric.objects.filter(run=run).defer("columns")
    qc = QCMetric.objects.filter(run=run).order_by("category", "file", "line")
    return Results(
        verdicts=[row for row in small if row.filter == "PASS"],
        small=small,
        structural=list(structural),
        qc=[
            _category(name, list(rows))
            for name, rows in groupby(qc, key=lambda row: row.category)
        ],
        files=list(run.artifacts.order_by("role", "stage", "name")),
        made=list(_made(run)),
    )


def _category(name: str, rows: list[QCMetric]) -> Category:
    return Category(name, rows[:QC_SHOWN], len(rows))


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
        return ", ".join(f"{key} {_written(inner)}" for key, inner in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
