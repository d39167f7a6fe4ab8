"""The page that sets runs beside each other."""

from __future__ import annotations

import csv
import io
import json
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.urls import reverse

from benchmarks import variants
from benchmarks.models import SmallVariantMetric, StructuralVariantMetric
from runs.models import Run
from tests.portal.builders import completed, make_run, small_variants
from tests.portal.conftest import Browser
from tests.portal.page import Page

pytestmark = pytest.mark.django_db
PAGE = "/compare/"


def pair(**changes: Any) -> tuple[Run, Run]:
    """Two completed runs; the second has SNP recall that is clearly lower."""
    first, second = completed(), completed(**changes)
    worse = SmallVariantMetric.objects.filter(run=second, type="SNP", filter="PASS")
    worse.update(recall=0.97, truth_tp=6810, truth_fn=211, f1=0.98)
    return first, second


def rows_of(page: Page, group: str) -> list[list[str]]:
    """The lines of the table of metrics below that heading."""
    for body in page.all("#numbers tbody"):
        heading, *rows = body.css("tr")
        if heading.text().strip() == group:
            return [
                [" ".join(cell.text().split()) for cell in row.css("th, td")]
                for row in rows
            ]
    raise LookupError(group)


def ids(*runs: Run) -> list[str]:
    return [str(run.uuid) for run in runs]


def keep_variants(run: Run, *places: tuple[str, int, str]) -> None:
    """The columnar file of a run, with these false variants."""
    file = run.folder / "happy" / variants.NAME
    file.parent.mkdir(parents=True)
    rows = [
        (at, contig, position, verdict)
        for at, (contig, position, verdict) in enumerate(places, 1)
    ]
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE v (place BIGINT, contig VARCHAR, position BIGINT, "
            "verdict VARCHAR)"
        )
        for row in rows:
            database.execute("INSERT INTO v VALUES (?, ?, ?, ?)", row)
        database.sql(
            "SELECT *, 'A' AS ref, 'T' AS alt, 'query' AS side, "
            "'no match' AS reason, 'SNP' AS type, 'tv' AS subtype, '0/1' AS genotype, "
            "0 AS size, 40.0 AS quality, 'PASS' AS filter, ['*']::VARCHAR[] AS strata "
            "FROM v"
        ).write_parquet(str(file))


def test_the_difference_is_named_in_words_and_sign(looks: Browser) -> None:
    page = looks.page(PAGE, run=ids(*pair()))

    assert page.status == 200
    first = page.texts(".apart-worse")[0]
    assert first.startswith("▼ worse −0.021312")
    cells = page.row("#numbers tbody:first-of-type tr:nth-child(2)")
    assert cells[0] == "Recall"
    assert cells[1].startswith("0.991312 0.9888")


def test_f1_and_genotype_concordance_are_judged_by_intervals_too(
    looks: Browser,
) -> None:
    first, second = pair()
    StructuralVariantMetric.objects.filter(run=second).update(gt_concordance=0.5)

    page = looks.page(PAGE, run=ids(first, second))

    rows = {
        (group, cells[0]): cells[1:]
        for group in ("SNP", "Structural variants")
        for cells in rows_of(page, group)
    }
    assert rows["SNP", "F1"][0].startswith("0.991304 0.99348")
    assert rows["SNP", "F1"][1].startswith("0.980000 ▼ worse −0.011304")
    assert rows["Structural variants", "F1"][1].endswith("= the same")
    concordance = rows["Structural variants", "GT concordance"][1]
    assert "▼ worse −0.370000" in concordance
    assert "…" in concordance


def test_within_the_interval_nothing_is_claimed(looks: Browser) -> None:
    first, second = pair()
    SmallVariantMetric.objects.filter(run=second, type="SNP").update(
        recall=6959 / 7021, truth_tp=6959, truth_fn=62
    )

    page = looks.page(PAGE, run=ids(first, second))

    assert "≈ within −0.000142" in page.texts(".apart-within")[0]
    assert not page.has(".apart-worse")


def test_like_runs_are_said_to_be_alike(looks: Browser) -> None:
    page = looks.page(PAGE, run=ids(*pair()))

    assert not page.has(".note-warning")
    assert "measured alike" in page.text(
        "section[aria-labelledby=conditions-title] > p"
    )


def test_what_was_not_measured_alike_is_named(looks: Browser) -> None:
    first, second = pair(
        provenance={
            "reference": {"small": "HG004-v5.0q", "build": "GRCh38"},
            "happy": {"engine": "builtin", "versions": {"vcbench": "2"}},
        }
    )
    Run.objects.filter(pk=first.pk).update(
        provenance={
            "reference": {"small": "HG004-v4.2.1", "build": "GRCh38"},
            "happy": {"engine": "builtin", "versions": {"vcbench": "1"}},
        }
    )
    SmallVariantMetric.objects.filter(run=second).update(truth_total=1, engine="happy")

    warnings = looks.page(PAGE, run=ids(first, second)).texts(".note-warning li")

    named = {text.partition(":")[0]: text for text in warnings}
    assert list(named) == [
        "Truth set, small variants",
        "TRUTH.TOTAL of SNP",
        "TRUTH.TOTAL of INDEL",
        "Engine for small variants",
        "its versions",
    ]
    assert named["TRUTH.TOTAL of SNP"].endswith("A 7021; B 1")
    assert named["Truth set, small variants"].endswith("A HG004-v4.2.1; B HG004-v5.0q")


