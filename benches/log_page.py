"""How fast the page of a long run shows lines in a real browser, and what it holds."""

from __future__ import annotations

import shutil
import statistics
from typing import Any
from uuid import UUID

SHOWN = """(sequence) => new Promise((done) => {
  const look = () => {
    const which = `.console-row:not([hidden])[data-sequence="${sequence}"]`;
    const row = document.querySelector(which);
    if (row) done(performance.now()); else requestAnimationFrame(look);
  };
  look();
})"""


def measure(address: str, cookie: str, run: UUID, lines: int) -> dict[str, Any] | None:
    """Milliseconds to the last lines and, after a click, to the first; MB of heap."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    name, _, value = cookie.partition("=")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        context = browser.new_context()
        context.add_cookies([{"name": name, "value": value, "url": address}])
        page = context.new_page()
        opened, first = [], []
        for _ in range(5):
            page.goto(f"{address}/runs/{run}/", wait_until="commit")
            opened.append(page.evaluate(SHOWN, lines))
            before = page.evaluate("performance.now()")
            page.click("[data-first]")
            first.append(page.evaluate(SHOWN, 1) - before)
        session = context.new_cdp_session(page)
        session.send("Performance.enable")
        for _ in range(60):
            page.evaluate(
                "() => { const l = document.querySelector('[data-list]');"
                " l.scrollTop = l.scrollHeight; }"
            )
            page.wait_for_timeout(60)
        metrics = session.send("Performance.getMetrics")["metrics"]
        heap = {each["name"]: each["value"] for each in metrics}
        held = page.evaluate(
            "document.querySelector('[data-console]').console.lines.entries.length"
        )
        rows = page.locator(".console-row").count()
        browser.close()
    return {
        "lines": lines,
        "last_lines_ms": round(statistics.median(opened)),
        "first_lines_ms": round(statistics.median(first)),
        "lines_held": held,
        "rows_in_page": rows,
        "heap_mb": round(heap["JSHeapUsedSize"] / 1e6, 1),
    }
