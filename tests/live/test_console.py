"""The console in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from runs import lifecycle
from runs.log import RunLog
from runs.models import Run, Status
from tests.builders import claim_of, make_run
from tests.conftest import signed_in
from tests.live.conftest import Site
from tests.live.forgetting import Forgetting, forgetting

pytestmark = [pytest.mark.services, pytest.mark.browser]


@pytest.fixture
def page(chrome: Any, site: Site, watcher: User) -> Iterator[Page]:
    context = chrome.new_context(base_url=site.address, locale="en")
    cookie = signed_in(watcher).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.address}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert not faults


def long_log(
    lines: int, level: str = "'info'", status: Status = Status.COMPLETED
) -> Run:
    """A run with that many lines; `level` is SQL and may use `i`, the line."""
    run = make_run(status=status, last_sequence=lines)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO runs_logentry (run_id, sequence, time, level, stage, message)
            WITH RECURSIVE lines(i) AS
                (SELECT 1 UNION ALL SELECT i + 1 FROM lines WHERE i < %s)
            SELECT %s, i, %s, {level}, '', 'line ' || i FROM lines
            """,  # noqa: S608  no word of it comes from outside
            [lines, run.pk, timezone.now()],
        )
    return run


def rows(page: Page) -> list[int]:
    """The sequences of the rows that are in the page, hidden ones left out."""
    found: list[int] = page.eval_on_selector_all(
        ".console-row:not([hidden])", "all => all.map(row => +row.dataset.sequence)"
    )
    return found


def kept(page: Page) -> list[int]:
    """The sequences of the lines that the console holds."""
    found: list[int] = page.evaluate(
        "document.querySelector('[data-console]').console.lines.entries"
        ".map(entry => entry.sequence)"
    )
    return found


def settle(page: Page, row: int) -> None:
    page.wait_for_selector(f'.console-row:not([hidden])[data-sequence="{row}"]')


def until_known(page: Page, last: int) -> None:
    """Wait for a line to arrive, whether or not its row can be seen."""
    page.evaluate(
        """async last => {
            const { console } = document.querySelector("[data-console]");
            const end = performance.now() + 20_000;
            while (console.lines.last < last) {
                if (performance.now() > end)
                    throw new Error(`only ${console.lines.last} came`);
                await new Promise(requestAnimationFrame);
            }
        }""",
        last,
    )


def state(page: Page) -> Any:
    return page.locator("[data-state]")


def position(page: Page) -> Any:
    return page.locator("[data-position]")


def write(log: RunLog, first: int, last: int) -> None:
    for number in range(first, last + 1):
        log.info(f"line {number}")
    log.flush()


def after_scrolling(page: Page, what: str) -> None:
    """Do that, and wait until what follows from the scrolling has been drawn."""
    page.evaluate(
        """async what => {
            const { console } = document.querySelector("[data-console]");
            const scrolled = new Promise(done =>
                console.list.addEventListener("scroll", done, { once: true }));
            new Function("console", what)(console);
            await scrolled;
            await new Promise(requestAnimationFrame);
        }""",
        what,
    )


def test_lines_appear_as_they_are_written(page: Page, run: Run, log: RunLog) -> None:
    page.goto(run.get_absolute_url())
    expect(state(page)).to_have_text("Live")
    for number in range(1, 31):
        log.info(f"line {number} <b>not bold</b>")
    settle(page, 30)
    log.stage = "download"
    log.error("it broke")
    log.flush()
    settle(page, 31)
    row = page.locator('[data-sequence="31"]')
    assert row.locator(".console-word").text_content() == "error"
    assert row.locator(".console-stage").text_content() == "download"
    assert page.locator(".console-rows b").count() == 0
    lifecycle.finish(log.claim, Status.COMPLETED)
    expect(state(page)).to_have_text("The run has ended; the log is complete")
    assert rows(page) == list(range(1, 32))[-len(rows(page)) :]


def test_progress_lines_replace_their_predecessor(
    page: Page, run: Run, log: RunLog
) -> None:
    page.goto(run.get_absolute_url())
    log.info("begin")
    for percent in range(0, 101, 10):
        log.progress(f"{percent} %")
    log.info("end")
    log.flush()
    settle(page, 13)
    assert rows(page) == [1, 12, 13]


def test_a_page_loaded_in_the_middle_misses_and_doubles_nothing(
    page: Page, run: Run, log: RunLog
) -> None:
    for number in range(1, 1_501):
        log.info(f"line {number}")
    log.flush()
    page.goto(run.get_absolute_url())
    for number in range(1_501, 1_601):
        log.info(f"line {number}")
    log.flush()
    settle(page, 1_600)
    page.reload()
    settle(page, 1_600)
    assert kept(page) == list(range(601, 1_601))


