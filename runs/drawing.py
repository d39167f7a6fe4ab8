"""Charts as plain shapes, for pages without script and for PDF.

The same `Chart` that static/js/charts.js draws in a page is laid out here once more,
without what moves. Coordinates are pixels from the upper left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from runs.charts import Axis, Chart, Point, Series
from runs.templatetags.signed import figure

WIDTH = 640
SMALL, NORMAL = 10.0, 11.0
COLOURS = {
    "1": "#0a5f6b", "2": "#7b3f98", "3": "#9a4a00", "4": "#1d4f9e", "5": "#a3201a",
    "6": "#14693f", "7": "#8a2f63", "8": "#51606e", "snp": "#0a5f6b",
    "indel": "#7b3f98", "good": "#14693f", "warn": "#7a4d00", "bad": "#a3201a",
    "busy": "#1d4f9e", "muted": "#51606e",
}  # fmt: skip
"""Those of charts.css and tokens.css in their light scheme, for paper."""
TEXT, GRID = "#18222c", "#d6dde3"
DASHES = {"dashed": (7.0, 4.0), "dotted": (2.0, 4.0)}
XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Path:
    """A line through the points; filled where it is closed and `fill` is set."""

    points: Sequence[XY]
    stroke: str = ""
    fill: str = ""
    width: float = 1.0
    dash: tuple[float, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """`anchor` is start, middle or end; `turned` counter-clockwise in degrees."""

    at: XY
    text: str
    anchor: str = "start"
    size: float = NORMAL
    colour: str = TEXT
    turned: float = 0


Shape = Path | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    shapes: Sequence[Shape]


@dataclass(frozen=True, slots=True)
class Scale:
    """From the values of an axis to pixels."""

    axis: Axis
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float | str) -> float:
        """Of a category, its middle; what is beyond the axis stays at its end."""
        if self.axis.kind == "band":
            number = list(self.axis.categories).index(str(value))
            return self.start + (number + 0.5) * self.step
        share = (self._of(float(value)) - self._of(self.low)) / (
            self._of(self.high) - self._of(self.low)
        )
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def _of(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.axis.kind == "log" else value

    @property
    def step(self) -> float:
        return (self.end - self.start) / max(1, len(self.axis.categories))

    def ticks(self) -> list[tuple[float, str]]:
        if self.axis.kind == "band":
            return [(self(name), name) for name in self.axis.categories]
        values = _log_ticks if self.axis.kind == "log" else _ticks
        found = [
            (self(value), figure(value, 7)) for value in values(self.low, self.high)
        ]
        if self.axis.floor:
            found = [(at, text) for at, text in found if abs(at - self.start) > 24]
            found.insert(0, (self.start, "0"))
        return found


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers."""
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * by for by in (1, 2, 5, 10) if power * by >= rough)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) < 4 else (1,)
    found = [float(f"{by}e{power}") for power in powers for by in steps]
    return [value for value in found if low < value <= high]


def draw(chart: Chart, *, width: float = WIDTH) -> Drawing:
    return _Sheet(chart, width).drawing()


