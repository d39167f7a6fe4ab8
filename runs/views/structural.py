"""A run's structural variants, arranged for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from benchmarks.haplotypes.intervals import jeffreys
from benchmarks.models import StructuralVariantMetric
from benchmarks.parsers.truvari_classes import SIZE_CLASSES
from runs.charts import Chart
from runs.models import Run
from runs.templatetags.portal import count, ratio
from runs.views.drawn import errors_chart, interval_text
from runs.views.measures import F1, PRECISION, RECALL

ALPHA = 0.05
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A row of Truvari with Jeffreys intervals, in the words of small variants."""

    metric: StructuralVariantMetric
    recall_bounds: Interval | None
    precision_bounds: Interval | None

    @property
    def recall(self) -> float | None:
        return self.metric.recall if self.truth_total else None

    @property
    def precision(self) -> float | None:
        return self.metric.precision if self.query_tp + self.query_fp else None

    @property
    def recall_lower(self) -> float | None:
        return self.recall_bounds[0] if self.recall_bounds else None

    @property
    def recall_upper(self) -> float | None:
        return self.recall_bounds[1] if self.recall_bounds else None

    @property
    def precision_lower(self) -> float | None:
        return self.precision_bounds[0] if self.precision_bounds else None

    @property
    def precision_upper(self) -> float | None:
        return self.precision_bounds[1] if self.precision_bounds else None

    @property
    def intervals(self) -> dict[str, str]:
        """As they stand below the figures, by the name of the measure."""
        return {
            measure.name: interval_text(measure, self)
            for measure in (RECALL, PRECISION, F1)
        }

    @property
    def f1(self) -> float | None:
        return self.metric.f1

    @property
    def truth_tp(self) -> int:
        return self.metric.tp_base

    @property
    def truth_fn(self) -> int:
        return self.metric.fn

    @property
    def truth_total(self) -> int:
        return self.metric.tp_base + self.metric.fn

    @property
    def query_tp(self) -> int:
        return self.metric.tp_comp

    @property
    def query_fp(self) -> int:
        return self.metric.fp


@dataclass(frozen=True, slots=True)
class StructuralVariants:
    """`whole` are the rows of bench and refine."""

    whole: Sequence[ClassRow] = ()
    types: Sequence[ClassRow] = ()
    sizes: Sequence[ClassRow] = ()
    both: Sequence[ClassRow] = ()

    def __bool__(self) -> bool:
        return bool(self.whole)

    @property
    def charts(self) -> list[Chart]:
        return [
            _chart("sv-types", _("By type"), [(r.metric.type, r) for r in self.types]),
            _chart(
                "sv-sizes",
                _("By size in bases"),
                [(r.metric.size_class, r) for r in self.sizes],
            ),
        ]


def structural_variants_of(run: Run) -> StructuralVariants:
    """One query."""
    metrics = list(StructuralVariantMetric.objects.filter(run=run).order_by("pk"))
    rows = _with_intervals(metrics)

    def chosen(*, kind: bool, size: bool) -> list[ClassRow]:
        return [
            row
            for row in rows
            if (row.metric.type != "*", row.metric.size_class != "*") == (kind, size)
        ]

    sizes = chosen(kind=False, size=True)
    sizes.sort(key=lambda row: SIZE_CLASSES.index(row.metric.size_class))
    return StructuralVariants(
        whole=chosen(kind=False, size=False),
        types=chosen(kind=True, size=False),
        sizes=sizes,
        both=chosen(kind=True, size=True),
    )


def _with_intervals(metrics: Sequence[StructuralVariantMetric]) -> list[ClassRow]:
    recall = _bounds([(m.tp_base, m.tp_base + m.fn) for m in metrics])
    precision = _bounds([(m.tp_comp, m.tp_comp + m.fp) for m in metrics])
    together = zip(metrics, recall, precision, strict=True)
    return [ClassRow(*row) for row in together]


def _bounds(shares: Sequence[tuple[int, int]]) -> list[Interval | None]:
    if not shares:
        return []
    parts, wholes = np.array(shares, dtype=np.int64).T
    lower, upper = jeffreys(parts, wholes, ALPHA)
    return [
        (float(low), float(high)) if whole else None
        for low, high, whole in zip(lower, upper, wholes, strict=True)
    ]


def _chart(key: str, title: str, named: Sequence[tuple[str, ClassRow]]) -> Chart:
    return errors_chart(
        key,
        title,
        named,
        heading=[
            _("Of"),
            *("TP-base", "FN", "TP-comp", "FP"),
            _("Recall"),
            _("Precision"),
            "F1",
            _("GT concordance"),
        ],
        table=[_table_row(name, row.metric) for name, row in named],
    )


def _table_row(name: str, row: StructuralVariantMetric) -> list[str]:
    return [
        name,
        *map(count, (row.tp_base, row.fn, row.tp_comp, row.fp)),
        *map(ratio, (row.recall, row.precision, row.f1, row.gt_concordance)),
    ]
