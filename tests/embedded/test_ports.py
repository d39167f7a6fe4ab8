from __future__ import annotations

import socket

import pytest

from vcbench_site.embedded.ports import NoFreePort, free_port, listen

HOST = "127.0.0.1"


def test_a_free_port_is_taken_as_it_is() -> None:
    port = free_port()
    with listen(HOST, port) as server:
        assert server.getsockname() == (HOST, port)
        socket.create_connection((HOST, port)).close()


def test_taken_ports_are_stepped_over() -> None:
    with listen(HOST, 0) as taken:
        port = taken.getsockname()[1]
        with listen(HOST, port) as server:
            assert server.getsockname()[1] > port


def test_no_free_port_names_the_setting() -> None:
    with listen(HOST, 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NoFreePort, match="VCBENCH_PORT"):
            listen(HOST, port, tries=1)


def test_a_host_of_another_machine_is_no_taken_port() -> None:
    with pytest.raises(OSError, match="assign requested address"):
        listen("203.0.113.1", 8000)