def test_variants_that_one_gets_wrong_both_ways(looks: Browser, data_dir: Path) -> None:
    first, second = pair()
    keep_variants(first, ("chr1", 100, "FP"), ("chr1", 200, "FN"))
    keep_variants(second, ("chr1", 100, "FP"), ("chr2", 300, "FN"), ("chr2", 400, "FP"))

    page = looks.page(PAGE, run=ids(first, second))

    assert page.texts("#variants h3") == [
        "Wrong in A, right in B: 1",
        "Wrong in B, right in A: 2",
    ]
    assert page.texts("#variants tbody th") == ["chr1:200", "chr2:300", "chr2:400"]
    link = page.all("#variants tbody a")[1].attributes["href"]
    assert link == (f"/runs/{second.uuid}/genome/?verdict=FN&place=chr2%3A300-300&n=0")


def test_variants_can_be_narrowed(looks: Browser, data_dir: Path) -> None:
    first, second = pair()
    keep_variants(first)
    keep_variants(second, ("chr2", 300, "FN"), ("chr2", 400, "FP"))

    page = looks.page(PAGE, run=ids(first, second), verdict="FP")

    assert page.texts("#variants tbody th") == ["chr2:400"]


def test_without_their_files_the_variants_are_said_to_be_missing(
    looks: Browser, data_dir: Path
) -> None:
    page = looks.page(PAGE, run=ids(*pair()))

    assert page.status == 200
    assert len(page.texts("#variants .quiet-text")) == 2


def test_a_sample_id_stands_for_its_newest_completed_run(looks: Browser) -> None:
    first = completed()
    newest = completed("NA24143_Lib9")
    make_run("NA24143_Lib9")

    page = looks.page(PAGE, run=[str(first.uuid), "NA24143_Lib9"])

    links = [node.attributes["href"] for node in page.all(".compared > li > div > a")]
    assert links == [first.get_absolute_url(), newest.get_absolute_url()]


def test_one_run_asks_for_another(looks: Browser) -> None:
    first, second = pair()

    page = looks.page(PAGE, run=ids(first))

    assert page.status == 200
    assert not page.has("table")
    options = [node.attributes["value"] for node in page.all("#add-offered option")]
    assert options == ["", str(second.uuid)]


def test_what_is_no_run_is_said(looks: Browser) -> None:
    page = looks.page(PAGE, run=[*ids(*pair()), str(uuid.uuid4()), "nobody"])

    assert page.status == 400
    assert len(page.all("[role=alert]")) == 2
    assert page.has("#numbers")


def test_more_than_eight_are_too_many(looks: Browser) -> None:
    page = looks.page(PAGE, run=ids(*[completed() for _ in range(9)]))

    assert page.status == 400
    assert "At most 8" in page.text("[role=alert]")
    assert len(page.all(".compared > li")) == 8


def test_filters_that_cannot_be_read(looks: Browser) -> None:
    page = looks.page(PAGE, run=ids(*pair()), passing="x", stratum="y")

    assert page.status == 400
    assert page.has(".fault")


def test_only_viewers_compare(not_allowed: Browser, anonymous: Browser) -> None:
    assert not_allowed.get(PAGE).status_code == 403
    assert anonymous.get(PAGE).headers["Location"] == f"{reverse('login')}?next={PAGE}"


def test_there_is_nothing_to_post(looks: Browser) -> None:
    assert looks.post(PAGE).status_code == 405


def test_the_numbers_as_csv_tsv_and_json(looks: Browser) -> None:
    first, second = pair(pipeline="=cmd|' /C calc'!A0")
    query = {"run": ids(first, second)}

    text = looks.get(PAGE, {**query, "format": "csv"}).getvalue().decode()
    tabs = looks.get(PAGE, {**query, "format": "tsv"}).getvalue().decode()
    items = json.loads(looks.get(PAGE, {**query, "format": "json"}).content)["items"]

    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[1]["pipeline"] == "'=cmd|' /C calc'!A0"
    assert rows[1]["verdict"] == "worse"
    assert len(tabs.splitlines()) == len(rows) + 1 == len(items) + 1
    assert items[1]["value"] == 0.97


def test_the_variants_as_csv(looks: Browser, data_dir: Path) -> None:
    first, second = pair()
    keep_variants(first, ("chr1", 100, "FP"))
    keep_variants(second, ("chr2", 300, "FN"))
    query = {"run": ids(first, second), "format": "csv", "table": "variants"}

    text = looks.get(PAGE, query).getvalue().decode()

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(r["wrong_in"], r["contig"]) for r in rows] == [
        (str(first.uuid), "chr1"),
        (str(second.uuid), "chr2"),
    ]


def test_strata_can_be_compared(looks: Browser) -> None:
    first, second = pair()
    for run, found in ((first, 90), (second, 80)):
        small_variants(run, "SNP", "PASS", found, subset="lowmap", truth_total=100)

    page = looks.page(PAGE, run=ids(first, second), stratum="lowmap")

    cells = page.row("#numbers tbody:first-of-type tr:nth-child(5)")
    assert cells[:2] == ["TRUTH.TOTAL", "100"]


def test_costs_the_same_for_two_and_eight_runs(
    looks: Browser, django_assert_num_queries: Any
) -> None:
    runs = [completed() for _ in range(8)]
    looks.get(PAGE, {"run": ids(*runs[:2])})

    with django_assert_num_queries(10):
        looks.get(PAGE, {"run": ids(*runs[:2])})
    with django_assert_num_queries(10):
        looks.get(PAGE, {"run": ids(*runs)})
