from __future__ import annotations

from typing import Any

import pytest

from demo import terminal, verdict
from demo.lab import Expected

EXPECTED = Expected(
    {("SNP", "ALL"): {"truth_tp": 8, "query_fp": 1}},
    {"tp_base": 3, "fp": 0},
    {"Depth": 30.5},
)


class Portal:
    """Answers as the REST interface does."""

    def __init__(self, depth: float = 30.5, **changes: Any) -> None:
        self.depth = depth
        row = {"subtype": "*", "subset": "*", "genotype": "*", "filter": "ALL"}
        counts = dict.fromkeys(verdict.SHOWN, 10) | {"truth_tp": 8, "query_fp": 1}
        ratios = {"recall": 0.8, "precision": None, "f1": 0.5}
        whole = {"type": "*", "size_class": "*", "tp_base": 3, "fp": 0, "fn": 1}
        self.metrics = {
            "small_variants": [
                {**row, "type": "SNP", **counts, **ratios, **changes},
                {**row, "type": "SNP", **counts, **ratios, "subtype": "ti"},
            ],
            "structural_variants": [{**whole, **ratios}],
            "qc_rows": 1234,
        }

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        if path.startswith("metrics/qc"):
            return {"items": [{"value": self.depth}]}
        return self.metrics


def run(status: str = "completed", message: str = "") -> dict[str, Any]:
    stage = {"name": "truvari", "status": status, "message": message}
    return {"run": "some-id", "stages": [stage]}


def differences(portal: Portal, ended: dict[str, Any] | None = None) -> list[str]:
    return verdict.differences(portal, ended or run(), EXPECTED)  # type: ignore[arg-type]


def test_equal_numbers_differ_in_nothing() -> None:
    assert differences(Portal()) == []


def test_each_difference_is_named() -> None:
    assert differences(Portal(depth=30.4, truth_tp=7, query_fp=2)) == [
        "SNP ALL truth_tp: 7 instead of 8.",
        "SNP ALL query_fp: 2 instead of 1.",
        "QC Depth: [30.4] instead of [30.5].",
    ]


def test_a_missing_row_is_a_difference() -> None:
    assert differences(Portal(type="INDEL")) == ["SNP ALL: no such row."]


@pytest.mark.parametrize(
    ("message", "faults"),
    [
        ("The Python package truvari is not installed here. Remedy.", []),
        ("No truth set.", ["The stage truvari was skipped."]),
    ],
)
def test_truvari_may_be_skipped_only_where_it_is_not_installed(
    message: str, faults: list[str]
) -> None:
    assert differences(Portal(), run("skipped", message)) == faults


def test_the_table_has_the_whole_rows_only() -> None:
    lines = verdict.table(Portal().metrics).splitlines()
    assert lines[1].split() == (
        ["SNP", "ALL", "10", "8", "10", "10", "1", "10", "0.8000", "-", "0.5000"]
    )
    assert "3 of 4 found, 0 false" in lines[3]
    assert "1,234" in lines[-1]


def test_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    line = {"time": "2026-11-24T10:00:01.5Z", "stage": "", "level": "warning"}
    terminal.show([{**line, "message": "Careful."}])
    assert capsys.readouterr().out == "  10:00:01  -          Careful.  [warning]\n"
