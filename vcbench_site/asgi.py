"""HTTP and WebSocket in one application."""

from __future__ import annotations

import gc
import os
from importlib import import_module

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vcbench_site.settings")
django.setup(set_prefix=False)

# Only now can models be imported.
from runs.routing import websocket_urlpatterns  # noqa: E402
from vcbench_site import backpressure, bodies, broadcast  # noqa: E402
from vcbench_site.origin import SameOrigin  # noqa: E402

backpressure.install()
broadcast.install()
bodies.install(
    settings.VCBENCH.data_dir / "tmp",
    upload_bytes=int(settings.VCBENCH.upload_max_gb * 1_000_000_000),
    other_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
)
application = ProtocolTypeRouter(
    {
        "http": bodies.BodyHandler(),
        "websocket": SameOrigin(URLRouter(websocket_urlpatterns)),
    }
)

# What is loaded now stays: a full garbage collection that walked through it would hold
# up every viewer of a log for a tenth of a second. The pages are loaded with it.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
