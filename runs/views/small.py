"""A run's small variants, arranged for its page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from benchmarks.curves import Curve, CurvePoint
from benchmarks.models import SmallVariantMetric
from runs.charts import Axis, Chart, Point, Series, height_of, log_floor
from runs.models import Run
from runs.templatetags.portal import count, ratio
from runs.views.headlines import TYPES
from runs.views.measures import FALSE, MEASURES, MISSED, Measure

FILTERS = ("PASS", "ALL")
STRATA_DRAWN = 30
"""The worst ones; all are in the table."""
DIGITS = 6
"""As hap.py writes its ratios."""
Row = SmallVariantMetric


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure: as it is shown, to the last digit, with its interval and a link."""

    text: str
    exact: str
    interval: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    measure: Measure
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class SmallVariants:
    """`whole` are the rows of SNP and INDEL, PASS and ALL; `strata` by type."""

    whole: Sequence[Row] = ()
    subtypes: Sequence[Row] = ()
    strata: dict[str, list[Row]] = field(default_factory=dict)
    lines: Sequence[Line] = ()

    def __bool__(self) -> bool:
        return bool(self.whole)

    @property
    def verdicts(self) -> list[Row]:
        return [row for row in self.whole if row.filter == "PASS"]

    def row(self, kind: str, passing: str) -> Row | None:
        found = (r for r in self.whole if (r.type, r.filter) == (kind, passing))
        return next(found, None)

    @property
    def errors(self) -> Chart:
        named = [(f"{row.type} {row.filter}", row) for row in self.whole]
        return errors_chart(
            "small-errors", _("What is missed and what is false"), named
        )

    @property
    def subtype_errors(self) -> Chart:
        return errors_chart(
            "subtype-errors",
            _("By subtype, PASS"),
            [(f"{r.type} {r.subtype}", r) for r in self.subtypes if r.filter == "PASS"],
        )

    @property
    def strata_errors(self) -> list[Chart]:
        return [
            errors_chart(
                f"strata-{kind.lower()}",
                _("%s by stratum, PASS") % kind,
                [(row.subset, row) for row in rows[:STRATA_DRAWN]],
                table=[(row.subset, row) for row in rows],
            )
            for kind, rows in self.strata.items()
            if rows
        ]


def small_variants_of(run: Run) -> SmallVariants:
    """One query: the whole, its subtypes, and the strata."""
    rows = list(
        SmallVariantMetric.objects.filter(run=run, type__in=TYPES, genotype="*")
        .filter(Q(subset="*") | Q(subtype="*"))
        .filter(filter__in=FILTERS)
    )
    rows.sort(key=lambda row: (TYPES.index(row.type), FILTERS.index(row.filter)))
    whole = [row for row in rows if (row.subset, row.subtype) == ("*", "*")]
    return SmallVariants(
        whole=whole,
        subtypes=[row for row in rows if row.subset == "*" and row.subtype != "*"],
        strata=_strata(rows),
        lines=[_line(run, measure, whole) for measure in MEASURES],
    )


