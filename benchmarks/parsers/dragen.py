"""DRAGEN's metrics CSV files as rows: every value, every percentage, no crash.

Most files have lines of three to five cells without a header: section, scope
(sample, read group or mate), metric, value, percentage. Five kinds have a layout of
their own. What fits nowhere becomes a row as well, so that nothing is lost.

Where a line holds more values than one row can carry, further rows follow with the
same line number and a metric named after the cell.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.parsers.dragen_files import Category, DragenFile, classify
from benchmarks.parsers.errors import ParseError

CLOCK = re.compile(r"(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?)\Z")
# 'PCT of genome with coverage [ 20x: inf)': the padding varies with the version
BRACKETED = re.compile(r"\[[^\])]*[\])]")


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One value of a metrics file.

    `value_text` is the cell as it was written; `value` is None where it is no finite
    number (NA, inf, XX, empty). A time is in seconds. `line` counts from 1.
    """

    category: Category
    kind: str
    section: str
    scope: str
    metric: str
    value_text: str
    value: float | None
    percent: float | None
    line: int
    percent_text: str = ""


Lines = Iterator[tuple[int, list[str]]]
Layout = Callable[[MetricRow, list[str]], Iterator[MetricRow]]


def read_metrics(path: Path, file: DragenFile | None = None) -> list[MetricRow]:
    """All rows of a file; the name tells its kind. Raises ParseError if unreadable."""
    file = file or classify(path.name)
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise ParseError(path, f"cannot be read: {error.strerror}.") from error
    return list(parse_metrics(text, file))


def parse_metrics(text: str, file: DragenFile) -> Iterator[MetricRow]:
    """The rows of a file's content."""
    blank = MetricRow(
        category=file.category or "Summary",
        kind=file.kind,
        section="",
        scope=" ".join(filter(None, (file.region, file.side))),
        metric="",
        value_text="",
        value=None,
        percent=None,
        line=0,
    )
    lines = (
        (number, _cells(line))
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1)
        if line.strip()
    )
    yield from _told_apart(READERS.get(file.kind, _sections)(blank, lines))


def number(text: str) -> float | None:
    """A cell as a finite number, or None."""
    try:
        value = float(text.replace("_", "x"))
    except ValueError:
        return None
    return value if value - value == 0 else None


def _cells(line: str) -> list[str]:
    try:
        # a line at a time: a stray quote must not swallow the rest of the file
        return next(csv.reader([line.replace("\0", "")]), []) or [line]
    except csv.Error:
        return line.split(",")


def _told_apart(rows: Iterator[MetricRow]) -> Iterator[MetricRow]:
    """No two rows of a line have the same metric, and no name is endless."""
    line, seen = 0, set[str]()
    for row in rows:
        if row.line != line:
            line, seen = row.line, set()
        name, count = _short_name(row.metric, 280), 1
        while name in seen:
            count += 1
            name = f"{_short_name(row.metric, 280)} ({count})"
        seen.add(name)
        if name is row.metric and len(row.section) <= 100 and len(row.scope) <= 200:
            yield row
        else:
            yield replace(
                row,
                metric=name,
                section=_short_name(row.section, 100),
                scope=_short_name(row.scope, 200),
            )