class _Sheet:
    """Room for the axes, then the scales, then the shapes."""

    def __init__(self, chart: Chart, width: float) -> None:
        self.chart = chart
        names = chart.y.categories if chart.y.kind == "band" else ()
        self.left = min(width * 0.35, max([46.0, *map(_length, names)]) + 10) + (
            16 if chart.y.label else 0
        )
        self.right, self.top = width - 12, 8.0
        self.tilted = chart.x.kind == "band"
        longest = max([0.0, *map(_length, chart.x.categories)]) if self.tilted else 14.0
        self.bottom = self.top + max(110.0, chart.height - 70.0)
        self.below = longest + (16 if chart.x.label else 0) + 8
        self.width = width
        self.x = self._scale(chart.x, "x", self.left, self.right)
        upwards = chart.y.kind == "band"
        ends = (self.top, self.bottom) if upwards else (self.bottom, self.top)
        self.y = self._scale(chart.y, "y", *ends)

    def drawing(self) -> Drawing:
        shapes = [*self._axes(), *self._marks()]
        for number, series in enumerate(self.chart.series):
            shapes += self._series(series, number)
        shapes += self._legend()
        rows = len(self.chart.series) if len(self.chart.series) > 1 else 0
        height = self.bottom + self.below + (20 if rows else 0)
        return Drawing(self.width, height, shapes)

    def _scale(self, axis: Axis, name: str, start: float, end: float) -> Scale:
        if axis.kind == "band":
            return Scale(axis, 0, 1, start, end)
        if axis.kind == "time":
            raise ValueError("Charts over time are drawn by the page alone.")
        values = list(self._values(name)) or [0.0, 1.0]
        low, high = axis.domain or (min(values), max(values))
        if axis.kind == "log":
            low = axis.floor or min(v for v in values if v > 0)
            return Scale(axis, low, max(high, low * 2) * 1.3, start, end)
        if axis.domain:
            return Scale(axis, low, high, start, end)
        room = (high - low or abs(high) or 1) * 0.05
        return Scale(axis, low - room, high + room, start, end)

    def _values(self, name: str) -> Iterator[float]:
        for series in self.chart.series:
            for point in series.points:
                yield float(point.x if name == "x" else point.y)
                if series.interval == name:
                    yield from (v for v in (point.low, point.high) if v is not None)
        yield from (float(m.at) for m in self.chart.marks if m.axis == name)

    def _axes(self) -> Iterator[Shape]:
        for at, text in self.x.ticks():
            yield Path([(at, self.top), (at, self.bottom)], GRID)
            if self.tilted:
                spot = (at + 3, self.bottom + 6)
                yield Words(spot, text, "end", SMALL, turned=90)
            else:
                yield Words((at, self.bottom + 13), text, "middle", SMALL)
        for at, text in self.y.ticks():
            if self.chart.y.kind != "band":
                yield Path([(self.left, at), (self.right, at)], GRID)
            most = int(self.left / 5.2)
            short = text if len(text) <= most else f"{text[: most - 1]}…"
            yield Words((self.left - 6, at + 3.5), short, "end", SMALL)
        corner = (self.left, self.bottom)
        yield Path([(self.left, self.top), corner, (self.right, self.bottom)], TEXT)
        yield from self._labels()

    def _labels(self) -> Iterator[Shape]:
        if self.chart.x.label:
            middle = (self.left + self.right) / 2
            spot = (middle, self.bottom + self.below - 6)
            yield Words(spot, self.chart.x.label, "middle")
        if self.chart.y.label:
            spot = (11, (self.top + self.bottom) / 2)
            yield Words(spot, self.chart.y.label, "middle", turned=90)

    def _marks(self) -> Iterator[Shape]:
        for mark in self.chart.marks:
            colour, dash = COLOURS[mark.tone], DASHES.get(mark.line, ())
            if mark.axis == "x":
                at = self.x(mark.at)
                ends = [(at, self.top), (at, self.bottom)]
                spot = (at + 3, self.top + 10)
            else:
                at = self.y(mark.at)
                ends = [(self.left, at), (self.right, at)]
                spot = (self.left + 4, at - 3)
            yield Path(ends, colour, dash=dash)
            if mark.label:
                yield Words(spot, mark.label, size=SMALL, colour=colour)

    def _series(self, series: Series, number: int) -> Iterator[Shape]:
        colour = COLOURS.get(series.colour, COLOURS["1"])
        spots = [self._spot(point, number) for point in series.points]
        if series.line != "none" and len(spots) > 1:
            yield Path(spots, colour, width=1.75, dash=DASHES.get(series.line, ()))
        for point, spot in zip(series.points, spots, strict=True):
            yield from self._whisker(series, point, spot, colour)
            if series.symbol != "none":
                yield symbol(series.symbol, spot, colour, hollow=series.hollow)
            if point.tone:
                yield symbol("circle", spot, COLOURS[point.tone], size=7, hollow=True)

    def _spot(self, point: Point, number: int) -> XY:
        """Series lie beside each other within a category."""
        count = len(self.chart.series)
        aside = (number + 0.5) / count - 0.5
        x, y = self.x(point.x), self.y(point.y)
        if self.chart.x.kind == "band":
            x += aside * self.x.step * 0.8
        if self.chart.y.kind == "band":
            y += aside * self.y.step * 0.8
        return x, y

    def _whisker(
        self, series: Series, point: Point, spot: XY, colour: str
    ) -> Iterator[Shape]:
        if point.low is None or point.high is None:
            return
        if series.interval == "x":
            ends = [(self.x(point.low), spot[1]), (self.x(point.high), spot[1])]
            caps = [(0.0, -3.5), (0.0, 3.5)]
        else:
            ends = [(spot[0], self.y(point.low)), (spot[0], self.y(point.high))]
            caps = [(-3.5, 0.0), (3.5, 0.0)]
        yield Path(ends, colour, width=1.5)
        for x, y in ends:
            yield Path([(x + dx, y + dy) for dx, dy in caps], colour, width=1.5)

    def _legend(self) -> Iterator[Shape]:
        if len(self.chart.series) < 2:
            return
        x, y = self.left, self.bottom + self.below + 8
        for series in self.chart.series:
            colour = COLOURS.get(series.colour, COLOURS["1"])
            if series.line != "none":
                dash = DASHES.get(series.line, ())
                yield Path([(x, y), (x + 22, y)], colour, width=1.75, dash=dash)
            if series.symbol != "none":
                yield symbol(series.symbol, (x + 11, y), colour, hollow=series.hollow)
            yield Words((x + 27, y + 3.5), series.name, size=SMALL)
            x += 27 + _length(series.name) + 18