def _strata(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """PASS rows of strata, by type, the worst first; empty strata are left out."""
    found: dict[str, list[Row]] = {kind: [] for kind in TYPES}
    for row in rows:
        if row.subset != "*" and row.filter == "PASS" and row.truth_total:
            found[row.type].append(row)
    for strata in found.values():
        strata.sort(key=lambda row: (row.f1 is None, row.f1, row.subset))
    return found


def _line(run: Run, measure: Measure, rows: Sequence[Row]) -> Line:
    return Line(measure, [_cell(run, measure, row) for row in rows])


def _cell(run: Run, measure: Measure, row: Row) -> Cell:
    value = measure.value(row)
    return Cell(
        text=ratio(value, DIGITS) if measure.is_share else count(value),
        exact=measure.exact(row),
        interval=interval_text(measure, row),
        href=_link(run, measure.name, row) if value else "",
    )


def interval_text(measure: Measure, row: Row) -> str:
    bounds = measure.interval(row)
    if bounds is None:
        return ""
    return f"{ratio(bounds[0], 5)} – {ratio(bounds[1], 5)}"


LINKS: dict[str, dict[str, str]] = {
    "truth_fn": {"verdict": "FN"},
    "query_fp": {"verdict": "FP"},
    "fp_gt": {"verdict": "FP", "reason": "genotype"},
    "fp_al": {"verdict": "FP", "reason": "allele"},
}


def _link(run: Run, name: str, row: Row) -> str:
    """Where the variants behind a count are listed."""
    wanted = LINKS.get(name)
    if wanted is None:
        return ""
    query = {**wanted, "type": row.type}
    if row.filter == "PASS" and name != "truth_fn":
        query["filter"] = "PASS"
    return f"{reverse('run-variants', args=[run.uuid])}?{urlencode(query)}"


def errors_chart(
    key: str,
    title: str,
    named: Sequence[tuple[str, Any]],
    *,
    table: Sequence[tuple[str, Any]] | None = None,
    measures: Sequence[Measure] = (MISSED, FALSE),
) -> Chart:
    """1 - recall and 1 - precision of rows on a log axis, with their intervals.

    A row is anything with `recall` and `precision`, their bounds and counts.
    """
    series = [
        _errors(measure, named, *look)
        for measure, look in zip(
            measures, (("1", "circle"), ("3", "square")), strict=True
        )
    ]
    points = [point for each in series for point in each.points]
    return Chart(
        key=key,
        title=title,
        about=_(
            "Less is better. Bars are 95 % confidence intervals: few variants make a "
            "wide one."
        ),
        x=Axis(
            _("share, logarithmic"),
            "log",
            floor=log_floor([float(point.x) for point in points]),
        ),
        y=Axis(kind="band", categories=[name for name, _row in named]),
        series=series,
        height=height_of(len(named), row=34),
        heading=ERRORS_HEADING(),
        rows=[errors_row(name, row) for name, row in table or named],
    )


def _errors(
    measure: Measure, named: Sequence[tuple[str, Any]], colour: str, symbol: Any
) -> Series:
    points = []
    for name, row in named:
        if (value := measure.value(row)) is None:
            continue
        low, high = measure.interval(row) or (None, None)
        text = f"{name}\n{measure.title}: {ratio(value, DIGITS)}"
        if low is not None:
            text += f" ({interval_text(measure, row)})"
        text += f"\n{_behind(measure, row)}"
        points.append(Point(value, name, low, high, text=text))
    name = (
        f"{_('missed')} (1 − recall)"
        if measure is MISSED
        else f"{_('false')} (1 − precision)"
    )
    return Series(name, points, colour, symbol, interval="x")


def _behind(measure: Measure, row: Any) -> str:
    """The counts behind a share."""
    if measure is MISSED:
        of = {"part": count(row.truth_fn), "all": count(row.truth_tp + row.truth_fn)}
        return _("%(part)s of %(all)s known variants") % of
    judged = (row.query_tp or 0) + row.query_fp
    of = {"part": count(row.query_fp), "all": count(judged)}
    return _("%(part)s of %(all)s judged calls") % of


def errors_heading() -> list[str]:
    return [
        _("Of"),
        "TRUTH.TOTAL",
        "TRUTH.FN",
        "QUERY.FP",
        "FP.gt",
        _("Recall"),
        _("its interval"),
        _("Precision"),
        _("its interval"),
        "F1",
    ]


ERRORS_HEADING: Callable[[], list[str]] = errors_heading


def errors_row(name: str, row: Any) -> list[str]:
    from runs.views.measures import PRECISION, RECALL

    return [
        name,
        count(row.truth_total),
        count(row.truth_fn),
        count(row.query_fp),
        count(row.fp_gt),
        ratio(row.recall, DIGITS),
        interval_text(RECALL, row),
        ratio(row.precision, DIGITS),
        interval_text(PRECISION, row),
        ratio(row.f1, DIGITS),
    ]


def curve_charts(curves: Sequence[Curve]) -> list[Chart]:
    """Precision against recall, a chart for each type, with the point of PASS."""
    return [
        _curve_chart(kind, [curve for curve in curves if curve.type == kind])
        for kind in TYPES
        if any(len(curve.points) > 1 for curve in curves if curve.type == kind)
    ]


def _curve_chart(kind: str, curves: Sequence[Curve]) -> Chart:
    field_name = curves[0].field
    series = []
    for curve in curves:
        passing = curve.filter == "PASS"
        points = [_curve_point(field_name, point) for point in curve.points]
        series.append(
            Series(
                _("all calls") if not passing else _("calls that pass"),
                points,
                kind.lower() if passing else "muted",
                "none" if len(points) > 1 else "circle",
                "solid" if passing else "dashed",
            )
        )
        if passing and curve.whole is not None:
            end = [_curve_point(field_name, curve.whole)]
            series.append(Series(_("PASS, no threshold"), end, "bad", "star"))
    return Chart(
        key=f"curve-{kind.lower()}",
        title=_("%(type)s: precision and recall by %(score)s")
        % {"type": kind, "score": field_name},
        about=_("Along a line the threshold of the score falls from left to right."),
        x=Axis(_("Recall")),
        y=Axis(_("Precision")),
        series=series,
        zoom="xy",
        heading=[_("Calls"), field_name, _("Recall"), _("Precision"), "TP", "FN", "FP"],
        rows=[
            _curve_row(curve.filter, point)
            for curve in curves
            for point in [*curve.points, *([curve.whole] if curve.whole else [])]
        ],
    )


def _score(point: CurvePoint) -> str:
    return "–" if point.score is None else f"{point.score:g}"


def _curve_point(name: str, point: CurvePoint) -> Point:
    text = _(
        "%(name)s ≥ %(score)s\nrecall %(recall)s, precision %(precision)s\n"
        "%(tp)s found, %(fn)s missed, %(fp)s false"
    ) % {
        "name": name,
        "score": _score(point),
        "recall": ratio(point.recall, DIGITS),
        "precision": ratio(point.precision, DIGITS),
        "tp": count(point.truth_tp),
        "fn": count(point.truth_fn),
        "fp": count(point.query_fp),
    }
    return Point(point.recall, point.precision, text=text)


def _curve_row(calls: str, point: CurvePoint) -> list[str]:
    return [
        calls,
        _score(point),
        ratio(point.recall, DIGITS),
        ratio(point.precision, DIGITS),
        count(point.truth_tp),
        count(point.truth_fn),
        count(point.query_fp),
    ]
