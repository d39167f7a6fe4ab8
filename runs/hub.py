"""One hub for each run that is watched in this process.

The hub alone is a member of the run's channel group. On a hint it reads the rows after
its cursor, once, and feeds all its viewers through bounded queues. A viewer whose queue
is full is left out and catches up from the rows by itself, so it slows nobody. Hints
may be lost (Redis restarts empty): the hub also looks at the run's row twice a second,
and every 30 ms while hints do not arrive.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from runs import frames, live
from runs.frames import Frame, State, in_thread, look, read_frame
from runs.models import Run

logger = logging.getLogger(__name__)
Send = Callable[[str], Awaitable[None]]

ENDED_NORMALLY, FAILED, UNKNOWN = 1000, 1011, 4404
"""Close codes: the run has ended, the hub has failed, the run was deleted."""
LONG_STEP = 20
"""Lines that are read at once where lines are long."""
QUEUE = 4_000_000
"""Characters that wait for one viewer at most, about."""
RECENT = 8_000_000
"""Characters that a hub keeps for viewers that come back or fall behind."""
LOOK_SECONDS = 0.5
"""How often the run's row is looked at when no hint comes."""
DEAF_SECONDS = 0.03
"""The same while hints are known not to arrive."""
JOIN_SECONDS = 5.0
"""How often the group is joined again although nothing seems wrong."""
AGAIN_SECONDS = 0.25
"""How soon Redis is tried again."""
STATUS_SECONDS = 1.0
"""How often a status frame is sent for the number of the last line alone."""


class Viewer:
    """One socket: what it has been sent, and what waits for it."""

    def __init__(self, since: int) -> None:
        self.cursor = since
        self.frames: deque[Frame] = deque()
        self.held = 0
        self.wake = asyncio.Event()

    def take(self, frame: Frame) -> bool:
        """Queue a frame; False when the queue is full and was given up."""
        self.held += len(frame.text)
        fits = self.held <= QUEUE or not self.frames
        if fits:
            self.frames.append(frame)
        else:
            self.clear()
        self.wake.set()
        return fits

    def clear(self) -> None:
        self.frames.clear()
        self.held = 0

    async def show(self, hub: Hub, send: Send) -> int:
        """Send everything after the cursor as it comes, to the end of the run.

        Returns the code with which the socket is to be closed.
        """
        shown: State | None = None
        await hub.ready.wait()
        while True:
            if self not in hub.live:
                await self._catch_up(hub, send)
            await self._drain(send)
            if hub.notice is not None and hub.notice is not shown:
                await asyncio.sleep(0)  # all viewers' lines go before any status
                await self._drain(send)
                shown = hub.notice
                await send(shown.frame())
            if self.frames or self not in hub.live:
                continue
            if hub.over:
                return await self._end(hub, send)
            self.wake.clear()
            await self.wake.wait()

    async def _drain(self, send: Send) -> None:
        while self.frames:
            frame = self.frames.popleft()
            self.held -= len(frame.text)
            await self._send(frame, send)

    async def _catch_up(self, hub: Hub, send: Send) -> None:
        """Read the rows up to the hub's cursor, then go live."""
        while self.cursor < hub.cursor:
            frame = hub.recall(self.cursor)
            if frame is None:
                frame = await in_thread(lambda: read_frame(hub.run, self.cursor))
            if frame is None:
                # Nothing is kept any more: retention has removed the log.
                self.cursor = hub.cursor
            else:
                await self._send(frame, send)
        self.clear()
        hub.live.add(self)

    async def _end(self, hub: Hub, send: Send) -> int:
        if hub.state is None:
            return UNKNOWN
        if not hub.state.ended:
            return FAILED
        await send(hub.state.end_frame())
        return ENDED_NORMALLY

    async def _send(self, frame: Frame, send: Send) -> None:
        rest = frame.after(self.cursor)
        if rest is not None:
            self.cursor = rest.last
            await send(rest.text)


