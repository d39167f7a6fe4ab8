"""The page of control charts."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from runs.models import Annotation
from tests.portal.conftest import Browser
from tests.portal.page import Page
from tests.results.history import REGRESSION, History, make_history

pytestmark = pytest.mark.django_db
PAGE = "/over-time/"
RECALL = "small|INDEL|PASS|*|recall"
MAPPED = "qc|mapping_metrics||MAPPING/ALIGNING SUMMARY|Mapped reads|value"


@pytest.fixture
def history(db: None) -> History:
    return make_history(400, 8)


def chart(page: Page) -> Any:
    return json.loads(page.one("#control-data").text())


def marks(page: Page, axis: str) -> list[str]:
    return [mark["label"] for mark in chart(page)["marks"] if mark["axis"] == axis]


def test_a_regression_is_marked_at_its_first_run(
    looks: Browser, history: History
) -> None:
    page = looks.page(PAGE, individual="HG002", metric=RECALL)

    first = history.first_of("HG002", REGRESSION)
    [link] = page.all("#episodes tbody a")
    assert link.attributes["href"] == first.get_absolute_url()
    cells = page.row("#episodes tbody tr")
    assert cells[1] == "▼ below"
    assert "1-3s" in cells[3]
    assert cells[5] == f"new: {REGRESSION}"


def test_the_chart_has_limits_versions_and_annotations(
    looks: Browser, history: History
) -> None:
    Annotation.objects.create(date=date(2024, 2, 1), text="new lot")
    Annotation.objects.create(date=date(2024, 2, 1), text="other", individual="HG001")

    page = looks.page(PAGE, individual="HG002", metric=RECALL)

    assert marks(page, "y") == ["mean", "+2 s", "−2 s", "+3 s", "−3 s"]
    assert marks(page, "x") == [
        "DRAGEN 4.2.4", "DRAGEN 4.2.7", "DRAGEN 4.3.6", "DRAGEN 4.4.4", "new lot",
    ]  # fmt: skip
    assert page.texts("#annotations tbody th") == ["2024-02-01"]


def test_values_that_break_a_rule_look_different(
    looks: Browser, history: History
) -> None:
    page = looks.page(PAGE, individual="HG002", metric=RECALL)

    points = chart(page)["series"][0]["points"]
    bad = [point for point in points if point.get("tone") == "bad"]
    assert bad
    assert {point["symbol"] for point in bad} == {"diamond"}
    assert "s 1-3s" in bad[0]["text"]
    assert bad[0]["href"].startswith("/runs/")
    assert len(page.all("#values tbody tr")) == len(points)


def test_qc_values_are_followed_too(looks: Browser, history: History) -> None:
    page = looks.page(PAGE, individual="HG004", group="Mapping", metric=MAPPED)

    assert page.text("#course-title") == (
        "HG004: Mapped reads (Mapping/aligning summary)"
    )
    assert page.all("#episodes tbody tr")
    options = page.texts("#id_metric option")
    assert len(options) == 3


def test_a_baseline_of_one_version(looks: Browser, history: History) -> None:
    page = looks.page(
        PAGE,
        individual="HG002",
        metric=RECALL,
        baseline="pipeline",
        base_pipeline=REGRESSION,
    )

    rows = page.texts("#episodes tbody td:nth-child(2)")
    assert set(rows) == {"▲ above"}


def test_a_baseline_of_chosen_runs(looks: Browser, history: History) -> None:
    runs = [run for run in history.of("HG002") if run.pipeline == REGRESSION][:6]

    page = looks.page(
        PAGE,
        individual="HG002",
        metric=RECALL,
        baseline="runs",
        run=[str(run.uuid) for run in runs],
    )

    assert "from 6 values" in page.text("section[aria-labelledby=course-title] > p")


def test_a_baseline_of_too_few_values_judges_nothing(
    looks: Browser, history: History
) -> None:
    page = looks.page(
        PAGE,
        individual="HG002",
        baseline="dates",
        base_since="2024-01-02",
        base_until="2024-01-03",
    )

    assert page.has(".fault")
    assert marks(page, "y") == []
    assert not page.has("#episodes tbody")


def test_one_sample_and_a_span_of_time(looks: Browser, history: History) -> None:
    page = looks.page(
        PAGE, individual="HG001", sample="NA12878_Lib2_Rep1", since="2024-03-01"
    )

    cells = page.texts("#values tbody td:nth-child(2)")
    assert set(cells) == {"NA12878_Lib2_Rep1"}
    assert all(text >= "2024-03-01" for text in page.texts("#values tbody th a"))


def test_without_runs_there_is_nothing_to_follow(looks: Browser) -> None:
    page = looks.page(PAGE)

    assert page.status == 200
    assert page.has(".empty")


@pytest.mark.parametrize(
    "query",
    [
        {"individual": "HG009"},
        {"since": "x"},
        {"since": "2024-02-02", "until": "2024-02-01"},
        {"baseline": "pipeline"},
        {"before": "x"},
        {"group": "x"},
    ],
)
def test_bad_input(looks: Browser, history: History, query: dict[str, str]) -> None:
    assert looks.page(PAGE, **query).status == 400


def test_an_unknown_metric_is_left_out(looks: Browser, history: History) -> None:
    page = looks.page(PAGE, individual="HG002", metric="nonsense")

    assert page.status == 200
    assert page.text("#course-title") == "HG002: SNP PASS F1"


def test_only_viewers_follow(not_allowed: Browser, anonymous: Browser) -> None:
    assert not_allowed.get(PAGE).status_code == 403
    assert anonymous.get(PAGE).status_code == 302


def test_there_is_nothing_to_post(looks: Browser) -> None:
    assert looks.post(PAGE).status_code == 405


def test_the_values_are_taken_away(looks: Browser, history: History) -> None:
    query = {"individual": "HG002", "metric": RECALL}

    text = looks.get(PAGE, {**query, "format": "csv"}).getvalue().decode()
    items = json.loads(looks.get(PAGE, {**query, "format": "json"}).content)["items"]

    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(items) == len(history.of("HG002"))
    assert float(rows[0]["value"]) == items[0]["value"]
    assert any("1-3s" in row["rules"] for row in rows)


def annotate(browser: Browser, **changes: str) -> Any:
    data = {"date": "2024-02-01", "text": "new lot", "individual": "", **changes}
    return browser.post(reverse("annotation-new"), data)


def test_operators_annotate(operates: Browser, operator: User) -> None:
    here = f"{PAGE}?{urlencode({'individual': 'HG002'})}"

    answer = annotate(operates, here=here)

    note = Annotation.objects.get()
    assert (str(note.date), note.text, note.author) == (
        "2024-02-01",
        "new lot",
        operator,
    )
    assert answer.headers["Location"] == here


def test_an_annotation_leads_to_no_other_site(operates: Browser) -> None:
    assert annotate(operates, here="//evil.example/").headers["Location"] == PAGE
    assert annotate(operates, here="https://e.example/").headers["Location"] == PAGE


@pytest.mark.parametrize("change", [{"date": "x"}, {"text": " "}, {"individual": "x"}])
def test_an_annotation_that_cannot_be_read(
    operates: Browser, change: dict[str, str]
) -> None:
    assert annotate(operates, **change).status_code == 302
    assert not Annotation.objects.exists()


def test_operators_remove_annotations(operates: Browser) -> None:
    note = Annotation.objects.create(text="a")
    address = reverse("annotation-remove", args=[note.pk])

    assert operates.get(address).status_code == 405
    assert operates.post(address).status_code == 302
    assert operates.post(address).status_code == 404
    assert not Annotation.objects.exists()


def test_viewers_annotate_nothing(looks: Browser) -> None:
    note = Annotation.objects.create(text="a")

    assert annotate(looks).status_code == 403
    assert looks.post(reverse("annotation-remove", args=[note.pk])).status_code == 403
    assert looks.get(reverse("annotation-new")).status_code == 405


def test_costs_the_same_for_few_and_many_runs(
    looks: Browser, django_assert_max_num_queries: Any
) -> None:
    make_history(300, 3)

    with django_assert_max_num_queries(15):
        looks.get(PAGE, {"individual": "HG001", "metric": RECALL})
    with django_assert_max_num_queries(17):
        looks.get(PAGE, {"individual": "HG001", "group": "Mapping"})
