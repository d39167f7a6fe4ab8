"""The WebSocket side of the live log.

Plain ASGI applications: Channels' consumers hop through a thread for each event, which
costs more than sending the event, and its middleware through five for each socket. Here
one hop finds out who it is, whether they may, and which run is meant.

Close codes: 4401 not signed in, 4403 not allowed, 4404 unknown; 1000 after the end.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie

from runs import hub, roles
from runs.frames import in_thread
from runs.models import ApiToken, Run

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

NOT_SIGNED_IN = 4401
NOT_ALLOWED = 4403
UNKNOWN = 4404


async def run_log(scope: Scope, receive: Receive, send: Send) -> None:
    """`/ws/runs/<run id>/?since=N`"""
    run_id: uuid.UUID = scope["url_route"]["kwargs"]["run_id"]
    await _serve(scope, receive, send, lambda: _newest(uuid=run_id))


async def sample_log(scope: Scope, receive: Receive, send: Send) -> None:
    """`/ws/download/<sample_id>/?since=N`: the newest run of the sample."""
    name: str = scope["url_route"]["kwargs"]["sample_id"]
    await _serve(scope, receive, send, lambda: _newest(sample__name=name))


async def unknown(scope: Scope, receive: Receive, send: Send) -> None:
    await _accept(receive, send)
    await send({"type": "websocket.close", "code": UNKNOWN})


def _newest(**which: Any) -> Run | None:
    return Run.objects.filter(**which).select_related("sample").first()


async def _accept(receive: Receive, send: Send) -> None:
    """Accepted first even when it is closed next: else a browser sees no code."""
    await receive()
    await send({"type": "websocket.accept"})


async def _serve(
    scope: Scope, receive: Receive, send: Send, find: Callable[[], Run | None]
) -> None:
    await _accept(receive, send)
    admitted = await in_thread(lambda: _admit(scope, find))
    if isinstance(admitted, int):
        await send({"type": "websocket.close", "code": admitted})
        return
    shown = asyncio.create_task(_show(admitted, _since(scope), send))
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({shown, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (shown, gone):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _admit(scope: Scope, find: Callable[[], Run | None]) -> Run | int:
    """The run, or the code with which the socket is closed."""
    user = _bearer(scope) or _signed_in(scope)
    if user is None or not user.is_authenticated:
        return NOT_SIGNED_IN
    if not user.has_perm(roles.VIEW):
        return NOT_ALLOWED
    return find() or UNKNOWN


def _signed_in(scope: Scope) -> Any:
    """Whose session the request has; Django's own check of it."""
    cookies = parse_cookie(_header(scope, b"cookie"))
    request = HttpRequest()
    sessions = import_module(settings.SESSION_ENGINE)
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    request.session = sessions.SessionStore(key)
    return get_user(request)


def _header(scope: Scope, name: bytes) -> str:
    return str(dict(scope["headers"]).get(name, b"").decode("latin-1"))


def _bearer(scope: Scope) -> Any:
    """Whose token the request bears: programs have no session."""
    kind, _space, key = _header(scope, b"authorization").partition(" ")
    if kind.lower() != "bearer":
        return None
    token = ApiToken.holder(key.strip())
    return token.user if token else None


def _since(scope: Scope) -> int:
    values = parse_qs(scope["query_string"].decode("latin-1")).get("since", ["0"])
    return int(values[-1]) if values[-1].isdecimal() else 0


async def _show(run: Run, since: int, send: Send) -> None:
    async def send_text(text: str) -> None:
        await send({"type": "websocket.send", "text": text})

    code = await hub.watch(run, since, send_text)
    await send({"type": "websocket.close", "code": code})


async def _gone(receive: Receive) -> None:
    """Return when the browser has gone; what it says is not listened to."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
