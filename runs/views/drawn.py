"""Charts of a comparison: errors on a log axis, precision-recall curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from django.utils.translation import gettext as _

from benchmarks.contigs import ContigCounts
from benchmarks.curves import Curve, CurvePoint
from runs.charts import Axis, Chart, Point, Series, Symbol, Tone, height_of, log_floor
from runs.templatetags.portal import count, ratio
from runs.views.headlines import TYPES
from runs.views.measures import FALSE, MISSED, PRECISION, RECALL, Measure

DIGITS = 6
"""As hap.py writes its ratios."""


def interval_text(measure: Measure, row: Any) -> str:
    bounds = measure.interval(row)
    if bounds is None:
        return ""
    return f"{ratio(bounds[0], 5)} – {ratio(bounds[1], 5)}"


def errors_chart(
    key: str,
    title: str,
    named: Sequence[tuple[str, Any]],
    *,
    heading: Sequence[str] = (),
    table: Sequence[Sequence[str]] = (),
) -> Chart:
    """1 - recall and 1 - precision of rows on a log axis, with their intervals.

    A row is anything with `recall` and `precision`, their bounds and counts. The
    table beside is made of the same rows unless it is given.
    """
    series = [
        _errors(MISSED, f"{_('missed')} ({MISSED.title})", named, "1", "circle"),
        _errors(FALSE, f"{_('false')} ({FALSE.title})", named, "3", "square"),
    ]
    points = [point for each in series for point in each.points]
    return Chart(
        key=key,
        title=title,
        about=_(
            "Less is better. Bars are confidence intervals (95 %): few variants make a "
            "wide one."
        ),
        x=Axis(
            _("share, logarithmic"),
            "log",
            floor=_floor(points),
        ),
        y=Axis(kind="band", categories=[name for name, _row in named]),
        series=series,
        height=height_of(len(named), row=34),
        heading=heading or errors_heading(),
        rows=table or [errors_row(name, row) for name, row in named],
    )


def _floor(points: Sequence[Point]) -> float:
    """Left of everything, but not so far that tiny bounds push the rest together."""
    shares = log_floor(float(point.x) for point in points)
    bounds = log_floor(b for point in points for b in (point.low, point.high))
    return max(min(shares, bounds), shares / 10)


def _errors(
    measure: Measure,
    title: str,
    named: Sequence[tuple[str, Any]],
    colour: str,
    symbol: Symbol,
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
    return Series(title, points, colour, symbol, interval="x")


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


def errors_row(name: str, row: Any) -> list[str]:
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
        if any(_is_curve(curve) for curve in curves if curve.type == kind)
    ]


def _is_curve(curve: Curve) -> bool:
    """Whether the score tells calls apart at all."""
    return len({(point.recall, point.precision) for point in curve.points}) > 2


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
        x=Axis(_("Recall"), domain=_up_to_one(series, "x")),
        y=Axis(_("Precision"), domain=_up_to_one(series, "y")),
        series=series,
        zoom="xy",
        heading=[_("Calls"), field_name, _("Recall"), _("Precision"), "TP", "FN", "FP"],
        rows=[
            _curve_row(curve.filter, point)
            for curve in curves
            for point in [*curve.points, *([curve.whole] if curve.whole else [])]
        ],
    )


def _up_to_one(series: Sequence[Series], name: str) -> tuple[float, float]:
    """No share is more than 1, so that no axis shows more."""
    values = [float(getattr(p, name)) for each in series for p in each.points]
    lowest, highest = min(values), max(values)
    room = max(highest - lowest, 0.001) * 0.05
    return max(0.0, lowest - room), min(1.0, highest + room)


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


def contig_chart(counted: Sequence[ContigCounts]) -> Chart:
    """Missed and false shares by contig; those without a true positive are ringed."""
    missed = [_contig_point(row, row.recall) for row in counted]
    false = [_contig_point(row, row.precision) for row in counted]
    series = [
        Series(_("missed"), [point for point in missed if point], "1", "circle"),
        Series(_("false"), [point for point in false if point], "3", "square"),
    ]
    return Chart(
        key="contigs",
        title=_("By contig, all calls"),
        about=_("Less is better. A ring marks a contig of which nothing was found."),
        x=Axis(kind="band", categories=[row.contig for row in counted]),
        y=Axis(
            _("share, logarithmic"),
            "log",
            floor=log_floor(float(p.y) for each in series for p in each.points),
        ),
        series=series,
    )


def _contig_point(row: ContigCounts, share: float | None) -> Point | None:
    if share is None:
        return None
    tone: Tone | Literal[""] = "bad" if row.nothing_found else ""
    return Point(row.contig, 1 - share, text=_contig_text(row), tone=tone)


def _contig_text(row: ContigCounts) -> str:
    return _("%(contig)s: %(tp)s found, %(fn)s missed, %(fp)s false") % {
        "contig": row.contig,
        "tp": count(row.truth_tp),
        "fn": count(row.fn),
        "fp": count(row.fp),
    }
