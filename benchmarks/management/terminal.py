"""What a person sees of a command: log lines, a progress bar, a table."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from django.core.management.base import OutputWrapper

from benchmarks.parsers.happy import SummaryRow

BAR = 30


class Terminal:
    """Log lines and, on a terminal, a bar below them; both on standard error."""

    def __init__(self, stream: OutputWrapper, *, quiet: bool = False) -> None:
        self.stream = stream
        self.quiet = quiet
        self.drawn = ""
        self.fraction: float | None = None

    def log(self, level: str, message: str) -> None:
        """Warnings and errors are said even when quiet."""
        if self.quiet and level not in ("warning", "error"):
            return
        self._wipe()
        prefix = "" if level in ("info", "progress") else f"{level}: "
        self.stream.write(f"{prefix}{message}")
        self._draw()

    def progress(self, fraction: float) -> None:
        self.fraction = min(max(fraction, 0.0), 1.0)
        self._draw()

    def steps(self, done: int, total: int | None) -> None:
        if total:
            self.progress(done / total)

    def close(self) -> None:
        self._wipe()
        self.fraction = None

    def _draw(self) -> None:
        if self.fraction is None or self.quiet or not self.stream.isatty():
            return
        self._wipe()
        full = round(self.fraction * BAR)
        text = f"[{'#' * full}{'.' * (BAR - full)}] {self.fraction:4.0%}"
        self.drawn = text[: shutil.get_terminal_size().columns - 1]
        self.stream.write(self.drawn, ending="")
        self.stream.flush()

    def _wipe(self) -> None:
        if self.drawn:
            self.stream.write("\r" + " " * len(self.drawn) + "\r", ending="")
            self.drawn = ""


COLUMNS = (
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
    "Recall",
    "Precision",
    "Frac_NA",
    "F1_Score",
)


def summary_table(rows: Sequence[SummaryRow]) -> str:
    """The summary with aligned columns; `-` where there was nothing to divide by."""
    cells = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )


def _cells(row: SummaryRow) -> tuple[str, ...]:
    counts = (
        row.truth_total,
        row.truth_tp,
        row.truth_fn,
        row.query_total,
        row.query_fp,
        row.query_unk,
        row.fp_gt,
        row.fp_al,
    )
    shares = (row.recall, row.precision, row.frac_na, row.f1)
    return (
        row.type,
        row.filter,
        *("-" if count is None else str(count) for count in counts),
        *("-" if share is None else f"{share:.6f}" for share in shares),
    )
