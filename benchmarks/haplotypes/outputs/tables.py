"""hap.py's CSV files and metrics.json: the same columns, the same numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from isal import igzip
from numpy.typing import NDArray

from benchmarks.haplotypes.intervals import jeffreys
from benchmarks.haplotypes.quantify import Column, TableRow

COUNT_NAMES = (
    "TRUTH.TOTAL",
    "TRUTH.TP",
    "TRUTH.FN",
    "QUERY.TOTAL",
    "QUERY.TP",
    "QUERY.FP",
    "QUERY.UNK",
)
UNKNOWN_OF_FILTERS = ("TRUTH.TOTAL", "TRUTH.FN", "QUERY.TOTAL")
"""Counts that hap.py does not give of what a single filter removes."""
PARTS = ("", ".ti", ".tv", ".het", ".homalt", ".TiTv_ratio", ".het_hom_ratio")
SUMMARY = (
    "Type",
    "Filter",
    "TRUTH.TOTAL",
    "TRUTH.TP",
    "TRUTH.FN",
    "QUERY.TOTAL",
    "QUERY.FP",
    "QUERY.UNK",
    "FP.gt",
    "FP.al",
    "METRIC.Recall",
    "METRIC.Precision",
    "METRIC.Frac_NA",
    "METRIC.F1_Score",
    "TRUTH.TOTAL.TiTv_ratio",
    "QUERY.TOTAL.TiTv_ratio",
    "TRUTH.TOTAL.het_hom_ratio",
    "QUERY.TOTAL.het_hom_ratio",
)
EXTENDED = (
    "Type",
    "Subtype",
    "Subset",
    "Filter",
    "Genotype",
    "QQ.Field",
    "QQ",
    "METRIC.Recall",
    "METRIC.Precision",
    "METRIC.Frac_NA",
    "METRIC.F1_Score",
    "FP.gt",
    "FP.al",
    "Subset.Size",
    "Subset.IS_CONF.Size",
    "Subset.Level",
    *(name + part for name in COUNT_NAMES for part in PARTS),
)
INTERVALS = (
    "METRIC.Recall.Lower",
    "METRIC.Recall.Upper",
    "METRIC.Precision.Lower",
    "METRIC.Precision.Upper",
    "METRIC.Frac_NA.Lower",
    "METRIC.Frac_NA.Upper",
)
NONE = ("", ".")
"""How hap.py writes that there is no number."""


@dataclass(frozen=True)
class Metrics:
    """Recall, precision, share of UNK and F1; None where hap.py leaves the cell blank.

    With nothing to divide by, hap.py writes 0 for the first three, and blank for the
    precision of calls that are all UNK and for an F1 of nothing.
    """

    recall: float
    precision: float | None
    frac_na: float
    f1: float | None


def metrics_of(row: TableRow) -> Metrics:
    tp, fn, query_tp, fp, unk = (row.of(column) for column in Column)
    recall = tp / (tp + fn) if tp + fn else 0.0
    query = query_tp + fp + unk
    precision: float | None = 0.0
    if query:
        precision = query_tp / (query_tp + fp) if query_tp + fp else None
    frac_na = unk / query if query else 0.0
    f1 = None
    if precision is not None and recall + precision > 0:
        f1 = 2 * recall * precision / (recall + precision)
    return Metrics(recall, precision, frac_na, f1)


def number(value: float | None) -> str:
    """A metric as hap.py writes it: six digits that count, blank for none."""
    if value is None or math.isnan(value):
        return ""
    return repr(float(f"{value:.6g}"))


def ratio(above: int, below: int) -> str:
    return repr(above / below) if below else ""


def totals(row: TableRow) -> list[NDArray[np.int64]]:
    """The seven count columns, each (all, ti, tv, het, homalt)."""
    c = row.counts
    truth = c[Column.TRUTH_TP] + c[Column.TRUTH_FN]
    query = c[Column.QUERY_TP] + c[Column.QUERY_FP] + c[Column.QUERY_UNK]
    return [
        truth,
        c[Column.TRUTH_TP],
        c[Column.TRUTH_FN],
        query,
        c[Column.QUERY_TP],
        c[Column.QUERY_FP],
        c[Column.QUERY_UNK],
    ]


def summary_cells(row: TableRow) -> list[str]:
    m = metrics_of(row)
    truth, _, _, query, _, _, _ = totals(row)
    snp = row.type == "SNP"
    return [
        row.type,
        row.filter,
        str(truth[0]),
        str(row.of(Column.TRUTH_TP)),
        str(row.of(Column.TRUTH_FN)),
        str(query[0]),
        str(row.of(Column.QUERY_FP)),
        str(row.of(Column.QUERY_UNK)),
        str(row.fp_gt),
        str(row.fp_al),
        number(m.recall),
        number(m.precision),
        number(m.frac_na),
        number(m.f1),
        ratio(int(truth[1]), int(truth[2])) if snp else "",
        ratio(int(query[1]), int(query[2])) if snp else "",
        ratio(int(truth[3]), int(truth[4])),
        ratio(int(query[3]), int(query[4])),
    ]


NO_METRICS = Metrics(math.nan, None, math.nan, None)


def extended_cells(row: TableRow, qq_field: str) -> list[str]:
    m = NO_METRICS if row.of_filter else metrics_of(row)
    whole = row.subset == "*"
    cells = [
        row.type,
        row.subtype,
        row.subset,
        row.filter,
        "*",
        qq_field,
        "*" if row.qq is None else f"{row.qq:f}",
        number(m.recall),
        number(m.precision),
        number(m.frac_na),
        number(m.f1),
        str(row.fp_gt),
        str(row.fp_al),
        f"{row.size:.0f}" if whole else f"{row.size:f}",
        "" if row.confident_size is None else f"{row.confident_size:f}",
        f"{row.level:f}",
    ]
    for name, counts in zip(COUNT_NAMES, totals(row), strict=True):
        if row.of_filter and name in UNKNOWN_OF_FILTERS:
            cells += ["0", ".", ".", ".", ".", "", ""]
        else:
            cells += _count_cells(counts.tolist(), row)
    return cells


def _count_cells(counts: list[int], row: TableRow) -> list[str]:
    every, ti, tv, het, homalt = counts
    if row.qq is not None:
        return [str(every), ".", ".", ".", ".", "", ""]
    snp = row.type == "SNP"
    return [
        str(every),
        f"{ti:f}" if snp else ".",
        f"{tv:f}" if snp else ".",
        f"{het:f}",
        f"{homalt:f}",
        ratio(ti, tv) if snp else "",
        ratio(het, homalt),
    ]


def interval_cells(rows: Sequence[TableRow], alpha: float) -> list[list[str]]:
    """The six interval columns of all rows at once."""
    if not rows:
        return []
    counts = np.array([row.counts[:, 0] for row in rows], dtype=np.int64)
    tp, fn, query_tp, fp, unk = counts.T
    columns: list[list[float]] = []
    known = np.array([not row.of_filter for row in rows])
    query = (query_tp + fp + unk) * known
    for successes, trials in ((tp, tp + fn), (query_tp, query_tp + fp), (unk, query)):
        lower, upper = jeffreys(successes, trials, alpha)
        columns += [lower.tolist(), upper.tolist()]
    return [[repr(value) for value in values] for values in zip(*columns, strict=True)]


def extended_table(
    rows: Sequence[TableRow], qq_field: str, alpha: float
) -> tuple[list[str], list[list[str]]]:
    """(header, cells) of extended.csv and of the ROC files."""
    cells = [extended_cells(row, qq_field) for row in rows]
    if not 0 < alpha < 1:
        return list(EXTENDED), cells
    tails = interval_cells(rows, alpha)
    joined = [cell + tail for cell, tail in zip(cells, tails, strict=True)]
    return [*EXTENDED, *INTERVALS], joined


def csv_text(header: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    """No cell needs quotes: labels with commas or quotes are refused when read."""
    return "\n".join([",".join(header), *map(",".join, cells)]) + "\n"


def write_csv(path: Path, header: Sequence[str], cells: list[list[str]]) -> None:
    """Gzipped when the name ends in .gz."""
    write_text(path, csv_text(header, cells))


def write_text(path: Path, text: str) -> None:
    data = text.encode()
    path.write_bytes(igzip.compress(data, 1) if path.suffix == ".gz" else data)


def metrics_table(
    name: str, header: Sequence[str], cells: list[list[str]]
) -> dict[str, object]:
    """One table of metrics.json: a list of columns with types, none as null."""
    columns = [
        {"id": "types", "label": "types", "type": "string", "values": _numbers(cells)}
    ]
    for i, title in enumerate(header):
        values, type_ = _column(title, [cell[i] for cell in cells])
        columns.append({"id": title, "label": title, "type": type_, "values": values})
    return {"id": name, "label": name, "type": "Table", "data": columns,
            "properties": []}  # fmt: skip


def _numbers(cells: list[list[str]]) -> list[object]:
    return list(range(len(cells)))


TEXT_COLUMNS = ("Type", "Subtype", "Subset", "Filter", "Genotype", "QQ.Field", "QQ")
WHOLE = frozenset(COUNT_NAMES) | {"FP.gt", "FP.al"}


def _column(title: str, cells: list[str]) -> tuple[list[object], str]:
    if title in TEXT_COLUMNS:
        return list(cells), "string"
    if title in WHOLE:
        return [int(cell) for cell in cells], "int64"
    values = [None if cell in NONE else float(cell) for cell in cells]
    return [v if v is None or math.isfinite(v) else None for v in values], "double"


def write_json(path: Path, content: dict[str, object]) -> None:
    write_text(path, json.dumps(content, separators=(",", ":")))
