from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.embedded.waiting import eventually
from vcbench_site.embedded.processes import STEADY, Child, Children, ending

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
SAY_AND_SLEEP = "echo begun; exec sleep 600"
KEEPER = """
import sys
from pathlib import Path
from vcbench_site.embedded.processes import Child
script, log = sys.argv[1:]
child = Child("a child", ["sh", "-c", script], environment={}, log=Path(log))
child.start()
print(child.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def children() -> Iterator[Children]:
    with Children() as children:
        yield children


def child(script: str, folder: Path, stdin: bytes = b"") -> Child:
    return Child(
        "a child",
        ["sh", "-c", script],
        environment=os.environ,
        log=folder / "child.log",
        stdin=stdin,
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wrote(child: Child, text: str) -> bool:
    return text in child.last_lines()


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def test_what_a_child_writes_is_kept(children: Children, tmp_path: Path) -> None:
    made = children.add(child("echo one; echo two >&2; exec sleep 600", tmp_path))
    eventually(lambda: "two" in made.last_lines())
    assert made.last_lines(1) == "two"


def test_a_child_reads_what_it_is_given(children: Children, tmp_path: Path) -> None:
    made = children.add(child("cat; exec sleep 600", tmp_path, stdin=b"given"))
    eventually(lambda: made.last_lines() == "given")


def test_a_child_that_ends_by_itself_is_started_again(
    children: Children, tmp_path: Path
) -> None:
    made = children.add(child(SAY_AND_SLEEP, tmp_path))
    first = pid_of(made)
    eventually(lambda: "begun" in made.last_lines())
    os.kill(first, signal.SIGKILL)
    eventually(lambda: pid_of(made) != first and made.alive)
    eventually(lambda: made.last_lines().count("begun") == 2)


@pytest.mark.parametrize(
    ("lived", "pauses"),
    [(STEADY, ["0.2", "0.2", "0.2"]), (STEADY - 1, ["0.2", "1.0", "3.0"])],
    ids=["after a healthy while", "at once"],
)
def test_only_bad_starts_make_the_next_one_late(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lived: float, pauses: list[str]
) -> None:
    """By a clock on which every life lasts as long as told; the waiting is left out."""
    clock = count(step=lived)
    made = Child(
        "a child",
        ["true"],
        environment=os.environ,
        log=tmp_path / "child.log",
        clock=lambda: next(clock),
    )
    made._stop.wait = lambda timeout=None: False  # type: ignore[method-assign]
    made.start()
    told = partial(re.findall, r"again in (\S+) s")
    eventually(lambda: len(told(caplog.text)) >= 3)
    made.stop()
    assert told(caplog.text)[:3] == pauses


def test_stopping_ends_children_of_children_too(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 600 & echo $!; wait"
    made = child(script, tmp_path)
    made.start()
    eventually(lambda: made.last_lines().strip().isdigit())
    grandchild = int(made.last_lines())
    made.stop(patience=0.2)
    eventually(lambda: not is_running(grandchild))
    assert not made.alive


def test_a_stopped_child_stays_stopped(tmp_path: Path) -> None:
    made = child(SAY_AND_SLEEP, tmp_path)
    made.start()
    made.stop()
    made.stop()
    assert made.last_lines().count("begun") <= 1
    assert not made.alive


def test_children_are_stopped_in_the_reverse_order(tmp_path: Path) -> None:
    log = tmp_path / "ends"
    with Children() as children:
        for name in ("first", "second"):
            script = (
                f"trap 'echo {name} >> {log}; exit' TERM; echo up; sleep 600 & wait"
            )
            made = Child(
                name,
                ["sh", "-c", script],
                environment=os.environ,
                log=tmp_path / f"{name}.log",
            )
            children.add(made)
            eventually(partial(wrote, made, "up"))
    assert log.read_text().split() == ["second", "first"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_keeper_is_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER, SAY_AND_SLEEP, str(tmp_path / "log")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    with keeper:
        assert keeper.stdout is not None
        pid = int(keeper.stdout.readline())
        assert is_running(pid)
        keeper.send_signal(number)
    eventually(lambda: not is_running(pid))


def test_endings_are_told_in_words() -> None:
    assert ending(-9) == "SIGKILL"
    assert ending(3) == "exit code 3"
