"""Charts and igv.js in headless Chromium, on the real cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from runs import reads
from tests.cases import case
from tests.portal.builders import completed, qc
from tests.portal.conftest import Browser
from tests.results import real
from tests.results.browsing import Tab, tab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.cases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("data_dir"),
    pytest.mark.xdist_group("chromium"),
]
PAGE_BYTES = 300_000
"""What a page may weigh before igv.js."""


@pytest.fixture(autouse=True)
def cases_may_be_read(configure: Callable[..., None], data_dir: Path) -> None:
    configure(path_roots=[case("hg38-chr20-5M-HG002").parent])


@pytest.fixture
def chrome_tab(chrome: Any, live_server: Any, looks: Browser) -> Iterator[Tab]:
    """A viewer's; faults of scripts and requests to other hosts fail the test."""
    session = looks.cookies["sessionid"].value
    with tab(chrome, live_server.url, session) as made:
        yield made
        own = live_server.url.split("/")[2]
    assert made.faults == []
    assert made.hosts <= {own, ""}


def test_from_the_run_to_a_false_positive_in_two_clicks(chrome_tab: Tab) -> None:
    run = real.small()
    page = chrome_tab.open(run.get_absolute_url())

    page.click("tr[data-measure=query-fp] td:nth-of-type(3) a")
    page.click("table.variants tbody tr:first-child th a")

    expect(page.locator("#genome")).to_have_attribute("data-drawn", "7", timeout=30_000)
    expect(page.locator("h1")).to_have_text("chr20:835164")
    for name in ("Truth", "Calls", "Verdicts", "Confident regions"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()


def test_the_words_of_the_drawing_are_seen_in_the_dark(chrome_tab: Tab) -> None:
    chrome_tab.page.emulate_media(color_scheme="dark")
    address = reverse("run-genome", args=[real.small().uuid])
    page = chrome_tab.open(f"{address}?n=0")
    expect(page.locator("#genome")).to_have_attribute("data-drawn", "7", timeout=30_000)

    label = page.get_by_text("Truth", exact=True).first
    for words in (label, page.locator(".igv-search-input")):
        expect(words).to_have_css("background-color", "rgb(255, 255, 255)")
        expect(words).to_have_css("color", "rgb(0, 0, 0)")


def test_reads_are_drawn_beneath(chrome_tab: Tab) -> None:
    run = real.with_reads()
    bam = case("hg19-chr20-10kb-NA12878") / "reads.bam"
    reads.remember(run, reads.Reads.at(str(bam)))
    with chrome_tab.page.expect_response(
        lambda answer: answer.url.endswith("/reads/alignment"), timeout=30_000
    ) as answered:
        address = reverse("run-genome", args=[run.uuid])
        page = chrome_tab.open(f"{address}?place=chr20:10001019")

    assert answered.value.status == 206
    expect(page.get_by_text("Reads", exact=True).first).to_be_visible()
    page.wait_for_function("!document.querySelector('.igv-loading-spinner')")


def test_charts_are_drawn_at_once_and_the_page_is_light(chrome_tab: Tab) -> None:
    run = real.small()
    for category in ("Mapping", "VC", "Ploidy"):
        for line in range(60):
            qc(run, category, f"Metric {line} of {category}", "1", 1.0, line=line)
    page = chrome_tab.open(run.get_absolute_url())

    page.locator("#subtype-errors").scroll_into_view_if_needed()
    page.wait_for_selector("#subtype-errors svg .symbol")

    assert chrome_tab.size < PAGE_BYTES
    took = page.evaluate(
        """() => { const start = performance.now();
        for (const plot of document.querySelectorAll("[data-chart-plot]"))
            plot.dispatchEvent(new KeyboardEvent("keydown", { key: "0" }));
        return performance.now() - start; }"""
    )
    assert took < 500


def test_a_chart_is_read_by_keys(chrome_tab: Tab) -> None:
    page = chrome_tab.open(completed().get_absolute_url())
    plot = page.locator("#small-errors [data-chart-plot]")
    plot.scroll_into_view_if_needed()
    page.wait_for_selector("#small-errors svg")

    plot.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")

    said = "missed (1 − recall)\nSNP ALL\n1 − recall: 0.008688\n61 of 7,021"
    expect(page.locator("#announcer")).to_contain_text(said)
    expect(page.locator("#small-errors .chart-tip")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#announcer")).to_contain_text("false (1 − precision)")
    page.keyboard.press("Escape")
    expect(page.locator("#small-errors .chart-tip")).to_be_hidden()


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_chart_can_be_taken_away(chrome_tab: Tab, kind: str, start: bytes) -> None:
    page = chrome_tab.open(completed().get_absolute_url())
    page.locator("#small-errors").scroll_into_view_if_needed()

    with page.expect_download() as download:
        page.click(f"#small-errors [data-export={kind}]")

    content = download.value.path().read_bytes()
    assert download.value.suggested_filename == f"small-errors.{kind}"
    assert content.startswith(start)
    if kind == "svg":
        text = content.decode()
        assert "What is missed and what is false" in text
        assert "missed (1 − recall)" in text
        assert "var(" not in text
        assert 'class="symbol' in text
        assert 'fill="rgb(' in text


def test_a_series_can_be_left_out(chrome_tab: Tab) -> None:
    page = chrome_tab.open(completed().get_absolute_url())
    chart = page.locator("#small-errors")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("svg[viewBox] .symbol")).to_have_count(8 + 2)

    chart.locator("[data-chart-legend] button").first.click()

    expect(chart.locator("[data-chart-plot] .symbol")).to_have_count(4)


def test_a_formula_opens_on_focus_and_closes_by_escape(chrome_tab: Tab) -> None:
    page = chrome_tab.open(completed().get_absolute_url())
    page.locator("tr[data-measure=query-unk] .tip").focus()

    page.keyboard.press("Tab")

    tip = page.locator("#tip-recall")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("TRUTH.TP / (TRUTH.TP + TRUTH.FN)")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