def test_without_websockets_it_polls_and_says_so(
    page: Page, run: Run, log: RunLog
) -> None:
    page.route_web_socket("**", lambda socket: socket.close())
    page.goto(run.get_absolute_url())
    log.info("first")
    log.flush()
    expect(state(page)).to_contain_text("every 2 seconds")
    settle(page, 1)
    log.info("second")
    log.flush()
    settle(page, 2)
    lifecycle.finish(log.claim, Status.COMPLETED)
    expect(state(page)).to_have_text("The run has ended; the log is complete")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_200)
    assert not [url for url in asked if "/logs" in url]


def test_a_long_log_opens_at_its_end_with_few_rows(page: Page) -> None:
    run = long_log(100_000)
    page.goto(run.get_absolute_url())
    settle(page, 100_000)
    assert page.locator(".console-row").count() < 100
    page.get_by_role("button", name="First line").click()
    settle(page, 1)
    expect(page.locator("[data-position]")).to_contain_text("of 100,000")
    page.get_by_role("button", name="Last line").click()
    settle(page, 100_000)


def test_scrolling_fetches_what_is_above_and_below(page: Page) -> None:
    run = long_log(5_000)
    page.goto(run.get_absolute_url())
    settle(page, 5_000)
    page.evaluate("document.querySelector('[data-list]').scrollTop = 0")
    settle(page, 4_000)
    page.evaluate("document.querySelector('[data-list]').scrollTop = 0")
    settle(page, 3_000)
    assert kept(page) == list(range(kept(page)[0], 5_001))


def test_below_the_first_lines_more_are_fetched(page: Page) -> None:
    run = long_log(20_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(run.get_absolute_url())
    settle(page, 20_000)
    page.get_by_role("button", name="First line").click()
    settle(page, 1)
    for last in (1_000, 2_000, 3_000):
        until_known(page, last)
        page.evaluate(
            "() => { const l = document.querySelector('[data-list]');"
            " l.scrollTop = l.scrollHeight; }"
        )
    until_known(page, 4_000)
    assert kept(page) == list(range(1, kept(page)[-1] + 1))
    assert sum("/logs?since=0&" in url for url in asked) == 1


def test_the_first_error_is_jumped_to(page: Page) -> None:
    run = long_log(20_000, "CASE WHEN i >= 12345 THEN 'error' ELSE 'info' END")
    page.goto(run.get_absolute_url())
    settle(page, 20_000)
    page.get_by_role("button", name="First error").click()
    settle(page, 12_345)
    selected = page.locator('.console-row[aria-selected="true"]')
    expect(selected).to_have_attribute("data-sequence", "12345")


def test_search_and_levels_filter_the_whole_log(page: Page) -> None:
    run = long_log(3_000, "CASE WHEN i %% 1000 = 7 THEN 'warning' ELSE 'info' END")
    page.goto(run.get_absolute_url())
    settle(page, 3_000)
    page.get_by_label("Levels").select_option("warning,error")
    settle(page, 2_007)
    assert rows(page) == [7, 1_007, 2_007]
    page.get_by_label("Search the log").fill("LINE 1007")
    expect(page.locator(".console-row:not([hidden])")).to_have_count(1)
    assert page.locator("mark").text_content() == "line 1007"
    page.locator(".console-row:not([hidden])").click()
    page.get_by_role("button", name="Show among its neighbours").click()
    settle(page, 1_006)


def test_it_works_by_keyboard(page: Page) -> None:
    run = long_log(2_500)
    page.goto(run.get_absolute_url())
    settle(page, 2_500)
    page.locator("[data-list]").focus()
    page.keyboard.press("Home")
    settle(page, 1)
    page.keyboard.press("ArrowDown")
    selected = page.locator('.console-row[aria-selected="true"]')
    expect(selected).to_have_attribute("data-sequence", "2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-detail-text]")).to_have_text("line 2")
    page.keyboard.press("End")
    settle(page, 2_500)


def test_pausing_holds_the_view_still(page: Page, run: Run, log: RunLog) -> None:
    for number in range(1, 201):
        log.info(f"line {number}")
    log.flush()
    page.goto(run.get_absolute_url())
    settle(page, 200)
    page.get_by_role("button", name="Pause").click()
    before = rows(page)
    for number in range(201, 301):
        log.info(f"line {number}")
    log.flush()
    expect(page.locator("[data-position]")).to_contain_text("100 new lines")
    assert rows(page)[: len(before)] == before
    page.get_by_role("button", name="Follow").click()
    settle(page, 300)


def open_with(page: Page, run: Run, log: RunLog, lines: int) -> None:
    """The run's page, once it shows the last of so many lines."""
    write(log, 1, lines)
    page.goto(run.get_absolute_url())
    settle(page, lines)


