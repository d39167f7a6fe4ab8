"""The hub of a run and its viewers, without sockets and rows."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

from runs.frames import Frame, State
from runs.hub import Hub, Viewer
from runs.logstore import Entry
from runs.models import Run

RUNNING = State("running", "download", 0, None, None, 1)


def frame(sequence: int) -> Frame:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Frame.of([Entry(sequence, now, "info", "download", "a line")])


async def told(viewers: int) -> list[tuple[int, str]]:
    """Who is sent what, in order, when a line and a status come at once."""
    hub, sent = Hub(Run(pk=1)), []
    hub.notice = RUNNING
    hub.ready.set()

    async def show(number: int, viewer: Viewer) -> None:
        async def send(text: str) -> None:
            sent.append((number, json.loads(text)["type"]))

        await viewer.show(hub, send)

    tasks = [asyncio.create_task(show(n, Viewer(0))) for n in range(viewers)]
    while len(sent) < viewers:
        await asyncio.sleep(0)
    sent.clear()
    hub._feed(frame(1))
    hub._see(replace(RUNNING, status="completed"))
    while len(sent) < 2 * viewers:
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return sent


def test_the_lines_of_all_viewers_go_before_the_status_of_any() -> None:
    sent = asyncio.run(told(viewers=5))
    assert [kind for _, kind in sent] == ["log"] * 5 + ["status"] * 5
    assert {number for number, _ in sent[:5]} == set(range(5))
