from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.engines.base import EngineCancelledError
from benchmarks.engines.tools import (
    LONGEST_LINE,
    Limits,
    ToolError,
    ToolRunner,
    _Line,
    code_in_words,
)
from runs.logtext import clean


def script(text: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text), *arguments]


# A tool with a child and a grandchild that moved to a session of its own; all write
# their process ids into a file and then wait for ever, deaf to TERM.
FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def note():
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")
note()
if os.fork() == 0:
    note()
    if os.fork() == 0:
        os.setsid()
        note()
        print("ready", flush=True)
while True:
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        os.sched_yield()
    return condition()


def family(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_lines_of_both_streams_come_as_they_are_written() -> None:
    lines: list[tuple[str, str]] = []
    outcome = ToolRunner().run(
        script(
            """
            import sys
            print("one\\rtwo", flush=True)
            print("bad \\x1b", file=sys.stderr)
            sys.stdout.buffer.write(b"caf\\xc3\\xa9 \\xff\\nno end")
            """
        ),
        on_line=lambda stream, line: lines.append((stream, line)),
    )
    assert outcome.ok
    assert sorted(lines) == [
        ("stderr", "bad \x1b"),
        ("stdout", "café �"),
        ("stdout", "no end"),
        ("stdout", "one"),
        ("stdout", "two"),
    ]
    assert outcome.memory is not None
    assert outcome.memory > 1_000_000


@pytest.mark.parametrize("size", [LONGEST_LINE + 1, 70_003, 300_003])
@pytest.mark.parametrize("end", ["", "\nnext\n"])
def test_a_long_line_is_one_line_and_says_what_is_cut(size: int, end: str) -> None:
    lines: list[str] = []
    outcome = ToolRunner().run(
        script(f"import sys; sys.stdout.write('x' * {size} + {end!r})"),
        on_line=lambda _, line: lines.append(line),
    )
    long, *rest = lines
    assert rest == end.split()
    assert long.startswith("x" * (LONGEST_LINE - 60))
    assert long.endswith(f"x … [cut: the line had {size:,} bytes]")
    assert outcome.tail == (long, *rest)


@pytest.mark.parametrize("letter", ["x", "é", "\\U0001f9ec", "\\udcff"])
def test_the_log_does_not_cut_a_second_time(letter: str) -> None:
    """The last letter is a byte that is no UTF-8."""
    lines: list[str] = []
    ToolRunner().run(
        script(
            f"data = ('{letter}' * 100_000).encode(errors='surrogateescape')\n"
            "with open(1, 'wb') as out: out.write(data)"
        ),
        on_line=lambda _, line: lines.append(line),
    )
    [line] = lines
    assert LONGEST_LINE - 8 <= len(line.encode()) <= LONGEST_LINE
    assert list(clean(line, "info")) == [("info", line)]


def test_a_line_of_just_the_longest_is_not_cut() -> None:
    lines: list[str] = []
    ToolRunner().run(
        script(f"print('x' * {LONGEST_LINE})"),
        on_line=lambda _, line: lines.append(line),
    )
    assert lines == ["x" * LONGEST_LINE]


def test_a_line_without_end_takes_no_memory() -> None:
    line = _Line()
    for _ in range(1_000):
        line.add(b"x" * LONGEST_LINE)
    assert (len(line.kept), line.size) == (LONGEST_LINE, 1_000 * LONGEST_LINE)


def test_arguments_are_no_shell_words() -> None:
    outcome = ToolRunner().capture(
        script("import sys; print(sys.argv[1])", "$(id); `id` && *")
    )
    assert outcome.stdout == "$(id); `id` && *"


def test_failure_is_said_in_words_with_the_last_lines() -> None:
    tool = script("import sys; print('bad reference', file=sys.stderr); sys.exit(3)")
    with pytest.raises(ToolError, match="failed with exit code 3") as caught:
        ToolRunner().check(tool)
    assert caught.value.details == ("bad reference",)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended well"),
        (1, "failed with exit code 1"),
        (137, "memory ran out"),
        (-9, "memory ran out"),
        (139, "segmentation fault"),
        (-15, "ended from outside"),
        (-34, "was ended by signal 34"),
        (126, "may not be executed"),
        (255, "failed with exit code 255"),
        (None, "did not start"),
    ],
)
def test_codes_in_words(code: int | None, words: str) -> None:
    assert words in code_in_words(code)


