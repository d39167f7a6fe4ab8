"""A file server on loopback that plays the GIAB site: GET and HEAD with Range."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, abort, request
from werkzeug.security import safe_join
from werkzeug.serving import WSGIRequestHandler, make_server

POLL = 0.05
"""Seconds until the server notices that it is to end."""


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def application(folder: Path) -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.get("/<path:name>")
    def file(name: str) -> Response:
        path = safe_join(str(folder.resolve()), name)
        if path is None or not Path(path).is_file():
            abort(404)
        # Not a file object: werkzeug leaves it open when the client cuts the line.
        data = Path(path).read_bytes()
        response = Response(data, content_type="application/octet-stream")
        response.last_modified = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
        response.add_etag()
        response.make_conditional(
            request, accept_ranges=True, complete_length=len(data)
        )
        return response

    return app


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the files below the folder on a free port; gives the base address."""
    server = make_server(
        "127.0.0.1",
        0,
        application(folder),
        threaded=True,
        request_handler=_Handler,
    )
    thread = threading.Thread(
        target=server.serve_forever, args=[POLL], name="GIAB", daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
