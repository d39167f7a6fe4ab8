"""Compare, over time, QC and the report in headless Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from runs.models import Annotation
from tests.portal.builders import completed
from tests.portal.conftest import Browser
from tests.results.browsing import Tab
from tests.results.history import History, make_history
from tests.results.test_accessibility import chrome_tab as chrome_tab
from tests.results.test_accessibility import faults, in_french
from tests.results.test_accessibility import scheme as scheme

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("data_dir"),
    pytest.mark.xdist_group("chromium"),
]
LIGHT = pytest.mark.parametrize("scheme", ["light"], indirect=True)
RECALL = "small|INDEL|PASS|*|recall"


@pytest.fixture
def history(transactional_db: None) -> History:
    return make_history(80, 4)


def addresses(history: History) -> dict[str, str]:
    Annotation.objects.create(date=history.runs[9].created_at.date(), text="new lot")
    first, last = history.of("HG001")[0], history.of("HG001")[-1]
    return {
        "compare": f"/compare/?run={first.uuid}&run={last.uuid}",
        "over time": f"/over-time/?individual=HG001&metric={RECALL}",
        "QC": "/qc/?category=Mapping&other=small",
        "report": reverse("run-report", args=[first.uuid]),
    }


@pytest.mark.parametrize("name", ["compare", "over time", "QC", "report"])
def test_no_accessibility_fault(chrome_tab: Tab, history: History, name: str) -> None:
    chrome_tab.open(addresses(history)[name])

    assert faults(chrome_tab) == []


@LIGHT
@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_is_wider_than_the_window(
    chrome_tab: Tab, history: History, width: int
) -> None:
    chrome_tab.page.set_viewport_size({"width": width, "height": 800})
    for name, address in addresses(history).items():
        page = chrome_tab.open(address)
        found = page.evaluate("document.documentElement.scrollWidth")
        assert found <= width, name


@LIGHT
@pytest.mark.parametrize("name", ["compare", "over time", "QC"])
def test_no_accessibility_fault_in_french_on_a_telephone(
    chrome_tab: Tab, history: History, name: str
) -> None:
    in_french(chrome_tab)
    chrome_tab.page.set_viewport_size({"width": 360, "height": 800})
    page = chrome_tab.open(addresses(history)[name])

    assert page.locator("html").get_attribute("lang") == "fr"
    assert faults(chrome_tab) == []


@LIGHT
def test_a_control_chart_by_keys(chrome_tab: Tab, history: History) -> None:
    page = chrome_tab.open(addresses(history)["over time"])
    plot = page.locator("#control [data-chart-plot]")
    expect(plot.locator("svg")).to_be_visible()
    assert plot.locator(".symbol").count() == 20
    assert plot.locator(".mark-label").count() == 10

    plot.focus()
    page.keyboard.press("Home")
    expect(page.locator("#announcer")).to_contain_text("NA12878_Lib1_Rep1")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{history.of('HG001')[0].get_absolute_url()}")
    assert chrome_tab.hosts == {chrome_tab.base.split("/")[2]}


@LIGHT
def test_runs_are_chosen_and_compared(chrome_tab: Tab) -> None:
    completed("NA24143_a")
    completed("NA24143_b")
    page = chrome_tab.open("/runs/")

    for box in page.locator("tbody input[type=checkbox]").all():
        box.check()
    page.click("#compare-chosen button")

    expect(page.locator(".compared > li")).to_have_count(2)
    expect(page.locator("#numbers tbody").first).to_contain_text("Recall")


@LIGHT
def test_values_of_a_chart_become_its_baseline(
    chrome_tab: Tab, history: History
) -> None:
    page = chrome_tab.open(addresses(history)["over time"])
    page.click("#values summary")
    boxes = page.locator("#values tbody input")
    for at in range(6):
        boxes.nth(at).check()

    page.click("#chosen button[name=baseline]")

    expect(page.locator("#course-title")).to_have_text("HG001: INDEL PASS Recall")
    expect(page.locator("section > p").first).to_contain_text("from 6 values")


@LIGHT
def test_the_report_is_one_file_that_asks_for_nothing(
    chrome_tab: Tab, looks: Browser, tmp_path: Path
) -> None:
    answer = looks.get(reverse("run-report", args=[completed().uuid]))
    file = tmp_path / "report.html"
    file.write_bytes(answer.content)
    asked: list[Any] = []
    chrome_tab.page.on("request", lambda request: asked.append(request.url))

    chrome_tab.page.goto(file.as_uri())

    expect(chrome_tab.page.locator("figure svg").first).to_be_visible()
    assert asked == [file.as_uri()]
