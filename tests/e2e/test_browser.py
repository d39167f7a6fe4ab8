"""The main job as a person does it, in headless Chromium.

VCBENCH_SCREENSHOTS names a folder that pictures of the pages are kept in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.laboratory import PASSWORD, SMALL, Laboratory

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Request

pytestmark = [
    pytest.mark.cases,
    pytest.mark.services,
    pytest.mark.browser,
    pytest.mark.xdist_group("laboratory"),
]
WIDTHS = (360, 1920)
LONG = 180_000
"""Milliseconds that a run may take."""


@pytest.fixture
def page(chrome: Browser, lab: Laboratory) -> Iterator[Page]:
    """A new visitor; no fault on a page and no request to another host is let pass."""
    context = chrome.new_context(base_url=lab.address, locale="en-CA")
    page = context.new_page()
    faults: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "WebSocket" not in message.text:
            faults.append(message.text)

    def see(request: Request) -> None:
        if not request.url.startswith((lab.address, "data:", "blob:")):
            faults.append(f"asked for {request.url}")

    page.on("console", hear)
    page.on("request", see)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep pictures of the page at both widths."""
    folder = os.environ.get("VCBENCH_SCREENSHOTS")

    def take(page: Page, name: str) -> None:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not overflows(page), f"{name} is wider than {width} px"
            if folder:
                path = Path(folder) / f"{name}-{width}.png"
                page.screenshot(path=path, full_page=True)

    return take


def overflows(page: Page) -> bool:
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("operators")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="New run").first).to_be_visible()


def import_sample(page: Page) -> str:
    """Start a run of the sample by the form; gives its id."""
    page.get_by_role("link", name="New run").first.click()
    page.get_by_label("Sample id").fill(SMALL)
    page.locator("input[name=stages][value=truvari]").uncheck()
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))
    return page.url.rstrip("/").rsplit("/", 1)[1]


def sequences(page: Page) -> list[int]:
    """The lines that the console holds."""
    found: list[int] = page.evaluate(
        "document.querySelector('[data-console]').console.lines.entries"
        ".map(entry => entry.sequence)"
    )
    return found


def expect_lines(page: Page, least: int) -> None:
    page.wait_for_function(
        "least => document.querySelector('[data-console]').console"
        "?.lines.entries.length >= least",
        arg=least,
    )


def expect_the_whole_log(page: Page, lab: Laboratory, run: str) -> None:
    """All lines once and in order, as the rows say."""
    state = page.locator("[data-state]")
    expect(state).to_contain_text("the log is complete", timeout=LONG)
    answer: dict[str, Any] = lab.api().ask("GET", f"runs/{run}")
    assert answer["status"] == "completed"
    assert sequences(page) == list(range(1, answer["last_sequence"] + 1))


def test_from_the_sign_in_to_the_results_in_french(
    page: Page, lab: Laboratory, picture: Callable[[Page, str], None]
) -> None:
    page.goto("/")
    picture(page, "sign-in")
    sign_in(page)
    picture(page, "overview")
    run = import_sample(page)
    expect_lines(page, 3)
    expect(page.locator("[data-state]")).to_contain_text("Live")
    page.reload()
    expect_lines(page, 3)
    expect_the_whole_log(page, lab, run)
    results = page.locator("#run-results")
    expect(results).to_contain_text("SNP", timeout=LONG)
    expect(results).to_contain_text("7,021")
    picture(page, "run")
    page.get_by_role("button", name="français", exact=False).click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("link", name="Nouvelle analyse").first).to_be_visible()
    expect(page.locator("[data-state]")).not_to_contain_text("complete")
    picture(page, "run-french")


def test_without_web_sockets_the_page_polls_and_says_so(
    page: Page, lab: Laboratory
) -> None:
    def refuse(socket: WebSocketRoute) -> None:
        socket.close(code=1013)

    page.route_web_socket(re.compile(r"/ws/"), refuse)
    sign_in(page)
    run = import_sample(page)
    state = page.locator("[data-state]")
    expect(state).to_contain_text("every 2 seconds", timeout=LONG)
    expect_the_whole_log(page, lab, run)


@pytest.mark.parametrize(
    "path", ["/", "/runs/", "/runs/new/", "/monitoring/", "/references/"]
)
def test_every_page_fits_both_widths(
    page: Page, path: str, picture: Callable[[Page, str], None]
) -> None:
    sign_in(page)
    page.goto(path)
    picture(page, path.strip("/").replace("/", "-") or "home")