def test_a_pause_holds_though_the_list_has_just_moved(
    page: Page, run: Run, log: RunLog
) -> None:
    """The scroll event of what was drawn comes after the click."""
    open_with(page, run, log, 200)
    page.evaluate(
        """() => {
            const { console } = document.querySelector("[data-console]");
            const { list, parts } = console;
            console.paint = () => {
                const before = list.scrollTop;
                Object.getPrototypeOf(console).paint.call(console);
                if (list.scrollTop === before) return;
                delete console.paint;
                parts.follow.click();
            };
        }"""
    )
    write(log, 201, 201)
    settle(page, 201)
    write(log, 202, 301)
    expect(position(page)).to_contain_text("–201 of 301 · 100 new lines")


def test_a_line_that_is_picked_stays_in_view(page: Page, run: Run, log: RunLog) -> None:
    open_with(page, run, log, 200)
    page.get_by_role("button", name="Pause").click()
    after_scrolling(page, "console.list.scrollTop -= console.height / 2")
    page.locator('[data-sequence="200"]').dispatch_event("click")
    expect(page.locator("[data-detail-text]")).to_have_text("line 200")
    write(log, 201, 300)
    expect(position(page)).to_contain_text("of 300 · 100 new lines")


def test_scrolling_to_the_end_follows_again(page: Page, run: Run, log: RunLog) -> None:
    open_with(page, run, log, 200)
    after_scrolling(page, "console.list.scrollTop -= 5 * console.height")
    expect(page.locator("[data-follow]")).to_have_text("Follow")
    after_scrolling(page, "console.list.scrollTop = console.list.scrollHeight")
    expect(page.locator("[data-follow]")).to_have_text("Pause")


def test_a_window_that_grows_is_followed_on(page: Page, run: Run, log: RunLog) -> None:
    write(log, 1, 200)
    page.set_viewport_size({"width": 1_200, "height": 600})
    page.goto(run.get_absolute_url())
    settle(page, 200)
    page.set_viewport_size({"width": 1_200, "height": 1_000})
    write(log, 201, 240)
    expect(position(page)).to_contain_text("–240 of 240")
    expect(page.locator("[data-follow]")).to_have_text("Pause")


def test_past_what_it_keeps_a_paused_view_stays(page: Page) -> None:
    run = long_log(49_500, status=Status.RUNNING)
    page.goto(run.get_absolute_url())
    settle(page, 49_500)
    page.evaluate(
        """async () => {
            const { console } = document.querySelector("[data-console]");
            const { lines } = console;
            while (lines.first > 1) await console.fetch(lines, console.back);
            console.draw(true);
        }"""
    )
    page.get_by_role("button", name="Pause").click()
    with RunLog(claim_of(run)) as log:
        write(log, 49_501, 50_200)
    expect(position(page)).to_contain_text("–49,500 of 50,200 · 700 new lines")
    assert len(kept(page)) < 50_000


def test_past_what_it_keeps_scrolling_down_goes_on(page: Page) -> None:
    run = long_log(60_000)
    page.goto(run.get_absolute_url())
    settle(page, 60_000)
    page.get_by_role("button", name="First line").click()
    settle(page, 1)
    page.evaluate(
        """async () => {
            const { console } = document.querySelector("[data-console]");
            const { lines, list } = console;
            while (lines.last < 50_000) await console.fetch(lines, console.forward);
            console.draw(true);
            list.scrollTop = list.scrollHeight;
        }"""
    )
    until_known(page, 51_000)
    expect(position(page)).to_contain_text("–50,000 of 60,000")
    assert len(kept(page)) < 50_000


def test_it_comes_back_after_the_connection_was_cut(
    page: Page, run: Run, log: RunLog
) -> None:
    page.goto(run.get_absolute_url())
    log.info("one")
    log.flush()
    settle(page, 1)
    page.context.set_offline(True)
    log.info("two")
    log.flush()
    page.context.set_offline(False)
    log.info("three")
    log.flush()
    settle(page, 3)
    assert rows(page) == [1, 2, 3]


@pytest.fixture
def forgetful(page: Page, run: Run, log: RunLog, site: Site) -> Iterator[Forgetting]:
    """The console of `run` is live, with one line, through this."""
    write(log, 1, 1)
    page.clock.install()
    page.add_init_script(  # the browser's own goes by another clock
        """AbortSignal.timeout = after => {
            const controller = new AbortController();
            setTimeout(() => controller.abort(), after);
            return controller.signal;
        }"""
    )
    with forgetting(site.address) as proxy:
        page.goto(proxy.address + run.get_absolute_url())
        settle(page, 1)
        expect(state(page)).to_have_text("Live")
        yield proxy


