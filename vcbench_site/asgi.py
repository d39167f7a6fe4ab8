"""HTTP and WebSocket in one application."""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vcbench_site.settings")
http = get_asgi_application()

# Only now can models be imported.
from runs.routing import websocket_urlpatterns  # noqa: E402
from vcbench_site import backpressure  # noqa: E402
from vcbench_site.origin import SameOrigin  # noqa: E402

backpressure.install()
application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
