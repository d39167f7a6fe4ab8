"""The numbers of a run, as a table and against what the data is known to hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from demo.client import Api
from demo.lab import Expected

SHOWN = ("truth_total", "truth_tp", "truth_fn", "query_total", "query_fp", "query_unk")
HEAD = (
    *("Type", "Filter", "TRUTH.TOTAL", "TP", "FN", "QUERY.TOTAL", "FP", "UNK"),
    *("Recall", "Precision", "F1"),
)


def small_rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of all variants of a type, SNP before INDEL."""
    rows = [
        row
        for row in metrics["small_variants"]
        if (row["subtype"], row["subset"], row["genotype"]) == ("*", "*", "*")
    ]
    return sorted(rows, key=lambda row: (row["type"] != "SNP", row["filter"]))


def table(metrics: dict[str, Any]) -> str:
    """As people read it in a terminal."""
    cells = [
        [
            *(row["type"], row["filter"]),
            *(f"{row[name]:,}" for name in SHOWN),
            *(_ratio(row[name]) for name in ("recall", "precision", "f1")),
        ]
        for row in small_rows(metrics)
    ]
    text = _aligned([list(HEAD), *cells]) if cells else "  no small-variant metrics"
    for row in _structural(metrics):
        text += (
            f"\n\n  Structural variants: {row['tp_base']} of "
            f"{row['tp_base'] + row['fn']} found, {row['fp']} false; recall "
            f"{_ratio(row['recall'])}, precision {_ratio(row['precision'])}"
        )
    return f"{text}\n\n  QC values: {metrics['qc_rows']:,}"


def _structural(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        row
        for row in metrics["structural_variants"]
        if (row["type"], row["size_class"]) == ("*", "*")
    ]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
        for row in rows
    )


def differences(api: Api, run: dict[str, Any], expected: Expected) -> list[str]:
    """Every number that is not what it has to be, a sentence each."""
    metrics = api.ask("GET", f"runs/{run['run']}/metrics")
    found = [*small(metrics, expected), *structural(run, metrics, expected)]
    return [*found, *qc(api, run, expected)]


def small(metrics: dict[str, Any], expected: Expected) -> Iterator[str]:
    rows = {(row["type"], row["filter"]): row for row in small_rows(metrics)}
    for key, wanted in expected.small.items():
        name = " ".join(key)
        if key not in rows:
            yield f"{name}: no such row."
            continue
        for column, value in wanted.items():
            if rows[key][column] != value:
                yield f"{name} {column}: {rows[key][column]} instead of {value}."


def structural(
    run: dict[str, Any], metrics: dict[str, Any], expected: Expected
) -> Iterator[str]:
    stage = next((s for s in run["stages"] if s["name"] == "truvari"), None)
    rows = _structural(metrics)
    if stage is None or stage["status"] == "skipped":
        unavailable = stage is not None and "not installed" in stage["message"]
        if expected.structural is not None and not unavailable:
            yield "The stage truvari was skipped."
        return
    if expected.structural is None:
        yield "The stage truvari ran although there is no truth set."
        return
    for column, value in expected.structural.items():
        found = rows[0][column] if rows else None
        if found != value:
            yield f"Structural variants {column}: {found} instead of {value}."


def qc(api: Api, run: dict[str, Any], expected: Expected) -> Iterator[str]:
    for metric, value in expected.qc.items():
        query = f"metrics/qc?run={run['run']}&metric={metric.replace(' ', '%20')}"
        found = [row["value"] for row in api.ask("GET", query)["items"]]
        if found != [value]:
            yield f"QC {metric}: {found} instead of [{value}]."