def test_a_killed_tool_is_told_from_one_that_failed() -> None:
    outcome = ToolRunner().run(script("import os; os.kill(os.getpid(), 9)"))
    assert outcome.returncode == -signal.SIGKILL
    assert "memory ran out" in outcome.words


def test_a_missing_program_is_named() -> None:
    outcome = ToolRunner().run(["/nowhere/rtg", "vcfeval"])
    assert outcome.ending == "not started"
    assert "/nowhere/rtg: No such file or directory" in outcome.words


def test_cancel_ends_the_whole_family(tmp_path: Path) -> None:
    pids, ready = tmp_path / "pids", list[str]()
    runner = ToolRunner(should_stop=lambda: bool(ready), limits=Limits(grace=0.2))
    started = time.monotonic()
    with pytest.raises(EngineCancelledError, match="run was cancelled"):
        runner.check(
            script(FAMILY, str(pids)), on_line=lambda _, line: ready.append(line)
        )
    assert time.monotonic() - started < 5
    assert len(family(pids)) == 3
    assert until(lambda: not any(map(alive, family(pids))))


def test_nothing_starts_when_it_is_already_cancelled(tmp_path: Path) -> None:
    outcome = ToolRunner(should_stop=lambda: True).run(["touch", str(tmp_path / "x")])
    assert outcome.ending == "cancelled"
    assert not (tmp_path / "x").exists()


def test_term_comes_before_kill() -> None:
    outcome = ToolRunner(limits=Limits(seconds=0.5, grace=5)).run(
        script(
            """
            import signal, sys, time
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("tidied up")))
            time.sleep(60)
            """
        )
    )
    assert outcome.ending == "too long"
    assert outcome.tail == ("tidied up",)
    assert "after 0.5 seconds" in outcome.words


def test_a_silent_tool_is_ended() -> None:
    outcome = ToolRunner(limits=Limits(silence=0.4, grace=0.2)).run(
        script("import time; print('start', flush=True); time.sleep(60)")
    )
    assert outcome.ending == "silent"
    assert "written nothing for 0.4 seconds" in outcome.words


def test_a_tool_that_closes_its_output_is_still_watched() -> None:
    outcome = ToolRunner(limits=Limits(seconds=0.6, grace=0.2)).run(
        script("import os, time; os.close(1); os.close(2); time.sleep(60)")
    )
    assert outcome.ending == "too long"


def test_a_grandchild_that_holds_the_pipe_does_not_hold_us(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    tool = script(
        """
        import os, sys, time
        if os.fork() == 0:
            open(sys.argv[1], "w").write(str(os.getpid()))
            time.sleep(60)
        while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read():
            time.sleep(0.01)
        """,
        str(pids),
    )
    assert ToolRunner().run(tool).ok
    assert until(lambda: not any(map(alive, family(pids))))


def test_a_memory_limit_holds() -> None:
    outcome = ToolRunner(limits=Limits(memory=300_000_000)).run(
        script("x = bytearray(600_000_000)")
    )
    assert outcome.returncode == 1
    assert "MemoryError" in outcome.tail[-1]


def test_secrets_are_not_handed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCBENCH_SECRET_KEY", "s")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    outcome = ToolRunner().capture(
        script("import os; print(*sorted(os.environ))"), env={"RTG_MEM": "1G"}
    )
    names = outcome.stdout.split()
    assert "RTG_MEM" in names
    assert not [name for name in names if name.startswith(("VCBENCH_", "AWS_"))]


def test_what_a_container_needs_after_a_kill(tmp_path: Path) -> None:
    ToolRunner(limits=Limits(seconds=0.3, grace=0.2)).run(
        script("import time; time.sleep(60)"),
        after_kill=["touch", str(tmp_path / "removed")],
    )
    assert (tmp_path / "removed").exists()


def test_an_error_in_the_callback_leaves_nothing_behind(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def lost_claim(_stream: str, _line: str) -> None:
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        ToolRunner(limits=Limits(grace=0.1)).run(
            script(FAMILY, str(pids)), on_line=lost_claim
        )
    assert until(lambda: not any(map(alive, family(pids))))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_family_dies_with_the_process_that_started_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    pids = tmp_path / "pids"
    worker = script(
        f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from benchmarks.engines.tools import ToolRunner
        ToolRunner().run([sys.executable, "-c", {FAMILY!r}, {str(pids)!r}])
        """
    )
    with subprocess.Popen(worker) as process:
        assert until(lambda: len(family(pids)) == 3)
        process.send_signal(number)
        process.wait()
    assert until(lambda: not any(map(alive, family(pids))))
