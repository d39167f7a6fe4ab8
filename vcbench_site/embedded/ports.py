"""Free ports on this machine; one that is taken is stepped over."""

from __future__ import annotations

import errno
import socket

TRIES = 200


class NoFreePort(Exception):
    """Every port that was tried is taken."""


def listen(host: str, first: int, tries: int = TRIES) -> socket.socket:
    """A listening socket on `first` or the next port that is free.

    The socket itself is handed on, so nobody can take the port in between.
    `first` 0 takes any port. Raises `NoFreePort`, or `OSError` for a host that is
    not of this machine.
    """
    for port in range(first, min(first + tries, 65536)):
        server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, port))
            server.listen(128)
        except PermissionError:
            server.close()
        except OSError as error:
            server.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return server
    raise NoFreePort(
        f"No port from {first} to {first + tries - 1} of {host} is free. "
        "Name another by VCBENCH_PORT."
    )


def free_port(host: str = "127.0.0.1", first: int = 0) -> int:
    """A port that was free a moment ago, for servers that cannot take a socket."""
    with listen(host, first) as server:
        return int(server.getsockname()[1])
