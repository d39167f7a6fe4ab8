"""hap.py's metrics files as rows, whichever engine and version wrote them.

hap.py writes 0.0 where Recall, Precision or Frac_NA had nothing to divide by; here
that is None, and the denominators stay in the row. `.` and blank both mean none.
Older versions have no FP.al column in the summary, and the confidence intervals
(`METRIC.*.Lower`/`.Upper`) appear only with `--ci-alpha`.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from benchmarks.parsers.errors import ParseError

COUNTED = (
    "TRUTH.TOTAL",
    "TRUTH.TP",
    "TRUTH.FN",
    "QUERY.TOTAL",
    "QUERY.TP",
    "QUERY.FP",
    "QUERY.UNK",
)
SUMMARY_NEEDS = (
    "Type",
    "Filter",
    "TRUTH.TOTAL",
    "TRUTH.TP",
    "TRUTH.FN",
    "QUERY.TOTAL",
    "QUERY.FP",
    "QUERY.UNK",
    "METRIC.Recall",
    "METRIC.Precision",
    "METRIC.Frac_NA",
    "METRIC.F1_Score",
)
EXTENDED_NEEDS = (
    "Type",
    "Subtype",
    "Subset",
    "Filter",
    "Genotype",
    "QQ",
    "METRIC.Recall",
    "METRIC.Precision",
    "METRIC.Frac_NA",
    "METRIC.F1_Score",
    *COUNTED,
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval as the file gives it (Jeffreys in hap.py)."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Counts:
    """One class of variants: how many, and of what kind. `ti`, `tv`: SNPs only."""

    total: int
    ti: int | None = None
    tv: int | None = None
    het: int | None = None
    homalt: int | None = None
    titv_ratio: float | None = None
    het_hom_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A row of summary.csv; `query_tp` follows from the others, the file has none.

    `columns` is the row as it was written, by column name.
    """

    type: str
    filter: str
    truth_total: int
    truth_tp: int
    truth_fn: int
    query_total: int
    query_tp: int
    query_fp: int
    query_unk: int
    fp_gt: int | None
    fp_al: int | None
    recall: float | None
    precision: float | None
    frac_na: float | None
    f1: float | None
    truth_titv_ratio: float | None = None
    query_titv_ratio: float | None = None
    truth_het_hom_ratio: float | None = None
    query_het_hom_ratio: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExtendedRow:
    """A row of extended.csv or of a ROC file.

    `qq` is the score threshold; None stands for `*`, all calls. `subset` is a
    stratum, `*` the whole genome; sizes are in bases. `columns` is the row as it
    was written, by column name.
    """

    type: str
    subtype: str
    subset: str
    filter: str
    genotype: str
    qq_field: str
    qq: float | None
    recall: float | None
    precision: float | None
    frac_na: float | None
    f1: float | None
    fp_gt: int | None
    fp_al: int | None
    subset_size: float | None
    subset_is_conf_size: float | None
    subset_level: float | None
    truth_total: Counts
    truth_tp: Counts
    truth_fn: Counts
    query_total: Counts
    query_tp: Counts
    query_fp: Counts
    query_unk: Counts
    recall_interval: Interval | None = None
    precision_interval: Interval | None = None
    frac_na_interval: Interval | None = None
    columns: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


def read_summary(path: Path) -> list[SummaryRow]:
    """All rows of a summary.csv. Raises ParseError."""
    return [_summary_row(row) for row in _rows(path, SUMMARY_NEEDS)]


def read_extended(path: Path) -> list[ExtendedRow]:
    """All rows of an extended.csv. Raises ParseError."""
    return list(iterate_extended(path))


def iterate_extended(path: Path) -> Iterator[ExtendedRow]:
    """The rows of an extended.csv or ROC file one by one, gzipped or plain.

    With many strata a ROC file has millions of rows, so they are not kept.
    """
    for row in _rows(path, EXTENDED_NEEDS):
        yield _extended_row(row)


class _Row:
    """The cells of a line by column name, with the place for error messages."""

    __slots__ = ("cells", "columns", "line", "path")

    def __init__(
        self, path: Path, line: int, columns: Mapping[str, int], cells: list[str]
    ) -> None:
        self.path = path
        self.line = line
        self.columns = columns
        self.cells = cells

    def text(self, name: str) -> str:
        index = self.columns.get(name)
        return "" if index is None else self.cells[index]

    def number(self, name: str) -> float | None:
        text = self.text(name)
        if text in ("", ".", "*"):
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.fault(f"{name} is {text!r}, not a number") from None
        return value if math.isfinite(value) else None

    def count(self, name: str) -> int | None:
        value = self.number(name)
        if value is None:
            return None
        if value != int(value) or value < 0:
            raise self.fault(f"{name} is {self.text(name)!r}, not a count")
        return int(value)

    def needed_count(self, name: str) -> int:
        value = self.count(name)
        if value is None:
            raise self.fault(f"{name} is empty")
        return value

    def as_written(self) -> dict[str, str]:
        return {name: self.cells[index] for name, index in self.columns.items()}

    def fault(self, what: str) -> ParseError:
        return ParseError(self.path, f"line {self.line}: {what}.")


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[_Row]:
    with _opened(path) as file:
        lines = csv.reader(file)
        header = next(lines, [])
        columns = {name: index for index, name in enumerate(header)}
        missing = [name for name in needed if name not in columns]
        if missing:
            raise ParseError(
                path,
                "this is not a metrics file of hap.py: its first line lacks the "
                f"columns {', '.join(missing)}.",
            )
        for cells in lines:
            if not cells:
                continue
            row = _Row(path, lines.line_num, columns, cells)
            if len(cells) != len(header):
                raise row.fault(
                    f"{len(cells)} columns instead of {len(header)}; "
                    "the file may have been cut off"
                )
            yield row


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if zipped
            else path.open(encoding="utf-8", newline="")
        ) as file:
            yield file
    except EOFError:
        raise ParseError(path, "the gzip file ends too early (cut off).") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ParseError(path, f"the gzip file is damaged ({error}).") from error
    except UnicodeDecodeError as error:
        raise ParseError(path, "the file is not text.") from error
    except csv.Error as error:
        raise ParseError(path, f"the file is no CSV ({error}).") from error
    except OSError as error:
        raise ParseError(path, f"cannot be read: {error.strerror}.") from error


