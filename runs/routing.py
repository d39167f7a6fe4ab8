"""The addresses of the WebSockets."""

from __future__ import annotations

from django.urls import path, re_path

from runs import consumers

# Applications, not views: Channels routes them by the same means.
websocket_urlpatterns = [
    path("ws/runs/<uuid:run_id>/", consumers.run_log),  # type: ignore[arg-type]
    path("ws/download/<text:sample_id>/", consumers.sample_log),  # type: ignore[arg-type]
    re_path(r"", consumers.unknown),  # type: ignore[arg-type]
]