def test_a_connection_that_died_silently_is_noticed(
    page: Page, log: RunLog, forgetful: Forgetting
) -> None:
    forgetful.forget()
    write(log, 2, 2)
    page.clock.fast_forward(15_000)
    settle(page, 2)
    page.clock.fast_forward(1_000)
    expect(state(page)).to_have_text("Live")
    assert forgetful.sockets == 2
    write(log, 3, 3)
    settle(page, 3)


def test_a_dead_connection_is_given_up_where_nothing_else_answers_either(
    page: Page, log: RunLog, forgetful: Forgetting
) -> None:
    forgetful.forget()
    page.route("**/logs?*", lambda route: None)
    write(log, 2, 2)
    with page.expect_request("**/logs?*"):
        page.clock.fast_forward(15_000)
    page.clock.fast_forward(15_000)
    expect(state(page)).to_have_text("Connection lost; trying again…")
    page.clock.fast_forward(1_000)
    settle(page, 2)
    expect(state(page)).to_have_text("Live")


SLOWLY = """async () => {
  const console = document.querySelector("script[src*='js/console']").src;
  const { fetchLines } = await import(new URL("console/feed.js", console));
  let more;
  window.fetch = async (url, { signal }) => {
    const body = new ReadableStream({ start(controller) {
      more = (text) => controller.enqueue(new TextEncoder().encode(text));
      more.end = () => controller.close();
      signal.addEventListener("abort", () => controller.error(new Error("given up")));
    } });
    return new Response(body);
  };
  const box = document.querySelector("[data-lines]");
  window.answer = fetchLines(box, {}).catch((error) => error.message);
  window.more = more;
}"""


@pytest.mark.usefixtures("forgetful")
def test_an_answer_that_comes_slowly_is_waited_for(page: Page) -> None:
    page.evaluate(SLOWLY)
    for text in ('{"logs"', ": [], ", '"next": 7}'):
        page.evaluate("async (text) => window.more(text)", text)
        page.clock.run_for(10_000)
    page.evaluate("window.more.end()")
    assert page.evaluate("window.answer") == {"logs": [], "next": 7}


@pytest.mark.usefixtures("forgetful")
def test_an_answer_that_stops_in_the_middle_is_given_up(page: Page) -> None:
    page.evaluate(SLOWLY)
    page.evaluate("window.more('{')")
    page.clock.run_for(16_000)
    assert page.evaluate("window.answer") == "given up"


def test_a_connection_on_which_nothing_happens_is_kept(
    page: Page, log: RunLog, forgetful: Forgetting
) -> None:
    for _ in range(2):
        with page.expect_response("**/logs?*"):
            page.clock.fast_forward(15_000)
    write(log, 2, 2)
    settle(page, 2)
    expect(state(page)).to_have_text("Live")
    assert forgetful.sockets == 1


def test_in_print_it_waits_and_goes_on_where_it_was(
    page: Page, run: Run, log: RunLog
) -> None:
    for number in range(1, 101):
        log.info(f"line {number}")
    log.flush()
    page.emulate_media(media="print")
    page.goto(run.get_absolute_url())
    expect(page.locator("[data-list]")).to_be_hidden()
    until_known(page, 100)
    assert page.locator(".console-row").count() == 0
    page.emulate_media(media="screen")
    settle(page, 100)
    page.emulate_media(media="print")
    log.info("line 101")
    log.flush()
    until_known(page, 101)
    page.emulate_media(media="screen")
    settle(page, 101)
    expect(page.locator("[data-follow]")).to_have_text("Pause")


@pytest.mark.parametrize(("width", "height"), [(360, 640), (640, 360)])
def test_on_phones_the_page_is_scrolled_past_it(
    page: Page, width: int, height: int
) -> None:
    """What it leaves of the screen is there to be taken hold of."""
    run = long_log(5_000)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(run.get_absolute_url())
    settle(page, 5_000)
    box = page.locator("[data-list]").bounding_box()
    assert box is not None
    assert box["height"] <= 0.6 * height
    end = page.locator("body > footer")
    page.locator("[data-list]").hover()
    expect(end).not_to_be_in_viewport()
    page.mouse.wheel(0, 10_000)  # at its end, the list hands this on to the page
    expect(end).to_be_in_viewport()


def test_what_the_console_imports_is_asked_for_with_the_page(page: Page) -> None:
    page.goto(make_run(status=Status.COMPLETED).get_absolute_url())
    expect(state(page)).to_have_text("The run has ended; the log is complete")
    loaded, announced = page.evaluate(
        """() => [
          performance.getEntriesByType("resource").map((each) => each.name)
            .filter((name) => name.includes("/js/console/")),
          [...document.querySelectorAll("link[rel=modulepreload]")].map((l) => l.href),
        ]"""
    )
    assert sorted(set(loaded)) == sorted(announced) != []
