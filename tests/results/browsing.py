"""A tab of headless Chromium that notes what a page does wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ConsoleMessage, Page


@dataclass(slots=True)
class Tab:
    """`faults` are errors of scripts and of the policy; `hosts` who was asked;
    `size` the bytes that came, headers included."""

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    size: int = 0

    def hear(self, said: ConsoleMessage) -> None:
        # The test server speaks no WebSocket; the log's console then polls.
        if said.type == "error" and "WebSocket" not in said.text:
            self.faults.append(f"{said.text} ({said.location.get('url')})")

    def open(self, path: str) -> Page:
        self.size = 0
        self.page.goto(self.base + path)
        return self.page


@contextmanager
def tab(chrome: Any, base: str, session: str, **options: Any) -> Iterator[Tab]:
    """A tab of somebody who is signed in, without a cache."""
    context = chrome.new_context(**{"locale": "en", "color_scheme": "light"} | options)
    context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
    made = Tab(context.new_page(), base)
    made.page.on("pageerror", lambda error: made.faults.append(str(error)))
    made.page.on("console", lambda said: made.hear(said))
    made.page.on("request", lambda asked: made.hosts.add(asked.url.split("/")[2]))
    network = context.new_cdp_session(made.page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def count(event: dict[str, Any]) -> None:
        made.size += int(event["encodedDataLength"])

    network.on("Network.loadingFinished", count)
    yield made
    context.close()
