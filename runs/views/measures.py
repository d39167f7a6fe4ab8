"""How a comparison's counts and ratios are named, explained and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from benchmarks.differences import Counted
from benchmarks.models import SmallVariantMetric

Text = str | Promise
Interval = tuple[float, float]
Bounds = Callable[[Any], Interval | None]
JEFFREYS = _("Below it: its 95 % confidence interval (Jeffreys).")


def _stored(name: str) -> Bounds:
    """As the engine wrote them."""

    def bounds(row: Any) -> Interval | None:
        low, high = getattr(row, f"{name}_lower"), getattr(row, f"{name}_upper")
        return None if low is None or high is None else (low, high)

    return bounds


def f1_bounds(row: Any) -> Interval | None:
    """Counted here, because no engine writes them."""
    if row.f1 is None:
        return None
    counts = (row.truth_tp, row.truth_fn, row.query_tp or 0, row.query_fp)
    return Counted(*counts).f1_bounds()


@dataclass(frozen=True, slots=True)
class Measure:
    """`name` is a field of SmallVariantMetric, `column` the engine's name of it.

    `missing`: it is 1 minus that field. `bounds`: where its interval is from.
    """

    name: str
    column: str
    explained: Text
    formula: str = ""
    is_share: bool = False
    missing: bool = False
    bounds: Bounds | None = None
    interval_explained: Text = JEFFREYS
    label: Text = ""

    @property
    def title(self) -> Text:
        return self.label or self.column

    @property
    def key(self) -> str:
        """Unique on a page."""
        return f"{'no-' if self.missing else ''}{self.name}".replace("_", "-")

    def exact(self, row: SmallVariantMetric) -> str:
        """The figure to its last digit; empty where there is none."""
        value = getattr(row, self.name)
        if value is None:
            return ""
        if self.missing:
            return format(_one_minus(value), "f")
        if self.is_share:
            return str(row.columns.get(self.column) or value)
        return str(value)

    def value(self, row: SmallVariantMetric) -> Any:
        value = getattr(row, self.name)
        return float(_one_minus(value)) if self.missing and value is not None else value

    @property
    def has_interval(self) -> bool:
        return self.bounds is not None

    def interval(self, row: Any) -> Interval | None:
        found = self.bounds(row) if self.bounds else None
        if found is None:
            return None
        low, high = found
        return (1 - high, 1 - low) if self.missing else (low, high)


def _one_minus(value: float) -> Decimal:
    """Without binary dust: 1 - 0.992516 is 0.007484."""
    return Decimal(1) - Decimal(repr(value))


RECALL = Measure(
    "recall",
    "METRIC.Recall",
    _("the share of known variants that were found"),
    "TRUTH.TP / (TRUTH.TP + TRUTH.FN)",
    is_share=True,
    bounds=_stored("recall"),
    label=_("Recall"),
)
PRECISION = Measure(
    "precision",
    "METRIC.Precision",
    _("the share of judged calls that are right"),
    "QUERY.TP / (QUERY.TP + QUERY.FP)",
    is_share=True,
    bounds=_stored("precision"),
    label=_("Precision"),
)
MISSED = Measure(
    "recall",
    "METRIC.Recall",
    _("the share of known variants that were missed"),
    "TRUTH.FN / (TRUTH.TP + TRUTH.FN)",
    is_share=True,
    missing=True,
    bounds=_stored("recall"),
    label=_("1 − recall"),
)
FALSE = Measure(
    "precision",
    "METRIC.Precision",
    _("the share of judged calls that are wrong"),
    "QUERY.FP / (QUERY.TP + QUERY.FP)",
    is_share=True,
    missing=True,
    bounds=_stored("precision"),
    label=_("1 − precision"),
)
F1 = Measure(
    "f1",
    "METRIC.F1_Score",
    _("harmonic mean of precision and recall"),
    "2 × precision × recall / (precision + recall)",
    is_share=True,
    bounds=f1_bounds,
    interval_explained=_(
        "Below it: its 95 % confidence interval, that of the share TP / (TP + FP + "
        "FN), with which F1 rises (Jeffreys)."
    ),
    label="F1",
)
MEASURES: Sequence[Measure] = (
    Measure(
        "truth_total",
        "TRUTH.TOTAL",
        _("known variants in the confident regions"),
        "TRUTH.TP + TRUTH.FN",
    ),
    Measure(
        "truth_tp",
        "TRUTH.TP",
        _("known variants that were found, counted in the truth set’s records"),
    ),
    Measure("truth_fn", "TRUTH.FN", _("known variants that were missed")),
    Measure(
        "query_total",
        "QUERY.TOTAL",
        _("all calls, also outside the confident regions"),
        "QUERY.TP + QUERY.FP + QUERY.UNK",
    ),
    Measure(
        "query_tp",
        "QUERY.TP",
        _(
            "calls that are right, counted in the calls’ records; the same variants "
            "can be written in more or fewer records than in the truth set"
        ),
        "QUERY.TOTAL − QUERY.FP − QUERY.UNK",
    ),
    Measure("query_fp", "QUERY.FP", _("calls in the confident regions that are wrong")),
    Measure(
        "fp_gt",
        "FP.gt",
        _("of QUERY.FP: right alleles with another genotype"),
    ),
    Measure(
        "fp_al",
        "FP.al",
        _("of QUERY.FP: at the place of a known variant, with other alleles"),
    ),
    Measure(
        "query_unk",
        "QUERY.UNK",
        _("calls outside the confident regions, not judged"),
    ),
    RECALL,
    MISSED,
    PRECISION,
    FALSE,
    F1,
    Measure(
        "frac_na",
        "METRIC.Frac_NA",
        _("the share of calls that were not judged"),
        "QUERY.UNK / QUERY.TOTAL",
        is_share=True,
        bounds=_stored("frac_na"),
        label="Frac_NA",
    ),
)