def _length(text: str) -> float:
    """About how long a text of small letters is."""
    return len(text) * 5.6


def _polygon(corners: int, radius: float, turned: float) -> list[XY]:
    steps = (turned + 2 * math.pi * at / corners for at in range(corners))
    return [(radius * math.cos(a), radius * math.sin(a)) for a in steps]


def _star(radius: float) -> list[XY]:
    outer, inner = _polygon(5, radius, -math.pi / 2), _polygon(5, radius / 2.4, -0.942)
    return [spot for pair in zip(outer, inner, strict=True) for spot in pair]


def _cross(radius: float) -> list[XY]:
    a, b = radius, radius / 3
    return [
        (-a, -b), (-b, -b), (-b, -a), (b, -a), (b, -b), (a, -b),
        (a, b), (b, b), (b, a), (-b, a), (-b, b), (-a, b),
    ]  # fmt: skip


SHAPES: dict[str, Callable[[float], list[XY]]] = {
    "circle": lambda size: _polygon(16, size, 0),
    "square": lambda size: _polygon(4, size * 1.2, math.pi / 4),
    "diamond": lambda size: _polygon(4, size * 1.2, 0),
    "triangle": lambda size: _polygon(3, size * 1.25, -math.pi / 2),
    "wye": lambda size: _polygon(3, size * 1.25, math.pi / 2),
    "star": lambda size: _star(size * 1.4),
    "cross": lambda size: _cross(size * 1.1),
}


def symbol(
    name: str, at: XY, colour: str, *, size: float = 4, hollow: bool = False
) -> Path:
    points = [(at[0] + x, at[1] + y) for x, y in SHAPES[name](size)]
    return Path(points, colour, "" if hollow else colour, 1.25, closed=True)


def svg(drawing: Drawing, title: str) -> SafeString:
    """An SVG that stands by itself."""
    parts = "".join(map(_svg_shape, drawing.shapes))
    size = f"{drawing.width:.0f} {drawing.height:.0f}"
    return mark_safe(  # noqa: S308 - every text is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif">{parts}</svg>'
    )


def _svg_shape(shape: Shape) -> str:
    if isinstance(shape, Words):
        x, y = shape.at
        turn = f' transform="rotate({-shape.turned:g} {x:.1f} {y:.1f})"'
        return (
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{shape.anchor}" '
            f'font-size="{shape.size:g}" fill="{shape.colour}"'
            f"{turn if shape.turned else ''}>{escape(shape.text)}</text>"
        )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    dash = f' stroke-dasharray="{" ".join(map(str, shape.dash))}"' if shape.dash else ""
    return (
        f'<{"polygon" if shape.closed else "polyline"} points="{points}" '
        f'fill="{shape.fill or "none"}" stroke="{shape.stroke}" '
        f'stroke-width="{shape.width:g}"{dash}/>'
    )