class Hub:
    """Feeds the viewers of one run in this process."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.cursor = 0
        self.state: State | None = None
        self.notice: State | None = None
        """The state that viewers are told."""
        self._noticed = 0.0
        self._recent: deque[Frame] = deque()
        self._held = 0
        self._step = frames.PAGE
        self.live: set[Viewer] = set()
        self.viewers = 0
        self.ready = asyncio.Event()
        self.over = False
        self._wake_up = asyncio.Event()
        self._hinted = False
        self._deaf = asyncio.Event()
        """Set while hints are known not to arrive."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _keep(self) -> None:
        try:
            await self._carry_on()
        finally:
            self._finish()

    async def _carry_on(self) -> None:
        self._see(await in_thread(lambda: look(self.run)))
        self.cursor = self.state.last_sequence if self.state else 0
        if self.state is None or self.state.ended:
            return
        listener = asyncio.create_task(self._listen())
        self.ready.set()
        try:
            await self._follow()
        finally:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener

    async def _follow(self) -> None:
        while not self.over:
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    DEAF_SECONDS if self._deaf.is_set() else LOOK_SECONDS
                ):
                    await self._wake_up.wait()
            hinted, self._hinted = self._hinted, False
            self._wake_up.clear()
            news = await self._advance()
            # News that no hint told of: the group has lost us, or Redis is away.
            if hinted:
                self._deaf.clear()
            elif news:
                self._deaf.set()

    async def _advance(self) -> bool:
        """Read what is new and feed it; whether there was anything."""
        before = self.cursor
        state, frame = await in_thread(self._news)
        while frame is not None:
            self._step = (
                frames.PAGE if len(frame.text) < frames.SIZE // 2 else LONG_STEP
            )
            self.cursor = frame.last
            self._feed(frame)
            if state is None or self.cursor >= state.last_sequence:
                break
            state, frame = await in_thread(self._news)
        changed = self._see(state)
        self.over = state is None or state.ended
        if self.over:
            self._finish()
        return changed or self.cursor > before

    def _see(self, state: State | None) -> bool:
        """Keep the state, tell the viewers if need be; whether it is a new one."""
        changed, self.state = state != self.state, state
        now = time.monotonic()
        late = now - self._noticed >= STATUS_SECONDS
        if state and state != self.notice and (late or state.differs(self.notice)):
            self.notice = state
            self._noticed = now
            self._wake()
        return changed

    def _news(self) -> tuple[State | None, Frame | None]:
        """The run's state and its next lines, in one thread. The state first: a run
        that has ended writes no line after it."""
        state = look(self.run)
        if state is None or self.cursor >= state.last_sequence:
            return state, None
        return state, read_frame(self.run, self.cursor, self._step)

    def recall(self, sequence: int) -> Frame | None:
        """The frame with the line after this one, if it is among the last."""
        at = bisect_right(self._recent, sequence, key=lambda each: each.last)
        if at == len(self._recent) or self._recent[at].first > sequence + 1:
            return None
        return self._recent[at]

    def _feed(self, frame: Frame) -> None:
        self._recent.append(frame)
        self._held += len(frame.text)
        while self._held > RECENT and len(self._recent) > 1:
            self._held -= len(self._recent.popleft().text)
        for viewer in list(self.live):
            if not viewer.take(frame):
                self.live.discard(viewer)

    def _wake(self) -> None:
        for viewer in self.live:
            viewer.wake.set()

    def _finish(self) -> None:
        self.over = True
        hubs = _hubs()
        if hubs.get(self.run.pk) is self:
            del hubs[self.run.pk]
        self.ready.set()
        self._wake()

    async def _listen(self) -> None:
        """Wait for hints; join the group again and again, for Redis may forget."""
        layer = get_channel_layer()
        group = live.group(self.run.pk)
        channel = await layer.new_channel()
        member = asyncio.create_task(self._stay(group, channel))
        try:
            while True:
                try:
                    await layer.receive(channel)
                    self._hinted = True
                except (RedisError, OSError) as error:
                    self._deaf.set()
                    self._wake_up.set()
                    logger.warning("Hints of new log lines do not arrive: %s", error)
                    await asyncio.sleep(AGAIN_SECONDS)
                else:
                    self._wake_up.set()
        finally:
            member.cancel()
            with suppress(asyncio.CancelledError, RedisError, OSError):
                await member
            with suppress(RedisError, OSError):
                await layer.group_discard(group, channel)

    async def _stay(self, group: str, channel: str) -> None:
        layer = get_channel_layer()
        while True:
            with suppress(RedisError, OSError):
                await layer.group_add(group, channel)
            if self._deaf.is_set():
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(JOIN_SECONDS):
                        await self._deaf.wait()


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, Hub]] = (
    WeakKeyDictionary()
)


def _hubs() -> dict[int, Hub]:
    return _by_loop.setdefault(asyncio.get_running_loop(), {})


async def watch(run: Run, since: int, send: Send) -> int:
    """Send a viewer the run's frames after the sequence `since` until the run ends.

    Returns the code with which the socket is to be closed.
    """
    hubs = _hubs()
    hub = hubs.get(run.pk)
    if hub is None:
        hub = hubs[run.pk] = Hub(run)
        hub.start()
    hub.viewers += 1
    viewer = Viewer(since)
    try:
        return await viewer.show(hub, send)
    finally:
        hub.live.discard(viewer)
        hub.viewers -= 1
        if not hub.viewers:
            if hubs.get(run.pk) is hub:
                del hubs[run.pk]
            await hub.stop()


def watched() -> dict[str, Any]:
    """How many runs are watched by how many sockets in this process."""
    hubs = _hubs().values()
    return {"runs": len(hubs), "sockets": sum(hub.viewers for hub in hubs)}
