"""Precision-recall curves of a run, thinned from the engine's ROC file.

A ROC file has a row for each score, by subtype and stratum: millions of rows for a
genome with strata. What is drawn are a few hundred points of the whole, kept in a
small file beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.parsers.happy import ExtendedRow, iterate_extended

NAME = "curves.json"
POINTS = 150
"""Of one curve; more cannot be told apart on a screen."""
FILTERS = ("ALL", "PASS")


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What calls with at least this score reach; None stands for all calls."""

    score: float | None
    recall: float
    precision: float
    truth_tp: int
    truth_fn: int
    query_fp: int


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of one type and filter, by falling score; `whole` is without one."""

    type: str
    filter: str
    field: str
    whole: CurvePoint | None
    points: Sequence[CurvePoint]


def thin(roc: Path, target: Path) -> list[Curve]:
    """Make the curves of a ROC file and keep them. Raises `ParseError`."""
    rows: dict[tuple[str, str], list[ExtendedRow]] = {}
    for row in iterate_extended(roc):
        whole = (row.subtype, row.subset, row.genotype) == ("*", "*", "*")
        if whole and row.filter in FILTERS:
            rows.setdefault((row.type, row.filter), []).append(row)
    curves = [_curve(*key, found) for key, found in sorted(rows.items(), reverse=True)]
    target.write_text(json.dumps([asdict(curve) for curve in curves]))
    return curves


def read(path: Path) -> list[Curve]:
    """The curves that were kept; none where there is no such file."""
    try:
        return [_read(entry) for entry in json.loads(path.read_text())]
    except FileNotFoundError:
        return []


def _read(entry: dict[str, Any]) -> Curve:
    whole, points = entry.pop("whole"), entry.pop("points")
    return Curve(
        **entry,
        whole=CurvePoint(**whole) if whole else None,
        points=[CurvePoint(**point) for point in points],
    )


def _curve(kind: str, passing: str, rows: Sequence[ExtendedRow]) -> Curve:
    by_score = sorted(
        (point for row in rows if row.qq is not None and (point := _point(row))),
        key=lambda point: -(point.score or 0),
    )
    whole = next((_point(row) for row in rows if row.qq is None), None)
    return Curve(kind, passing, rows[0].qq_field, whole, _thinned(by_score))


def _point(row: ExtendedRow) -> CurvePoint | None:
    if row.recall is None or row.precision is None:
        return None
    return CurvePoint(
        row.qq,
        row.recall,
        row.precision,
        row.truth_tp.total,
        row.truth_fn.total,
        row.query_fp.total,
    )


def _thinned(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """First, last, and those between that lie far enough along the curve.

    Distance is counted in the ranges that recall and precision span.
    """
    if len(points) <= POINTS:
        return list(points)
    wide = _span([point.recall for point in points])
    high = _span([point.precision for point in points])
    way = [0.0]
    for before, after in pairwise(points):
        step = abs(after.recall - before.recall) / wide
        way.append(way[-1] + step + abs(after.precision - before.precision) / high)
    kept, following = [points[0]], way[-1] / POINTS
    for point, at in zip(points[1:-1], way[1:-1], strict=True):
        if at >= following:
            kept.append(point)
            following = at + way[-1] / POINTS
    return [*kept, points[-1]]


def _span(values: Sequence[float]) -> float:
    return (max(values) - min(values)) or 1.0
