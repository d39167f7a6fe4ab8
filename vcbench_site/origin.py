"""Whether a WebSocket may be opened from the page that asks for it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

logger = logging.getLogger(__name__)
Application = Callable[..., Awaitable[None]]


class SameOrigin:
    """Lets in what Django's CSRF check lets in: pages of this host, and those of
    VCBENCH_TRUSTED_ORIGINS.

    Browsers send cookies with a WebSocket from any page, and always name the page's
    origin. Whoever sends no Origin is no browser, and needs a session or a token as
    everyone does.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        origin = headers.get(b"origin", "")
        if known_host(host) and (not origin or may_open(origin, host)):
            await self.application(scope, receive, send)
            return
        logger.warning(
            "WebSocket from %s to %s refused. If this page is the portal's own, name "
            "its origin in VCBENCH_TRUSTED_ORIGINS.",
            origin,
            host,
        )
        await WebsocketDenier()(scope, receive, send)


def known_host(host: str) -> bool:
    domain, _port = split_domain_port(host)
    allowed = settings.ALLOWED_HOSTS
    if settings.DEBUG and not allowed:
        allowed = [".localhost", "127.0.0.1", "[::1]"]
    return validate_host(domain, allowed)


def may_open(origin: str, host: str) -> bool:
    page = urlsplit(origin)
    if page.scheme in ("http", "https") and page.netloc.lower() == host.lower():
        return True
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    patterns = (urlsplit(each) for each in settings.CSRF_TRUSTED_ORIGINS if "*" in each)
    return any(
        page.scheme == pattern.scheme
        and is_same_domain(page.netloc, pattern.netloc.lstrip("*"))
        for pattern in patterns
    )
