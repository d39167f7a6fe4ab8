"""The numbers of a run on its page, against the files of the tools that made them."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from benchmarks import contigs, curves
from runs.models import Run, Status
from tests.cases import case
from tests.portal.builders import completed, make_run, small_variants
from tests.portal.conftest import Browser
from tests.portal.page import Page
from tests.results import real

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_dir")]
COLUMNS = ("SNP PASS", "SNP ALL", "INDEL PASS", "INDEL ALL")


def page_of(browser: Browser, run: Run) -> Page:
    return browser.page(reverse("run", args=[run.uuid]))


def table(page: Page) -> dict[str, dict[str, str]]:
    """By name of the measure and column: the figure to its last digit."""
    found = {}
    for row in page.all(".measures-table tbody tr"):
        cells = [cell.attributes["value"] or "" for cell in row.css("td data")]
        name = row.css("th button")[0].text()
        found[name] = dict(zip(COLUMNS, cells, strict=True))
    return found


def chart(page: Page, key: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.one(f"#{key}-data").text())
    return data


@pytest.mark.cases
def test_every_figure_is_that_of_happys_file(looks: Browser) -> None:
    page = page_of(looks, real.small())

    shown = table(page)
    folder = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval"
    with (folder / "summary.csv").open() as file:
        for row in csv.DictReader(file):
            column = f"{row['Type']} {row['Filter']}"
            for name in ("TRUTH.TOTAL", "TRUTH.TP", "TRUTH.FN", "QUERY.TOTAL"):
                assert shown[name][column] == row[name]
            for name in ("QUERY.FP", "QUERY.UNK", "FP.gt", "FP.al"):
                assert shown[name][column] == row[name]
            recall, precision = row["METRIC.Recall"], row["METRIC.Precision"]
            assert shown["Recall"][column] == recall
            assert shown["Precision"][column] == precision
            assert shown["F1"][column] == row["METRIC.F1_Score"]
            assert shown["Frac_NA"][column] == row["METRIC.Frac_NA"]
            missed, false = shown["1 − recall"], shown["1 − precision"]
            assert Decimal(missed[column]) == 1 - Decimal(recall)
            assert Decimal(false[column]) == 1 - Decimal(precision)


@pytest.mark.cases
def test_counts_lead_to_their_variants(looks: Browser) -> None:
    page = page_of(looks, real.small())

    link = page.all("tr[data-measure=fp-gt] td a")[0]

    listed = looks.page(link.attributes["href"] or "")
    assert listed.text("#variants-title") == f"{link.text()} variants"
    assert link.text() == "7"


@pytest.mark.cases
def test_errors_are_drawn_with_their_intervals(looks: Browser) -> None:
    data = chart(page_of(looks, real.small()), "small-errors")

    assert data["y"]["categories"] == list(COLUMNS)
    missed, false = data["series"]
    point = missed["points"][2]
    assert (point["x"], point["y"]) == (0.010129, "INDEL PASS")
    assert point["low"] < point["x"] < point["high"]
    assert missed["symbol"] != false["symbol"]
    assert data["x"]["floor"] < point["low"]


@pytest.mark.cases
def test_structural_variants_by_type_and_size(looks: Browser) -> None:
    page = page_of(looks, real.structural_run())

    [row] = page.all("[aria-labelledby=structural-title] > .scroll tbody tr")
    assert [data.attributes["value"] for data in row.css("data")] == [
        "0.75", "1.0", "0.8571428571428571", "1.0",
    ]  # fmt: skip
    sizes = chart(page, "sv-sizes")
    assert sizes["y"]["categories"] == ["50-99", "100-299"]
    fewest = chart(page, "sv-types")["series"][0]["points"][0]
    assert fewest["high"] - fewest["low"] > 0.5, "few variants make a wide bar"
    assert page.has("#structural-classes tbody tr")


def test_formulas_are_told_to_everybody(looks: Browser) -> None:
    page = page_of(looks, completed())

    button = page.one("tr[data-measure=precision] th button")
    told = page.one(f"#{button.attributes['aria-describedby']}")
    assert "QUERY.TP / (QUERY.TP + QUERY.FP)" in told.text()
    assert button.attributes["popovertarget"] == told.id


def test_intervals_stand_below_the_figure(looks: Browser) -> None:
    run = make_run(status=Status.COMPLETED)
    small_variants(run, "SNP", "PASS", 7000, recall_lower=0.9951, recall_upper=0.9979)

    page = page_of(looks, run)

    assert page.text("tr[data-measure=recall] td .sub") == "0.99510 – 0.99790"
    assert page.text("tr[data-measure=no-recall] td .sub") == "0.00210 – 0.00490"


def test_f1_has_an_interval_of_its_own(looks: Browser) -> None:
    run = make_run(status=Status.COMPLETED)
    small_variants(run, "SNP", "PASS", 7000, f1=7000 / (7000 + (21 + 12) / 2))

    page = page_of(looks, run)

    assert page.text("tr[data-measure=f1] td .sub") == "0.99674 – 0.99835"
    assert "TP / (TP + FP + FN)" in page.text("#tip-f1")


def test_structural_figures_have_their_intervals(looks: Browser) -> None:
    page = page_of(looks, completed())

    [row] = page.all("[aria-labelledby=structural-title] > .scroll tbody tr")
    below = [each.text() for each in row.css(".sub")]
    assert below == ["0.82988 – 0.94742", "0.85332 – 0.96105", "0.86068 – 0.94457"]


def test_strata_are_sorted_worst_first(looks: Browser) -> None:
    run = completed()
    small_variants(run, "SNP", "PASS", 6000, subset="lowmap", f1=0.90)
    small_variants(run, "SNP", "PASS", 7000, subset="easy", f1=0.99)
    small_variants(run, "SNP", "PASS", 0, subset="empty", f1=None, truth_total=0)
    small_variants(run, "SNP", "PASS", 6990, subset="TS_contained", f1=0.98)

    page = page_of(looks, run)

    order = chart(page, "strata-snp")["y"]["categories"]
    assert order == ["lowmap", "TS_contained", "easy"]
    rows = page.texts("#strata-snp-table tbody th")
    assert rows == order
    assert not page.has("#strata-indel")


def test_happys_own_strata_alone_are_none(looks: Browser) -> None:
    run = completed()
    small_variants(run, "SNP", "PASS", 6990, subset="TS_contained")

    assert not page_of(looks, run).has("#strata-snp")


def test_subtypes_have_their_table_and_chart(looks: Browser) -> None:
    run = completed()
    small_variants(run, "SNP", "PASS", 3000, subtype="ti", truth_total=3001)
    small_variants(run, "INDEL", "PASS", 0, subtype="C1_5", truth_total=0, query_fp=0)

    page = page_of(looks, run)

    assert page.texts("#subtypes tbody th") == ["SNP ti", "INDEL C1_5"]
    assert chart(page, "subtype-errors")["y"]["categories"] == ["SNP ti"]


def test_contigs_and_curves_come_from_beside_the_run(looks: Browser) -> None:
    run = completed()
    folder = run.folder / "happy"
    folder.mkdir(parents=True)
    counts = {"query_tp": 5, "fp": 0, "unk": 0}
    rows = [
        {"contig": "chr1", "truth_tp": 5, "fn": 1, **counts},
        {"contig": "chrX", "truth_tp": 0, "fn": 9, **counts},
    ]
    (folder / contigs.NAME).write_text(json.dumps(rows))
    point = {"truth_tp": 1, "truth_fn": 1, "query_fp": 1, "precision": 0.9}
    points = [{**point, "score": 9 - n, "recall": n / 9} for n in range(1, 5)]
    names = {"type": "SNP", "filter": "PASS", "field": "GQ"}
    curve: dict[str, Any] = {
        **names,
        "points": points,
        "whole": {**points[-1], "score": None},
    }
    (folder / curves.NAME).write_text(json.dumps([curve]))

    page = page_of(looks, run)

    tones = [p.get("tone") for p in chart(page, "contigs")["series"][0]["points"]]
    assert tones == [None, "bad"]
    assert page.has("#contigs-counted tbody tr:nth-child(2) .tag-warn")
    line, end = chart(page, "curve-snp")["series"]
    assert (len(line["points"]), line["symbol"]) == (4, "none")
    assert (end["name"], end["symbol"]) == ("PASS, no threshold", "star")
    assert "GQ ≥ 8" in line["points"][0]["text"]


def test_the_page_costs_the_same_whatever_the_run_brought(
    looks: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = completed()
    for number in range(30):
        small_variants(run, "SNP", "PASS", 6000, subset=f"stratum {number}")

    with django_assert_max_num_queries(18):
        page_of(looks, run)
