"""What a chart shows, as static/js/charts.js draws it.

A page includes `components/chart.html` with a `Chart`; beside the drawing stands the
same as a table (`heading`, `rows`), for whoever does not see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Scale = Literal["linear", "log", "time", "band"]
Tone = Literal["good", "warn", "bad", "busy", "muted"]
Symbol = Literal["circle", "square", "diamond", "triangle", "cross", "star", "wye"]
Line = Literal["none", "solid", "dashed", "dotted", "step"]
SYMBOLS: Sequence[Symbol] = (
    "circle",
    "square",
    "triangle",
    "diamond",
    "cross",
    "star",
    "wye",
)
LINES: Sequence[Line] = ("solid", "dashed", "dotted")


@dataclass(frozen=True, slots=True)
class Axis:
    """`kind` time takes ISO times or milliseconds, band one of `categories`.

    `format`: `plain`, `count`, `percent` (of a share of 1), `date`, `short` (1.2M).
    `floor` is where a log axis puts what is zero; its tick says 0.
    """

    label: str = ""
    kind: Scale = "linear"
    format: Literal["plain", "count", "percent", "date", "short"] = "plain"
    domain: tuple[float, float] | None = None
    categories: Sequence[str] = ()
    floor: float | None = None
    zero: bool = False
    """Whether a linear axis begins at zero."""


@dataclass(frozen=True, slots=True)
class Point:
    """`low` and `high` are its interval; `text` is what is said of it; `href` is where
    a click or Enter leads. A `tone` puts a ring around it; a `symbol` is its own, not
    that of its series."""

    x: float | str
    y: float | str
    low: float | None = None
    high: float | None = None
    text: str = ""
    href: str = ""
    tone: Tone | Literal[""] = ""
    symbol: Symbol | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Series:
    """`colour` is a class of charts.css: snp, indel, a tone, or 1 to 8. `interval` is
    the axis along which intervals lie. Colours are never the only difference."""

    name: str
    points: Sequence[Point]
    colour: str = "1"
    symbol: Symbol | Literal["none"] = "circle"
    line: Line = "none"
    hollow: bool = False
    bar: bool = False
    interval: Literal["x", "y"] = "y"


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the chart."""

    axis: Literal["x", "y"]
    at: float | str
    label: str = ""
    line: Line = "dashed"
    tone: Tone = "muted"


@dataclass(frozen=True, slots=True)
class Band:
    """A coloured range across the chart."""

    axis: Literal["x", "y"]
    start: float
    end: float
    label: str = ""
    tone: Tone = "muted"


@dataclass(frozen=True, slots=True)
class Chart:
    """`key` is unique on its page; `zoom` are the axes that can be zoomed."""

    key: str
    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    about: str = ""
    marks: Sequence[Mark] = ()
    bands: Sequence[Band] = ()
    height: int = 300
    zoom: Literal["", "x", "y", "xy"] = ""
    heading: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()

    @property
    def data_id(self) -> str:
        return f"{self.key}-data"

    @property
    def data(self) -> dict[str, Any]:
        """For `json_script`; what is empty is left out."""
        names = ("x", "y", "series", "marks", "bands", "height", "zoom", "title")
        whole = asdict(self)
        data: dict[str, Any] = _without_nothing({name: whole[name] for name in names})
        return data

    @property
    def count(self) -> int:
        return sum(len(series.points) for series in self.series)


def log_floor(values: Iterable[float | None]) -> float:
    """Half of the smallest positive value: where zero goes on a log axis."""
    positive = [value for value in values if value and value > 0]
    return min(positive) / 2 if positive else 1e-4


def height_of(categories: int, *, row: int = 26) -> int:
    """Pixels that a chart with so many rows needs."""
    return 70 + row * max(2, categories)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_nothing(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if not _is_nothing(inner)}
    if isinstance(value, list | tuple):
        return [_without_nothing(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _is_nothing(value: Any) -> bool:
    """Zero is something."""
    return value is None or value is False or value in ("", [])
