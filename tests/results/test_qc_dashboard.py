"""QC metrics across samples."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from benchmarks.models import QCMetric
from benchmarks.parsers.dragen_files import CATEGORIES
from runs.views.qc_dashboard import Spread
from tests.portal.builders import qc
from tests.portal.conftest import Browser
from tests.portal.page import Page
from tests.results.history import History, make_history

pytestmark = pytest.mark.django_db
PAGE = "/qc/"
MAPPED = "qc|mapping_metrics||MAPPING/ALIGNING SUMMARY|Mapped reads|value"


@pytest.fixture
def history(db: None) -> History:
    return make_history(60, 6)


def chart(page: Page, key: str) -> Any:
    return json.loads(page.one(f"#{key}-data").text())


def test_the_ten_categories(looks: Browser, history: History) -> None:
    assert looks.page(PAGE).texts("nav.tabs a") == list(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_has_its_metrics(
    looks: Browser, history: History, category: str
) -> None:
    page = looks.page(PAGE, category=category)

    assert page.text("nav.tabs a[aria-current]") == category
    assert page.all("#category tbody tr")
    assert chart(page, "strip")["series"][0]["points"]


def test_runs_are_spread_by_sample_around_the_reference(
    looks: Browser, history: History
) -> None:
    page = looks.page(
        PAGE, category="Mapping", reference="NA24385_Lib1_Rep1", metric=MAPPED
    )

    drawn = chart(page, "strip")
    assert len(drawn["y"]["categories"]) == 6
    runs, median = drawn["series"]
    assert len(runs["points"]) == 60
    assert len(median["points"]) == 6
    assert runs["points"][0]["href"].startswith("/runs/")
    assert [mark["label"] for mark in drawn["marks"]] == ["NA24385_Lib1_Rep1"]
    assert len(page.all("#strip-table tbody tr")) == 6


def test_any_metric_against_any_other(looks: Browser, history: History) -> None:
    page = looks.page(
        PAGE,
        category="Mapping",
        metric=MAPPED,
        other="small",
        other_metric="small|SNP|PASS|*|recall",
    )

    drawn = chart(page, "scatter")
    assert drawn["y"]["label"] == "SNP PASS Recall"
    assert sum(len(series["points"]) for series in drawn["series"]) == 60
    shapes = [series["symbol"] for series in drawn["series"]]
    assert len(set(shapes)) == len(shapes) == 6


def test_a_reference_that_stands_out_is_marked(
    looks: Browser, history: History
) -> None:
    newest = history.of("HG002")[-1]
    QCMetric.objects.filter(run=newest, metric="Mapped reads").update(value=1)

    page = looks.page(
        PAGE, category="Mapping", reference=newest.sample.name, metric=MAPPED
    )

    rows = {row.css("th")[0].text(): row for row in page.all("#category tbody tr")}
    assert "below" in rows["Mapped reads"].text()
    assert "below" not in rows["Q30 bases"].text()


def test_one_individual(looks: Browser, history: History) -> None:
    page = looks.page(PAGE, category="Mapping", individual="HG003")

    assert chart(page, "strip")["y"]["categories"] == ["NA24149_Lib1_Rep1"]


def test_histograms_and_small_contigs_are_left_out(
    looks: Browser, history: History
) -> None:
    run = history.runs[-1]
    for line, (kind, metric) in enumerate(
        [("fine_hist", "Depth 1"), ("contig_mean_cov", "chrUn_1 mean depth")], 100
    ):
        row = qc(run, "Contig coverage", metric, "1", 1.0, line=line)
        QCMetric.objects.filter(pk=row.pk).update(kind=kind)

    page = looks.page(PAGE, category="Contig coverage", reference=run.sample.name)

    assert page.texts("#category tbody th") == ["chr1 mean depth"]


def test_without_runs(looks: Browser) -> None:
    page = looks.page(PAGE)

    assert page.status == 200
    assert page.has(".empty")


@pytest.mark.parametrize(
    "query",
    [{"category": "x"}, {"individual": "x"}, {"reference": "x"}, {"other": "x"}],
)
def test_bad_input(looks: Browser, history: History, query: dict[str, str]) -> None:
    assert looks.page(PAGE, **query).status == 400


def test_who_may_look(looks: Browser, not_allowed: Browser, anonymous: Browser) -> None:
    assert not_allowed.get(PAGE).status_code == 403
    assert anonymous.get(PAGE).status_code == 302
    assert looks.post(PAGE).status_code == 405


def test_both_tables_are_taken_away(looks: Browser, history: History) -> None:
    query = {"category": "Mapping", "metric": MAPPED}

    values = looks.get(PAGE, {**query, "format": "csv"}).getvalue().decode()
    category = looks.get(PAGE, {**query, "format": "json", "table": "category"})

    assert len(list(csv.DictReader(io.StringIO(values)))) == 60
    items = json.loads(category.content)["items"]
    assert [item["metric"] for item in items] == [
        "Mapped reads", "Insert length: median", "Q30 bases",
    ]  # fmt: skip
    assert {item["samples"] for item in items} == {6}


def test_spreads() -> None:
    assert Spread.of([5]) == Spread(1, 5, 5, 5, 5, 5)
    assert Spread.of([4, 1, 3, 2, 5]) == Spread(5, 1, 2, 3, 4, 5)


def test_costs_the_same_for_many_runs(
    looks: Browser, history: History, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(12):
        looks.get(PAGE, {"category": "Mapping"})
    make_history(90, 3, names="More")
    with django_assert_num_queries(12):
        looks.get(PAGE, {"category": "Mapping"})
