"""Charts as shapes."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from runs.charts import Axis, Chart, Mark, Point, Series
from runs.drawing import SHAPES, Path, Words, draw, svg


def chart(x: Axis, *points: Point, y: Axis | None = None, **more: object) -> Chart:
    series = Series("a <b>", points, interval="x")
    return Chart("k", "T", x, y or Axis(), [series], **more)  # type: ignore[arg-type]


def words(found: Chart) -> list[str]:
    return [s.text for s in draw(found).shapes if isinstance(s, Words)]


def symbols(found: Chart) -> list[Path]:
    shapes = draw(found).shapes
    return [s for s in shapes if isinstance(s, Path) and s.closed]


def middle(path: Path) -> tuple[float, float]:
    xs, ys = zip(*path.points, strict=True)
    return round((min(xs) + max(xs)) / 2), round((min(ys) + max(ys)) / 2)


def test_points_lie_where_their_values_are() -> None:
    low, half, high = symbols(chart(Axis(), Point(0, 0), Point(5, 5), Point(10, 10)))

    left, bottom = middle(low)
    right, top = middle(high)
    assert left < right
    assert top < bottom
    assert middle(half) == (round((left + right) / 2), round((top + bottom) / 2))


def test_a_logarithmic_axis_has_zero_at_its_floor() -> None:
    axis = Axis(kind="log", floor=0.0005)

    drawn = chart(axis, Point(0, 1), Point(0.001, 2), Point(0.1, 3))

    texts = words(drawn)
    assert "0" in texts
    assert "0.01" in texts
    zero, small, large = (middle(path)[0] for path in symbols(drawn))
    assert zero < small < large


def test_categories_keep_their_order_and_intervals_their_ends() -> None:
    bands = Axis(kind="band", categories=["up", "down"])
    points = Point(5, "up", 4, 6), Point(5, "down")

    drawn = chart(Axis(), *points, y=bands)

    assert {"up", "down"} <= set(words(drawn))
    first, second = symbols(drawn)
    assert middle(first)[1] < middle(second)[1]
    whisker = [
        shape
        for shape in draw(drawn).shapes
        if isinstance(shape, Path) and shape.width == 1.5
    ]
    assert len(whisker) == 3


def test_marks_and_legends_are_named() -> None:
    one, two = Series("one", [Point(1, 1)]), Series("two", [Point(2, 2)])
    marks = [Mark("y", 1.5, "limit"), Mark("x", 1.5, "day")]
    found = Chart("k", "T", Axis("wide"), Axis("high"), [one, two], marks=marks)

    assert {"one", "two", "limit", "day", "wide", "high"} <= set(words(found))


def test_the_axis_holds_the_marks_too() -> None:
    one = Series("one", [Point(0, 5), Point(1, 6)])
    near = Chart("k", "T", Axis(), Axis(), [one])
    marked = Chart("k", "T", Axis(), Axis(), [one], marks=[Mark("y", 50, "limit")])

    apart = [
        abs(middle(first)[1] - middle(second)[1])
        for first, second in map(symbols, (near, marked))
    ]

    assert apart[1] < apart[0] / 10


def test_one_value_is_no_fault() -> None:
    assert len(symbols(chart(Axis(), Point(3, 3)))) == 1
    assert symbols(chart(Axis())) == []


def test_time_is_left_to_the_page() -> None:
    with pytest.raises(ValueError, match="over time"):
        draw(chart(Axis(kind="time"), Point(1, 1)))


@pytest.mark.parametrize("name", SHAPES)
def test_symbols_lie_around_their_place(name: str) -> None:
    points = SHAPES[name](4)

    assert max(abs(value) for point in points for value in point) < 8


def test_svg_stands_by_itself_and_escapes_its_texts() -> None:
    one, two = Series("<b>", [Point(1, 1)]), Series("c", [Point(2, 2)])
    text = svg(draw(Chart("k", "T", Axis(), Axis(), [one, two])), '<"T">')

    tree = LexborHTMLParser(text)
    assert tree.css("svg")[0].attributes["aria-label"] == '<"T">'
    assert "<b>" in [node.text() for node in tree.css("text")]
    assert not tree.css("b")
