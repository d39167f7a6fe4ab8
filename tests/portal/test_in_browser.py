"""What the pages do by script, in headless Chromium: send, ask, renew, switch."""

from __future__ import annotations

import csv
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Request, Route, expect

from runs import lifecycle
from runs.api import parts
from runs.models import Run, Status
from runs.uploads import in_parts
from tests.builders import claim_of
from tests.portal.builders import completed, failed, make_run, running, small_variants
from tests.portal.conftest import Browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ZIP = "/runs/new/?source=zip"


@pytest.fixture
def page(chrome: Any, live_server: Any, operates: Browser) -> Iterator[Page]:
    """An operator's tab; a fault of a script fails the test."""
    context = chrome.new_context(
        base_url=live_server.url, locale="en", color_scheme="light"
    )
    cookie = operates.cookies["sessionid"].value
    context.add_cookies(
        [{"name": "sessionid", "value": cookie, "url": live_server.url}]
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert not faults


@pytest.fixture
def archive(
    tmp_path: Path, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A ZIP of about 3 MB, which is sent in parts of 1 MB."""
    configure(data_dir=tmp_path)
    monkeypatch.setattr(parts, "PART_BYTES", 1_000_000)
    path = tmp_path / "calls.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("NA24385.sv.vcf.gz", os.urandom(3_000_000))
    return path


def choose(page: Page, archive: Path, sample: str = "NA24385_zip") -> None:
    page.goto(ZIP)
    page.fill("#id_sample_id", sample)
    page.set_input_files("#id_file", archive)
    page.click("[data-send]")


def stopped_without_a_trace(page: Page) -> None:
    expect(page.locator("[data-words]")).to_have_text("Stopped. Nothing was kept.")
    expect(page.locator("[data-send]")).to_be_enabled()
    assert in_parts().all() == []


def arrived(run: Run, archive: Path, tmp_path: Path) -> bool:
    kept = tmp_path / str(run.location["archive"])
    return kept.read_bytes() == archive.read_bytes()


def test_an_archive_is_sent_in_parts(page: Page, archive: Path, tmp_path: Path) -> None:
    offsets: list[str] = []

    def see(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(request.url)

    page.on("request", see)

    choose(page, archive)

    expect(page.locator("h1")).to_have_text("NA24385_zip")
    assert len(offsets) == 4
    assert arrived(Run.objects.get(), archive, tmp_path)


def test_an_upload_goes_on_after_a_cut(
    page: Page, archive: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    def cut(route: Route) -> None:
        asked.append(route.request.method)
        if len(asked) == 2:
            route.abort("connectionreset")
        elif len(asked) == 3:  # a proxy whose portal is restarting
            route.fulfill(status=502)
        else:
            route.continue_()

    page.route("**/upload/parts/**", cut)

    choose(page, archive)

    expect(page.locator("h1")).to_have_text("NA24385_zip")
    assert asked == ["PATCH", "PATCH", "GET", "GET", "PATCH", "PATCH", "PATCH"]
    assert arrived(Run.objects.get(), archive, tmp_path)


def test_the_same_file_goes_on_in_another_tab(
    page: Page, archive: Path, tmp_path: Path
) -> None:
    sent: list[int] = []

    def leave(route: Route) -> None:
        sent.append(1)
        if len(sent) == 3:
            return  # never answered: the person leaves meanwhile
        route.continue_()

    page.route("**/upload/parts/**", leave)
    choose(page, archive)
    expect(page.locator("[data-words]")).to_contain_text("66 %")
    later = page.context.new_page()

    with later.expect_request(lambda asked: asked.method == "PATCH") as first:
        choose(later, archive)

    expect(later.locator("h1")).to_have_text("NA24385_zip")
    assert first.value.url.endswith("offset=2000000")
    assert arrived(Run.objects.get(), archive, tmp_path)


def test_a_stopped_upload_leaves_nothing(page: Page, archive: Path) -> None:
    page.route(
        "**/upload/parts/*offset*",
        lambda route: None,  # never answered
    )

    with page.expect_request(lambda asked: asked.method == "PATCH"):
        choose(page, archive)
    page.click("[data-stop]")

    stopped_without_a_trace(page)


def test_an_upload_stopped_before_it_has_a_name_leaves_nothing(
    page: Page, archive: Path
) -> None:
    held: list[Route] = []
    page.route("**/upload/parts", lambda route: held.append(route))

    with page.expect_request(lambda asked: asked.method == "POST"):
        choose(page, archive)
    page.click("[data-stop]")
    [opening] = held
    opening.continue_()

    stopped_without_a_trace(page)


def test_an_upload_that_waits_to_try_again_is_stopped_at_once(
    page: Page, archive: Path
) -> None:
    page.route("**/upload/parts/*", lambda route: route.abort("connectionreset"))
    page.clock.install(time=0)
    page.clock.pause_at(1)  # no later try comes by itself

    choose(page, archive)
    expect(page.locator("[data-words]")).to_have_text("Connection lost; trying again…")
    page.unroute("**/upload/parts/*")
    page.click("[data-stop]")

    stopped_without_a_trace(page)


def test_a_refused_upload_says_why(
    page: Page, archive: Path, configure: Callable[..., None]
) -> None:
    configure(upload_max_gb=0.000001)

    choose(page, archive)

    expect(page.locator("[data-words]")).to_contain_text("VCBENCH_UPLOAD_MAX_GB")


def test_cancelling_asks_first(page: Page) -> None:
    run = make_run()
    page.goto(run.get_absolute_url())
    status = page.locator("#run-badge .status")

    page.locator("#run-state .button-bad").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    expect(status).to_have_text("pending")

    page.keyboard.press("Enter")
    page.click("[data-yes]")
    expect(status).to_have_text("cancelled")


def test_the_page_of_a_run_renews_itself(page: Page) -> None:
    run = running(stage="happy")
    page.goto(run.get_absolute_url())
    expect(page.locator(".verdict")).to_have_count(0)

    small_variants(run, "SNP", "PASS", 6960)
    lifecycle.finish(claim_of(run), Status.COMPLETED)

    expect(page.locator("#run-badge .status")).to_have_text("completed")
    expect(page.locator(".verdict-snp .first")).to_have_text("0.9913")
    expect(page.locator("#announcer")).to_have_text("Status: completed")
    expect(page.locator("#launch-title")).to_be_visible()


def test_the_colours_are_those_of_the_system_until_they_are_switched(
    page: Page,
) -> None:
    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page.goto("/")
    light = ground()
    page.emulate_media(color_scheme="dark")
    dark = ground()
    page.click("[data-theme-switch]")
    assert dark != light
    assert ground() == light

    page.reload()

    assert ground() == light
    expect(page.locator("[data-theme-switch]")).to_have_attribute(
        "aria-pressed", "false"
    )


def taken(page: Page, button: str, kind: str) -> str:
    with page.expect_download() as download:
        page.click(f"{button} [data-take={kind}]")
    assert download.value.suggested_filename.endswith(f".{kind}")
    return download.value.path().read_text()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_table_is_taken_away_as_numbers_in_any_language(
    page: Page, language: str
) -> None:
    run = completed()
    page.goto("/")
    page.context.add_cookies(
        [{"name": "django_language", "value": language, "url": page.url}]
    )
    page.goto(run.get_absolute_url())

    text = taken(page, ".measures-table", "csv")

    heading, *rows = csv.reader(text.splitlines())
    named = {row[0]: dict(zip(heading, row, strict=True)) for row in rows}
    assert named["TRUTH.TOTAL"]["SNP PASS"] == "7021"
    assert named["TRUTH.TOTAL"]["INDEL PASS"] == "1086"
    assert named["F1"]["SNP PASS"] == "0.991304"
    assert named["F1"]["SNP PASS 95 %"]


def test_what_a_spreadsheet_would_carry_out_is_escaped(page: Page) -> None:
    failed("NA24385_x", reason='=HYPERLINK("x")')
    page.goto("/monitoring/")

    text = taken(page, "[aria-labelledby=failed-title]", "csv")

    [_heading, row] = csv.reader(text.splitlines())
    assert row[:2] == ["NA24385_x", '\'=HYPERLINK("x")']
    tabs = taken(page, "[aria-labelledby=failed-title]", "tsv")
    assert tabs.splitlines()[1].startswith("NA24385_x\t")
    items = json.loads(taken(page, "[aria-labelledby=failed-title]", "json"))["items"]
    assert [item["Cause"] for item in items] == ['=HYPERLINK("x")']


@pytest.mark.parametrize("width", [360, 1920])
def test_no_page_is_wider_than_the_screen(
    page: Page, operator: User, width: int
) -> None:
    run = completed(user=operator)
    page.set_viewport_size({"width": width, "height": 900})
    for address in (
        "/",
        "/runs/",
        "/runs/new/",
        ZIP,
        "/monitoring/",
        "/references/",
        "/settings/tokens/",
        run.sample.get_absolute_url(),
        run.get_absolute_url(),
    ):
        page.goto(address)
        spare = page.evaluate(
            "document.documentElement.clientWidth"
            " - document.documentElement.scrollWidth"
        )
        assert spare >= 0, address


def test_the_first_tab_skips_to_the_content(page: Page) -> None:
    page.goto("/runs/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()