def _short_name(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _sections(row: MetricRow, lines: Lines) -> Iterator[MetricRow]:
    for line, cells in lines:
        yield from _sectioned(replace(row, line=line), cells)


def _sectioned(row: MetricRow, cells: list[str]) -> Iterator[MetricRow]:
    """section, scope, metric, value, percentage; shorter lines as far as they go."""
    stripped = [cell.strip() for cell in cells]
    if len(stripped) < 4:
        yield _short(row, stripped)
        return
    section, scope, metric, value, *rest = stripped
    row = replace(row, section=section, scope=scope or row.scope)
    special = SECTIONS.get(section)
    if special is not None:
        yield from special(row, stripped)
        return
    percent = rest[0] if rest else ""
    yield replace(
        _valued(row, _tidy(metric), value),
        percent_text=percent,
        percent=number(percent),
    )
    yield from _further(row, _tidy(metric), rest[1:])


def _short(row: MetricRow, cells: list[str]) -> MetricRow:
    cells = ["", *cells] if len(cells) > 1 else ["", *cells, ""]
    *section, metric, value = cells[-3:]
    return _valued(replace(row, section=" ".join(section)), _tidy(metric), value)


def _further(row: MetricRow, metric: str, cells: list[str]) -> Iterator[MetricRow]:
    """Cells beyond the known ones: kept, each as a row named by its column."""
    for column, cell in enumerate(cells, start=6):
        if cell:
            yield _valued(row, f"{metric} (column {column})", cell)


def _sex(row: MetricRow, cells: list[str]) -> Iterator[MetricRow]:
    """SEX GENOTYPER,,<sample>,<XX|XY|X0>,<confidence>"""
    row = replace(row, scope=cells[2])
    yield _valued(row, "Sex genotype", cells[3])
    if len(cells) > 4:
        yield _valued(row, "Sex genotype confidence", cells[4])
    yield from _further(row, "Sex genotype", cells[5:])


def _run_time(row: MetricRow, cells: list[str]) -> Iterator[MetricRow]:
    """RUN TIME,,<step>,<hh:mm:ss.mmm>,<seconds>"""
    metric = cells[2]
    clock = CLOCK.match(cells[3])
    seconds = _seconds(clock) if clock else number(cells[3])
    yield replace(_valued(row, metric, cells[3]), value=seconds)
    if len(cells) > 4:
        yield _valued(row, f"{metric} (seconds)", cells[4])
    yield from _further(row, metric, cells[5:])


def _fraction(row: MetricRow, cells: list[str]) -> Iterator[MetricRow]:
    """GC BIAS DETAILS,,<metric>,<value>,<fraction>: a fraction, no percentage."""
    metric = _tidy(cells[2])
    yield _valued(row, metric, cells[3])
    if len(cells) > 4:
        yield _valued(row, f"{metric} (fraction)", cells[4])
    yield from _further(row, metric, cells[5:])


def _seconds(clock: re.Match[str]) -> float:
    minutes = int(clock["hours"]) * 60 + int(clock["minutes"])
    return round(minutes * 60 + float(clock["seconds"]), 6)


SECTIONS: dict[str, Layout] = {
    "SEX GENOTYPER": _sex,
    "RUN TIME": _run_time,
    "GC BIAS DETAILS": _fraction,
}


def _contig_means(row: MetricRow, lines: Lines) -> Iterator[MetricRow]:
    """<contig>,<aligned bases>,<mean depth>; the last line sums the autosomes."""
    for line, cells in lines:
        contig, *values = [cell.strip() for cell in cells]
        here = replace(row, line=line)
        for name, value in zip(("bases", "mean depth"), values, strict=False):
            yield _valued(here, f"{contig} {name}", value)
        for column, value in enumerate(values[2:], start=4):
            yield _valued(here, f"{contig} (column {column})", value)
        if not values:
            yield _valued(here, contig, "")


def _table(row: MetricRow, lines: Lines) -> Iterator[MetricRow]:
    """A header, then a key and its values; `#Sample: X` starts a new block."""
    header: list[str] = []
    for line, cells in lines:
        stripped = [cell.strip() for cell in cells]
        if stripped[0].startswith("#"):
            row = replace(row, scope=stripped[0].partition(":")[2].strip())
            header = []
        elif not header and number(stripped[0]) is None:
            header = stripped
        else:
            yield from _table_row(replace(row, line=line), header, stripped)


def _table_row(
    row: MetricRow, header: list[str], cells: list[str]
) -> Iterator[MetricRow]:
    key, *values = cells
    names = header or ["", ""]
    for column, value in enumerate(values or [""], start=1):
        name = names[column] if column < len(names) else f"column {column + 1}"
        metric = f"{names[0]} {key}".strip()
        if len(values) > 1:
            metric = f"{metric}: {name}"
        yield _valued(replace(row, section=name), metric, value)


def _pairs(row: MetricRow, lines: Lines) -> Iterator[MetricRow]:
    """<metric>,<value>; a histogram's values are percentages of all bases."""
    for line, cells in lines:
        stripped = [cell.strip() for cell in cells]
        if len(stripped) < 2:
            yield _short(replace(row, line=line), stripped)
            continue
        *names, value = stripped
        yield _valued(replace(row, line=line), _tidy(",".join(names)), value)


READERS: dict[str, Callable[[MetricRow, Lines], Iterator[MetricRow]]] = {
    "contig_mean_cov": _contig_means,
    "fine_hist": _table,
    "fragment_length_hist": _table,
    "hist": _pairs,
    "overall_mean_cov": _pairs,
}


def _valued(row: MetricRow, metric: str, text: str) -> MetricRow:
    return replace(row, metric=metric, value_text=text, value=number(text))


def _tidy(metric: str) -> str:
    return BRACKETED.sub(lambda found: re.sub(r"\s+", "", found.group()), metric)
