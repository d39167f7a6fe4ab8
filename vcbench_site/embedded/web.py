"""daphne, which serves pages, REST and WebSockets."""

from __future__ import annotations

import socket
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError, URLError

from vcbench_site.embedded.processes import Child, Children
from vcbench_site.embedded.waiting import until

APPLICATION = "vcbench_site.asgi:application"


def start(
    children: Children,
    server: socket.socket,
    log: Path,
    environment: Mapping[str, str],
) -> Child:
    """Serve on that listening socket; returns once the portal answers."""
    descriptor = server.fileno()
    child = children.add(
        Child(
            "The web server",
            [
                *(sys.executable, "-m", "daphne"),
                *("--fd", str(descriptor), "--verbosity", "0", APPLICATION),
            ],
            environment=environment,
            log=log,
            keep=[descriptor],
        )
    )
    until(lambda: _serves(address_of(server)), child)
    return child


def address_of(server: socket.socket) -> str:
    """The address by which a browser on this machine finds the socket."""
    host, port = server.getsockname()[:2]
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _serves(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310  http, ours
            return True
    except HTTPError as error:
        return error.code < 500
    except (URLError, OSError):
        return False
