"""A whole portal on this machine, with its real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from tests.embedded.waiting import eventually
from vcbench_site.embedded import valkey as server
from vcbench_site.embedded.portal import Portal, only_one
from vcbench_site.embedded.ports import listen
from vcbench_site.embedded.processes import StartFailed

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]


def clean_environment(**more: str) -> dict[str, str]:
    hidden = ("VCBENCH_", "DJANGO_", "PYTEST_")
    own = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    return {**own, **more}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        folder = tmp_path_factory.mktemp("portal")
        with Portal(folder, clean_environment(), port=port) as portal:
            portal.manage("migrate", "--noinput")
            portal.serve()
            yield portal


def test_a_taken_port_is_stepped_over(portal: Portal) -> None:
    assert not portal.address.endswith(f":{portal.port}")


def test_it_asks_to_sign_in(portal: Portal) -> None:
    answer = urllib3.request("GET", portal.address)
    assert answer.status == 200
    assert b"password" in answer.data


def test_every_part_is_alive(portal: Portal) -> None:
    names = [child.name for child in portal.children]
    assert names == ["Valkey", "The web server", "The reaper", "A worker"]
    assert all(child.alive for child in portal.children)


def test_the_web_server_comes_back_at_the_same_address(portal: Portal) -> None:
    web = next(child for child in portal.children if "web" in child.name)
    assert web.process is not None
    os.kill(web.process.pid, signal.SIGKILL)
    eventually(lambda: urllib3.request("GET", portal.address).status == 200)


def test_a_second_portal_on_the_same_folder_is_refused(portal: Portal) -> None:
    with (
        pytest.raises(StartFailed, match=rf"process {os.getpid()}.*VCBENCH_DATA_DIR"),
        Portal(portal.folder, clean_environment()),
    ):
        pass


def test_a_failing_command_says_what_it_wrote(portal: Portal) -> None:
    with pytest.raises(StartFailed, match="Unknown command"):
        portal.manage("no-such-command")


def test_a_redis_that_is_named_is_used(valkey: str, tmp_path: Path) -> None:
    given = clean_environment(VCBENCH_REDIS_URL=valkey)
    with Portal(tmp_path, given) as portal:
        assert portal.redis_url == valkey
        assert list(portal.children) == []


def test_a_redis_that_is_named_and_silent_is_told(tmp_path: Path) -> None:
    given = clean_environment(VCBENCH_REDIS_URL="redis://127.0.0.1:1/0")
    with pytest.raises(StartFailed, match="No Redis answers"), Portal(tmp_path, given):
        pass


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    for _time in range(2):
        with only_one(tmp_path):
            assert (tmp_path / "portal.lock").read_text() == f"{os.getpid()}\n"


class Run:
    """`make run` as a process of its own, without a terminal."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vcbench_site.embedded"],
            cwd=ROOT,
            env=clean_environment(VCBENCH_DATA_DIR=str(folder), **environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return line
        pytest.fail(f"it ended without saying: {words}")


@contextmanager
def killed_at_last(process: subprocess.Popen[str]) -> Iterator[None]:
    """Else a failing test would wait for ever for what it has not told to end."""
    try:
        yield
    finally:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_run_serves_until_it_is_told_to_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    run = Run(tmp_path, DJANGO_SUPERUSER_PASSWORD="a long password 1")
    with run.process as process, killed_at_last(process):
        address = run.read_until("VCBench serves at").split()[3]
        assert urllib3.request("GET", address).status == 200
        eventually(lambda: len(parts_of(tmp_path)) >= 3)
        process.send_signal(number)
        process.communicate(timeout=60)  # hear its last words, or it breaks a pipe
    assert process.returncode == (-number if number == signal.SIGKILL else 0)
    eventually(lambda: not parts_of(tmp_path))


def parts_of(folder: Path) -> list[int]:
    """Processes whose environment names the folder."""
    wanted = f"VCBENCH_DATA_DIR={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_run_says_every_fault_of_the_environment(tmp_path: Path) -> None:
    run = Run(tmp_path, VCBENCH_PORT="zero", VCBENCH_MODE="odd")
    output, _ = run.process.communicate()
    assert run.process.returncode == 1
    assert "VCBENCH_PORT" in output
    assert "VCBENCH_MODE" in output
    assert "Traceback" not in output


def test_valkey_is_gone_with_its_portal(tmp_path: Path) -> None:
    with Portal(tmp_path, clean_environment()) as portal:
        url = portal.redis_url
        assert server.answers(url)
    assert not server.answers(url)
