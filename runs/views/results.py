"""What a run has brought, arranged for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from runs.models import Artifact, Run
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
class Results:
    verdicts: Sequence[SmallVariantMetric]
    small: Sequence[SmallVariantMetric]
    structural: Sequence[StructuralVariantMetric]
    qc: Sequence[Category]
    files: Sequence[Artifact]

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
    )


def _category(name: str, rows: list[QCMetric]) -> Category:
    return Category(name, rows[:QC_SHOWN], len(rows))
