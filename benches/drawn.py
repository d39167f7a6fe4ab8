"""How long the charts of a page take to be drawn, in headless Chromium.

No chart is drawn before the page has come; then all are at once, as for printing, so
that the figure holds for somebody who scrolls to the end faster than anybody can. It
ends when the frame with the charts has been painted.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

MOST_MS, MOST_KB = 500.0, 300.0
WAIT = "window.IntersectionObserver = class { observe() {} unobserve() {} }"
DRAW = """async () => {
  const started = performance.now();
  dispatchEvent(new Event("beforeprint"));
  const frame = () => new Promise(requestAnimationFrame);
  await frame(); await frame();
  return performance.now() - started;
}"""
SENT = """() => [...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource")]
  .reduce((sum, each) => sum + each.transferSize, 0) / 1000"""
POINTS = "document.querySelectorAll('[data-chart-plot] .symbol, .bar-shape').length"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Milliseconds for all charts of a page together; kilobytes of all that came.

    `work` is the CPU time of the page's main thread meanwhile.
    """

    name: str
    charts: int
    points: int
    work: float
    median: float
    p95: float
    sent_kb: float

    @property
    def is_good(self) -> bool:
        return self.p95 <= MOST_MS and self.sent_kb <= MOST_KB


def drawn(
    pages: Mapping[str, str], base: str, session: str, times: int
) -> Iterator[Drawn]:
    """Those of the pages that have charts."""
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, path in pages.items():
            with _visitor(chrome, base, session) as visitor:
                if found := _measure(visitor, name, path, times):
                    yield found
        chrome.close()


@contextmanager
def _visitor(chrome: Any, base: str, session: str) -> Iterator[Any]:
    """Somebody who has never been here, so that nothing comes from a cache."""
    context = chrome.new_context(base_url=base, viewport={"width": 1440, "height": 900})
    context.add_init_script(WAIT)
    context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
    yield context
    context.close()


def _opened(visitor: Any, path: str) -> Page:
    page: Page = visitor.new_page()
    page.goto(path, wait_until="load")
    return page


def _measure(visitor: Any, name: str, path: str, times: int) -> Drawn | None:
    page = _opened(visitor, path)
    charts, sent = page.locator("[data-chart]").count(), page.evaluate(SENT)
    page.close()
    if not charts:
        return None
    took, work, points = [], [], 0
    for _time in range(times):
        page = _opened(visitor, path)
        thread = page.context.new_cdp_session(page)
        thread.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _worked(thread)
        took.append(page.evaluate(DRAW))
        work.append(_worked(thread) - before)
        points = page.evaluate(POINTS)
        page.close()
    p95 = statistics.quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
    middle = statistics.median
    return Drawn(name, charts, points, middle(work), middle(took), p95, sent)


def _worked(thread: CDPSession) -> float:
    """Milliseconds of CPU time that the page's tasks have taken so far."""
    found = thread.send("Performance.getMetrics")["metrics"]
    return 1000 * next(m["value"] for m in found if m["name"] == "TaskDuration")
