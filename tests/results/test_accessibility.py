"""axe-core over every page, in both colour schemes: no fault, no console error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from runs.models import Run, Status
from tests.cases import ROOT, case
from tests.portal.builders import completed, failed, qc, running
from tests.portal.conftest import Browser
from tests.results import real
from tests.results.browsing import Tab, tab

AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("data_dir"),
    pytest.mark.xdist_group("chromium"),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# igv.js draws its own controls; what it leaves out stands beside it as text.
LEFT_OUT = ["#genome"]


@pytest.fixture(autouse=True)
def cases_may_be_read(configure: Callable[..., None], data_dir: Path) -> None:
    configure(path_roots=[ROOT])


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def chrome_tab(
    chrome: Any, live_server: Any, operates: Browser, scheme: str
) -> Iterator[Tab]:
    session = operates.cookies["sessionid"].value
    with tab(chrome, live_server.url, session, color_scheme=scheme) as made:
        yield made
    assert made.faults == []


def faults(made: Tab) -> list[str]:
    """What axe finds, a line each."""
    for fold in made.page.locator("details").all():
        fold.evaluate("fold => { if (!fold.closest('header')) fold.open = true; }")
    for chart in made.page.locator("[data-chart]").all():
        chart.scroll_into_view_if_needed()
    made.page.evaluate(AXE.read_text())
    found = made.page.evaluate(
        """async ([tags, out]) => (await axe.run({ exclude: out.map((s) => [s]) },
        { runOnly: { type: "tag", values: tags } })).violations.flatMap((each) =>
        each.nodes.map((node) => `${each.id}: ${node.target} ${node.html}`))
        """,
        [RULES, LEFT_OUT],
    )
    return [str(line) for line in found]


def busy() -> Run:
    """A portal with something on every page."""
    failed()
    running("NA24143_Lib9_Rep1")
    run = completed()
    for line in range(3):
        qc(run, "VC", f"Metric {line}", "1", 1.0, line=line + 2)
    return run


@pytest.mark.parametrize(
    "name",
    ["overview", "run-list", "monitoring", "references", "settings-tokens", "new-run"],
)
def test_pages_of_the_portal(chrome_tab: Tab, name: str) -> None:
    busy()
    chrome_tab.open(reverse(name))

    assert faults(chrome_tab) == []


def in_french(made: Tab) -> None:
    made.page.context.add_cookies(
        [{"name": "django_language", "value": "fr", "url": made.base}]
    )


@pytest.mark.parametrize("scheme", ["light"], indirect=True)
@pytest.mark.parametrize(
    "name",
    ["overview", "run-list", "monitoring", "references", "settings-tokens", "new-run"],
)
def test_in_french_on_a_telephone(chrome_tab: Tab, name: str) -> None:
    busy()
    in_french(chrome_tab)
    chrome_tab.page.set_viewport_size({"width": 360, "height": 800})
    page = chrome_tab.open(reverse(name))

    assert page.locator("html").get_attribute("lang") == "fr"
    assert faults(chrome_tab) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("source", ["zip", "path", "url"])
def test_the_other_ways_to_a_new_run(chrome_tab: Tab, source: str) -> None:
    chrome_tab.open(f"{reverse('new-run')}?source={source}")

    assert faults(chrome_tab) == []


def test_what_opens_over_a_page(chrome_tab: Tab) -> None:
    busy()
    page = chrome_tab.open(Run.objects.get(status=Status.RUNNING).get_absolute_url())
    page.locator("details.menu > summary").click()
    assert faults(chrome_tab) == []

    page.keyboard.press("Escape")
    page.locator("#run-state .button-bad").click()
    expect(page.locator("#confirm")).to_be_visible()

    assert faults(chrome_tab) == []


def test_an_explanation_that_is_open(chrome_tab: Tab) -> None:
    page = chrome_tab.open(busy().get_absolute_url())
    page.locator("tr[data-measure=f1] .tip").hover()
    expect(page.locator("#tip-f1")).to_be_visible()

    assert faults(chrome_tab) == []


@pytest.mark.parametrize("name", ["run-variants", "run-genome"])
def test_pages_of_a_run_without_files(chrome_tab: Tab, name: str) -> None:
    chrome_tab.open(reverse(name, args=[busy().uuid]))

    assert faults(chrome_tab) == []


def test_the_page_of_a_sample(chrome_tab: Tab) -> None:
    chrome_tab.open(busy().sample.get_absolute_url())

    assert faults(chrome_tab) == []


@pytest.mark.parametrize("state", [Status.RUNNING, Status.COMPLETED, Status.ERROR])
def test_the_page_of_a_run(chrome_tab: Tab, state: str) -> None:
    busy()
    chrome_tab.open(Run.objects.get(status=state).get_absolute_url())

    assert faults(chrome_tab) == []


@pytest.mark.cases
@pytest.mark.parametrize("name", ["run", "run-variants", "run-genome"])
def test_real_results(chrome_tab: Tab, name: str) -> None:
    case("hg38-chr20-5M-HG002")
    run = real.small()
    chrome_tab.open(f"{reverse(name, args=[run.uuid])}?n=0")

    assert faults(chrome_tab) == []


@pytest.mark.cases
def test_real_structural_results(chrome_tab: Tab) -> None:
    chrome_tab.open(real.structural_run().get_absolute_url())

    assert faults(chrome_tab) == []


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", ["run", "run-variants", "run-genome"])
def test_nothing_is_wider_than_the_window(
    chrome_tab: Tab, name: str, width: int
) -> None:
    chrome_tab.page.set_viewport_size({"width": width, "height": 800})
    page = chrome_tab.open(reverse(name, args=[busy().uuid]))

    assert page.evaluate("document.documentElement.scrollWidth") <= width