def _summary_row(row: _Row) -> SummaryRow:
    truth_total = row.needed_count("TRUTH.TOTAL")
    total = row.needed_count("QUERY.TOTAL")
    false = row.needed_count("QUERY.FP")
    unknown = row.needed_count("QUERY.UNK")
    matched = total - false - unknown
    if matched < 0:
        raise row.fault("QUERY.FP and QUERY.UNK are together more than QUERY.TOTAL")
    return SummaryRow(
        type=row.text("Type"),
        filter=row.text("Filter"),
        truth_total=truth_total,
        truth_tp=row.needed_count("TRUTH.TP"),
        truth_fn=row.needed_count("TRUTH.FN"),
        query_total=total,
        query_tp=matched,
        query_fp=false,
        query_unk=unknown,
        fp_gt=row.count("FP.gt"),
        fp_al=row.count("FP.al"),
        recall=_over(truth_total, row.number("METRIC.Recall")),
        precision=_over(matched + false, row.number("METRIC.Precision")),
        frac_na=_over(total, row.number("METRIC.Frac_NA")),
        f1=_f1(row, truth_total, matched + false),
        truth_titv_ratio=row.number("TRUTH.TOTAL.TiTv_ratio"),
        query_titv_ratio=row.number("QUERY.TOTAL.TiTv_ratio"),
        truth_het_hom_ratio=row.number("TRUTH.TOTAL.het_hom_ratio"),
        query_het_hom_ratio=row.number("QUERY.TOTAL.het_hom_ratio"),
        columns=row.as_written(),
    )


def _extended_row(row: _Row) -> ExtendedRow:
    counts = {name: _counts(row, name) for name in COUNTED}
    truth_total = counts["TRUTH.TOTAL"].total
    judged = counts["QUERY.TP"].total + counts["QUERY.FP"].total
    total = counts["QUERY.TOTAL"].total
    return ExtendedRow(
        type=row.text("Type"),
        subtype=row.text("Subtype"),
        subset=row.text("Subset"),
        filter=row.text("Filter"),
        genotype=row.text("Genotype"),
        qq_field=row.text("QQ.Field"),
        qq=row.number("QQ"),
        recall=_over(truth_total, row.number("METRIC.Recall")),
        precision=_over(judged, row.number("METRIC.Precision")),
        frac_na=_over(total, row.number("METRIC.Frac_NA")),
        f1=_f1(row, truth_total, judged),
        fp_gt=row.count("FP.gt"),
        fp_al=row.count("FP.al"),
        subset_size=row.number("Subset.Size"),
        subset_is_conf_size=row.number("Subset.IS_CONF.Size"),
        subset_level=row.number("Subset.Level"),
        truth_total=counts["TRUTH.TOTAL"],
        truth_tp=counts["TRUTH.TP"],
        truth_fn=counts["TRUTH.FN"],
        query_total=counts["QUERY.TOTAL"],
        query_tp=counts["QUERY.TP"],
        query_fp=counts["QUERY.FP"],
        query_unk=counts["QUERY.UNK"],
        recall_interval=_interval(row, "METRIC.Recall"),
        precision_interval=_interval(row, "METRIC.Precision"),
        frac_na_interval=_interval(row, "METRIC.Frac_NA"),
        columns=row.as_written(),
    )


def _counts(row: _Row, name: str) -> Counts:
    return Counts(
        total=row.needed_count(name),
        ti=row.count(f"{name}.ti"),
        tv=row.count(f"{name}.tv"),
        het=row.count(f"{name}.het"),
        homalt=row.count(f"{name}.homalt"),
        titv_ratio=row.number(f"{name}.TiTv_ratio"),
        het_hom_ratio=row.number(f"{name}.het_hom_ratio"),
    )


def _interval(row: _Row, name: str) -> Interval | None:
    lower, upper = row.number(f"{name}.Lower"), row.number(f"{name}.Upper")
    return None if lower is None or upper is None else Interval(lower, upper)


def _over(denominator: int, value: float | None) -> float | None:
    return value if denominator else None


def _f1(row: _Row, truth_total: int, judged: int) -> float | None:
    value = row.number("METRIC.F1_Score")
    return value if truth_total and judged else None
