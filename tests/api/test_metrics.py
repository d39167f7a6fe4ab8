from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from runs.api.tables import cell
from runs.models import Run, Status
from tests.api.conftest import Api
from tests.builders import make_run, make_sample


def make_small(run: Run, **fields: Any) -> SmallVariantMetric:
    return SmallVariantMetric.objects.create(
        **{
            "run": run,
            "engine": "builtin",
            "type": "SNP",
            "filter": "PASS",
            "truth_total": 100,
            "truth_tp": 99,
            "truth_fn": 1,
            "query_total": 120,
            "query_fp": 2,
            "query_unk": 19,
            "recall": 0.99,
            **fields,
        }
    )


def make_structural(run: Run, **fields: Any) -> StructuralVariantMetric:
    counts = {"tp_base": 5, "tp_comp": 5, "fp": 1, "fn": 2}
    fields = {"source": "bench", "preset": "default", **counts, **fields}
    return StructuralVariantMetric.objects.create(run=run, **fields)


def make_qc(run: Run, metric: str = "Total input reads", **fields: Any) -> QCMetric:
    fields = {
        "category": "mapping",
        "file": "a.csv",
        "kind": "mapping_metrics",
    } | fields
    return QCMetric.objects.create(run=run, metric=metric, **fields)


@pytest.fixture
def run(db: None) -> Run:
    run = make_run(status=Status.COMPLETED, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    make_small(run)
    make_small(run, type="INDEL", recall=None)
    make_small(run, subset="lowcomplexity")
    make_structural(run)
    make_qc(run, line=1, text="100", value=100.0)
    return run


def test_the_metrics_of_a_run(looks: Api, run: Run) -> None:
    answer = looks.ask("GET", f"runs/{run.uuid}/metrics").json()
    assert [row["type"] for row in answer["small_variants"]] == ["SNP", "INDEL"]
    assert answer["small_variants"][1]["recall"] is None
    assert answer["small_variants"][0]["truth_total"] == 100
    assert answer["structural_variants"][0]["tp_base"] == 5
    assert (answer["qc_rows"], answer["status"]) == (1, "completed")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("small-variants", 4),
        ("small-variants?type=SNP&subset=*", 2),
        ("small-variants?subset=lowcomplexity", 1),
        ("small-variants?individual=HG002", 1),
        ("small-variants?sample=other", 1),
        ("small-variants?engine=happy", 0),
        ("small-variants?created_before=2026-01-01T00:00:00Z", 0),
        ("structural-variants?source=bench", 1),
        ("structural-variants?source=refine", 0),
        ("qc?metric=Total input reads", 1),
        ("qc?category=other", 0),
    ],
)
def test_rows_across_runs(looks: Api, run: Run, query: str, count: int) -> None:
    make_small(make_run(sample=make_sample("other", individual="HG002")))
    answer = looks.ask("GET", f"metrics/{query}")
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["items"]) == count


def test_rows_say_whose_they_are(looks: Api, run: Run) -> None:
    other = make_run()
    make_small(other)
    [row] = looks.ask("GET", f"metrics/small-variants?run={other.uuid}").json()["items"]
    assert (row["run"], row["sample_id"], row["individual"]) == (
        str(other.uuid),
        "NA24143_Lib3_Rep1",
        "HG004",
    )


def test_pages_follow_each_other(looks: Api, run: Run) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        path = f"metrics/small-variants?limit=2&cursor={cursor}"
        page = looks.ask("GET", path).json()
        seen += [(row["type"], row["subset"]) for row in page["items"]]
        cursor = page["next"]
    assert seen == [("SNP", "*"), ("INDEL", "*"), ("SNP", "lowcomplexity")]


@pytest.mark.parametrize("name", ["small-variants", "structural-variants", "qc"])
class TestEach:
    def test_constant_queries(
        self,
        looks: Api,
        run: Run,
        name: str,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for line in range(2, 8):
            other = make_run()
            make_small(other)
            make_structural(other)
            make_qc(other, line=line, text="x")
        looks.ask("GET", f"metrics/{name}")
        with django_assert_num_queries(4):  # token, 2 permissions, rows
            looks.ask("GET", f"metrics/{name}")

    def test_not_without_a_role(self, not_allowed: Api, name: str) -> None:
        assert not_allowed.ask("GET", f"metrics/{name}").status_code == 403

    def test_wrong_method(self, operates: Api, name: str) -> None:
        assert operates.ask("POST", f"metrics/{name}").status_code == 405

    def test_bad_input(self, looks: Api, name: str) -> None:
        answer = looks.ask("GET", f"metrics/{name}?format=xls&colour=red&run=7")
        assert sorted(answer.json()["error"]["fields"]) == ["colour", "format", "run"]

    def test_as_a_table(self, looks: Api, run: Run, name: str) -> None:
        answer = looks.ask("GET", f"metrics/{name}?format=csv")
        text = b"".join(answer.streaming_content).decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert rows
        assert {row["run"] for row in rows} == {str(run.uuid)}


def test_a_table_holds_all_rows_and_no_formulas(looks: Api, run: Run) -> None:
    values = ["-1.5", "=HYPERLINK(1)", "@x", "ok"]
    for line, text in enumerate(values, 2):
        make_qc(run, metric="+odd", line=line, text=text)
    answer = looks.ask("GET", "metrics/qc?format=tsv&limit=1")
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    assert [row["text"] for row in rows] == [
        "100",
        "-1.5",
        "'=HYPERLINK(1)",
        "'@x",
        "ok",
    ]
    assert rows[1]["metric"] == "'+odd"
    assert (
        answer.headers["Content-Disposition"] == 'attachment; filename="qcmetric.tsv"'
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [("\t=1", "'\t=1"), (-0.5, -0.5), ("-0.5", "-0.5"), ("-a", "'-a"), (None, None)],
)
def test_cells(value: Any, shown: Any) -> None:
    assert cell(value) == shown


def test_pages_across_runs_hold_every_row_once(looks: Api, run: Run) -> None:
    """Run by run, also where rows of an early run were written late."""
    later = make_run(status=Status.COMPLETED)
    for line in (5, 6):
        make_qc(later, line=line, text="1", value=1.0)
    make_qc(run, line=7, text="2", value=2.0)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        query = (
            f"metrics/qc?limit=1&cursor={cursor}" if cursor else "metrics/qc?limit=1"
        )
        answer = looks.ask("GET", query).json()
        seen += [row["line"] for row in answer["items"]]
        cursor = answer["next"]

    assert seen == [1, 7, 5, 6]
