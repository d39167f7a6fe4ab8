"""A report as PDF, by ReportLab: wheels alone, no browser and no system library."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path as File
from typing import Any, Literal, cast

import reportlab
from django.utils.translation import gettext as _
from reportlab.graphics import shapes
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
)
from reportlab.platypus import Table as Grid

from runs.charts import Chart
from runs.drawing import Drawing, Path, Words, draw
from runs.report import Report, Section, Table

MARGIN = 14 * mm
OPENING, TABLE = 38 * mm, 20 * mm
"""What the opening of a section, or of a table, and its first rows take at most."""
PADDING = 6
"""Of the frame that ReportLab puts around a page."""
WIDTH = A4[0] - 2 * MARGIN - 2 * PADDING
PLAIN, BOLD = "Vera", "VeraBd"
"""ReportLab brings them; they have the minus, the dots and French."""
LINE, MUTED, ACCENT = (colors.HexColor(c) for c in ("#d6dde3", "#51606e", "#0a5f6b"))
TONES = {"warning": "#7a4d00", "success": "#14693f", "info": "#1d4f9e"}
SIZE, GAP = 6.8, 7.0
"""Points: the letters of tables, and between their columns."""
Anchor = Literal["start", "middle", "end"]
CHART = 460
"""Pixels that a chart is laid out in before it is scaled to half of the page."""


def _style(size: float, *, bold: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}{bold}",
        fontName=BOLD if bold else PLAIN,
        fontSize=size,
        leading=size * 1.3,
        splitLongWords=1,
    )


BODY = _style(8.5)
TITLE = _style(17, bold=True)
TITLE.spaceAfter = 8
HEAD = _style(11.5, bold=True)
HEAD.spaceBefore, HEAD.spaceAfter, HEAD.textColor = 12, 5, ACCENT
CAPTION = _style(8.5, bold=True)
CAPTION.spaceBefore, CAPTION.spaceAfter = 6, 3
CELL, COLUMN = _style(SIZE), _style(SIZE, bold=True)
COLUMN.textColor = MUTED


def pdf(report: Report) -> bytes:
    _fonts()
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 4 * mm,
        title=report.title,
        author="VCBench",
    )
    foot = _Foot(report)
    document.build(list(_story(report)), onFirstPage=foot, onLaterPages=foot)
    return target.getvalue()


def _fonts() -> None:
    if PLAIN in pdfmetrics.getRegisteredFontNames():
        return
    folder = File(reportlab.__file__).parent / "fonts"
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD)


class _Foot:
    """Title, when it was written, and the number of the page."""

    def __init__(self, report: Report) -> None:
        self.text = f"{report.title} · {report.made}"

    def __call__(self, canvas: object, document: object) -> None:
        canvas.setFont(PLAIN, 7)  # type: ignore[attr-defined]
        canvas.setFillColor(MUTED)  # type: ignore[attr-defined]
        canvas.drawString(MARGIN, 9 * mm, self.text)  # type: ignore[attr-defined]
        page = _("page %d") % document.page  # type: ignore[attr-defined]
        canvas.drawRightString(A4[0] - MARGIN, 9 * mm, page)  # type: ignore[attr-defined]


def _story(report: Report) -> Iterator[Flowable]:
    yield Paragraph(escape(report.title), TITLE)
    yield _facts(report.facts)
    for kind, text in report.findings:
        sign = f"<b>{escape(_('Look:'))}</b> " if kind == "warning" else ""
        yield _boxed(f"{sign}{escape(text)}", TONES[kind])
    for section in report.sections:
        yield from _section(section)


def _facts(facts: Sequence[tuple[str, str]]) -> Flowable:
    rows = [
        [Paragraph(escape(name), COLUMN), Paragraph(escape(text), CELL)]
        for name, text in facts
    ]
    style = [
        ("TOPPADDING", (0, 0), (-1, -1), 0.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ]
    grid = Grid(rows, [45 * mm, WIDTH - 45 * mm], style=style, hAlign="LEFT")
    grid.spaceAfter = 8
    return grid


def _boxed(text: str, tone: str) -> Flowable:
    style: list[Any] = [
        ("LINEBEFORE", (0, 0), (0, -1), 3, colors.HexColor(tone)),
        ("BOX", (0, 0), (-1, -1), 0.5, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 8),
    ]
    box = Grid([[Paragraph(text, BODY)]], [WIDTH], style=style, hAlign="LEFT")
    box.spaceAfter = 4
    return box


def _section(section: Section) -> Iterator[Flowable]:
    yield CondPageBreak(OPENING)
    yield Paragraph(escape(section.title), HEAD)
    if section.note:
        yield Paragraph(escape(section.note), BODY)
    yield Spacer(1, 4)
    for table in section.tables:
        if table.title:
            yield CondPageBreak(TABLE)
            yield Paragraph(escape(table.title), CAPTION)
        yield _grid(table)
    yield from _charts(section.charts)


def _grid(table: Table) -> Flowable:
    widths = _widths(table)
    rows: list[list[Any]] = [
        [_cell(text, width, COLUMN) for text, width in zip(row, widths, strict=True)]
        for row in [table.heading]
    ]
    rows += [
        [_cell(text, width, CELL) for text, width in zip(row, widths, strict=True)]
        for row in table.rows
    ]
    style: list[Any] = [
        ("FONT", (0, 0), (-1, -1), PLAIN, SIZE, SIZE * 1.3),
        ("FONT", (0, 0), (-1, 0), BOLD, SIZE, SIZE * 1.3),
        ("TEXTCOLOR", (0, 0), (-1, 0), MUTED),
        ("ALIGN", (table.words, 0), (-1, -1), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.75, MUTED),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), GAP),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ]
    grid = Grid(rows, widths, style=style, repeatRows=1, hAlign="LEFT")
    grid.spaceAfter = 6
    return grid


def _cell(text: str, width: float, style: ParagraphStyle) -> Flowable | str:
    """A paragraph only where a line would not do: they are slow to lay out."""
    if _long(text, style.fontName) <= width - GAP:
        return text
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


def _long(text: str, font: str = PLAIN) -> float:
    """Of the longest of its lines, in points."""
    return max(pdfmetrics.stringWidth(line, font, SIZE) for line in text.split("\n"))


def _widths(table: Table) -> list[float]:
    """Numbers get what they need; words share the rest by what they would need."""
    wanted = [
        max(_long(table.heading[at], BOLD), *(_long(row[at]) for row in table.rows), 8)
        + GAP
        + 0.5
        for at in range(len(table.heading))
    ]
    spare = WIDTH - sum(wanted)
    if spare >= 0:
        return [each + spare / len(wanted) for each in wanted]
    words, numbers = wanted[: table.words], wanted[table.words :]
    room = WIDTH - sum(numbers)
    fair = room / len(words)
    narrow = sum(each for each in words if each <= fair)
    by = (room - narrow) / sum(each for each in words if each > fair)
    return [*(each if each <= fair else each * by for each in words), *numbers]


def _charts(charts: Sequence[Chart]) -> Iterator[Flowable]:
    """Two beside each other."""
    for at in range(0, len(charts), 2):
        cells = [_chart(chart) for chart in charts[at : at + 2]]
        row = [*cells, *([""] if len(cells) == 1 else [])]
        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ]
        yield Grid([row], [WIDTH / 2, WIDTH / 2], style=style, hAlign="LEFT")


def _chart(chart: Chart) -> list[Flowable]:
    drawing = draw(chart, width=CHART)
    scale = (WIDTH / 2 - 6) / drawing.width
    return [Paragraph(escape(chart.title), CAPTION), _drawn(drawing, scale)]


def _drawn(drawing: Drawing, scale: float) -> Flowable:
    """ReportLab counts upwards from the lower left."""
    found = shapes.Drawing(drawing.width * scale, drawing.height * scale)
    group = shapes.Group()
    for shape in drawing.shapes:
        group.add(
            _words(shape, drawing.height)
            if isinstance(shape, Words)
            else _path(shape, drawing.height)
        )
    group.scale(scale, scale)
    found.add(group)
    return found


def _words(words: Words, height: float) -> shapes.Group:
    text = shapes.String(
        0,
        0,
        words.text,
        fontName=PLAIN,
        fontSize=words.size,
        fillColor=colors.HexColor(words.colour),
        textAnchor=cast(Anchor, words.anchor),
    )
    group = shapes.Group(text)
    group.translate(words.at[0], height - words.at[1])
    if words.turned:
        group.rotate(words.turned)
    return group


def _path(path: Path, height: float) -> shapes.Shape:
    points = [value for x, y in path.points for value in (x, height - y)]
    stroke = colors.HexColor(path.stroke)
    if path.closed:
        fill = colors.HexColor(path.fill) if path.fill else None
        return shapes.Polygon(
            points, fillColor=fill, strokeColor=stroke, strokeWidth=path.width
        )
    return shapes.PolyLine(
        points,
        strokeColor=stroke,
        strokeWidth=path.width,
        strokeDashArray=path.dash or cast(Any, None),
    )
