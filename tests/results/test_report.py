"""Reports of a run: a file of HTML that needs nothing, and a PDF."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate
from reportlab.platypus import Table as Grid

from runs.report import Report, Section, Table, report_of
from runs.report_pdf import pdf
from tests.portal.builders import completed, file_of, make_run, small_variants
from tests.portal.conftest import Browser
from tests.portal.page import Page, words

pytestmark = pytest.mark.django_db
NAMES = ["run-report", "run-report-pdf"]


def whole_run() -> Any:
    run = completed(
        provenance={"happy": {"engine": "builtin", "commands": ["happy a.vcf b.vcf"]}}
    )
    small_variants(run, "SNP", "PASS", 90, subset="low <map>", truth_total=100)
    file_of(run, "download/a.vcf.gz")
    return run


def page_of(browser: Browser, run: Any) -> Page:
    return browser.page(reverse("run-report", args=[run.uuid]))


def test_the_report_has_all_that_the_run_brought(looks: Browser) -> None:
    page = page_of(looks, whole_run())

    assert page.texts("h2") == [
        "Small variants",
        "Structural variants",
        "QC metrics",
        "How this was made",
        "Files",
    ]
    assert page.facts("main > dl")["Individual"] == "HG004"
    assert "SNP PASS" in page.texts("thead th")
    assert page.all("figure svg text")
    assert "low <map>" in page.texts("tbody th")


def test_the_report_compares_with_the_runs_before(looks: Browser) -> None:
    completed()
    run = whole_run()

    page = page_of(looks, run)

    [section] = [
        each
        for each in page.all("section")
        if each.css("h2")[0].text() == "Compared with the runs before"
    ]
    [first, *_rest] = section.css("tbody tr")
    cells = [cell.text() for cell in first.css("th, td")]
    assert cells[:4] == ["SNP PASS F1", "0.991304", "0.991304", "0.000000"]
    assert set(cells[4:]) == {"–"}, "one run is no baseline"
    assert len(section.css("figure svg")) == 3
    assert pdf(report_of(run)).startswith(b"%PDF-")


def test_a_checksum_says_of_what_kind_it_is(looks: Browser) -> None:
    run = whole_run()
    file_of(run, "happy/made.csv", md5="", verified_by="")

    page = page_of(looks, run)

    rows = [[words(cell) for cell in row.css("th, td")] for row in page.all("tr")]
    kept = {row[0]: row[-1] for row in rows if "/" in row[0]}
    assert kept["download/a.vcf.gz"] == "md5 0123456789abcdef0123456789abcdef"
    assert kept["happy/made.csv"] == ""


def test_it_needs_no_network_and_no_script(looks: Browser) -> None:
    run = whole_run()
    answer = looks.get(reverse("run-report", args=[run.uuid]))
    page = page_of(looks, run)

    assert not page.has("script, link:not([href='data:,']), img, iframe")
    assert not re.search(
        rb"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", answer.content
    )
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy


def test_it_can_be_kept(looks: Browser) -> None:
    run = whole_run()

    answer = looks.get(reverse("run-report", args=[run.uuid]), {"keep": "1"})

    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{run.sample.name}.report.html"'
    )


def test_the_pdf(looks: Browser) -> None:
    run = whole_run()

    answer = looks.get(reverse("run-report-pdf", args=[run.uuid]))

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer.content.rstrip().endswith(b"%%EOF")
    assert b"/Type /Page" in answer.content


def test_long_and_strange_words_fit_the_pdf() -> None:
    report = report_of(whole_run())
    wide = Table(["a", "b", "c"], [["x" * 300, "<b>&\n1", "9" * 30]], "<i>", words=2)
    strange = [Section("<b>&", [wide], note="−≥…é")]

    content = pdf(
        type(report)(report.title, report.facts, report.findings, strange, report.made)
    )

    assert content.startswith(b"%PDF-")


@pytest.mark.parametrize("rows", range(40, 64, 2))
def test_no_heading_ends_a_page_of_the_pdf(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed: list[tuple[int, Flowable]] = []
    monkeypatch.setattr(
        SimpleDocTemplate,
        "afterFlowable",
        lambda self, flowable: placed.append((self.page, flowable)),
    )
    above = Table(["Name", "Value"], [["a", "1"]] * rows)
    below = Table(["Name", "Value"], [["b", "2"]] * 25, "Titled")
    sections = [Section("Above", [above]), Section("Below", [below], note="A note.")]

    pdf(Report("Title", [("Run", "1")], (), sections, "now"))

    titled = next(
        at
        for at, (_, flowable) in enumerate(placed)
        if isinstance(flowable, Paragraph) and flowable.text == "Titled"
    )
    heading, _note, _space, _title, grid = placed[titled - 3 : titled + 2]
    assert isinstance(grid[1], Grid)
    assert heading[0] == grid[0]


def test_in_french(looks: Browser) -> None:
    run = whole_run()
    with translation.override("fr"):
        report = report_of(run)
        content = pdf(report)

    assert report.sections[0].title == "Petits variants"
    assert content.startswith(b"%PDF-")


def test_a_run_without_results_has_a_report_too(looks: Browser) -> None:
    run = make_run()

    assert page_of(looks, run).texts("h2") == []
    assert looks.get(reverse("run-report-pdf", args=[run.uuid])).status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_who_may_read_it(
    looks: Browser, not_allowed: Browser, anonymous: Browser, name: str
) -> None:
    address = reverse(name, args=[make_run().uuid])

    assert not_allowed.get(address).status_code == 403
    assert anonymous.get(address).status_code == 302
    assert looks.post(address).status_code == 405
    assert looks.get(reverse(name, args=[uuid.uuid4()])).status_code == 404


def test_costs_the_same_for_many_rows(
    looks: Browser, django_assert_max_num_queries: Any
) -> None:
    run = whole_run()
    for at in range(20):
        small_variants(run, "SNP", "PASS", 90, subset=f"s{at}", truth_total=100)

    with django_assert_max_num_queries(20):
        page_of(looks, run)


def test_every_number_of_a_run_can_be_taken_away(looks: Browser) -> None:
    page = looks.page(whole_run().get_absolute_url())

    links = page.all(".panel .take a")

    assert len(links) == 9
    for link in links:
        assert looks.get(str(link.attributes["href"])).status_code == 200
