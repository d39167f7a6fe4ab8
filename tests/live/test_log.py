"""RunLog: windows, order, back-pressure, and a database that goes away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from runs import lifecycle, live
from runs import log as module
from runs.claims import ClaimLost, fenced
from runs.log import Line, RunLog
from runs.models import Level, LogEntry, Run
from tests.builders import claim_of

pytestmark = pytest.mark.django_db(transaction=True)


def sequences(run: Run) -> list[int]:
    entries = LogEntry.objects.filter(run=run).order_by("sequence")
    return list(entries.values_list("sequence", flat=True))


def messages(run: Run) -> list[str]:
    entries = LogEntry.objects.filter(run=run).order_by("sequence")
    return list(entries.values_list("message", flat=True))


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the writes."""
    sizes: list[int] = []
    append = module._append

    def watched(rows: Any, run_id: int, lines: Sequence[Line], *rest: Any) -> Any:
        sizes.append(len(lines))
        return append(rows, run_id, lines, *rest)

    monkeypatch.setattr(module, "_append", watched)
    return sizes


def test_lines_have_sequence_level_stage_and_time(run: Run, log: RunLog) -> None:
    before = timezone.now()
    log.stage = "happy"
    log.warning("slow")
    log.stage = ""
    log.success("done")
    log.flush()
    first, second = LogEntry.objects.filter(run=run).order_by("sequence")
    assert (first.sequence, first.level, first.stage) == (1, "warning", "happy")
    assert (second.sequence, second.level, second.stage) == (2, "success", "")
    assert before <= first.time <= second.time <= timezone.now()
    run.refresh_from_db()
    assert run.last_sequence == 2


def test_the_first_line_is_written_at_once_and_the_next_in_windows(
    run: Run, log: RunLog, windows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 60.0)
    log.info("first")
    wait_until(lambda: windows == [1])
    for number in range(100):
        log.info(f"line {number}")
    log.flush()
    assert windows == [1, 100]


def test_a_window_has_at_most_500_lines(
    run: Run, log: RunLog, windows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 60.0)
    for number in range(1_700):
        log.info(f"line {number}")
    log.flush()
    assert max(windows) == 500
    assert sequences(run) == list(range(1, 1_701))


def test_several_threads_write_without_gap(run: Run, log: RunLog) -> None:
    def work(name: str) -> None:
        for number in range(200):
            log.info(f"{name} {number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    assert sequences(run) == list(range(1, 801))
    own = [message for message in messages(run) if message.startswith("b ")]
    assert own == [f"b {number}" for number in range(200)]


def test_lines_from_elsewhere_come_in_between(run: Run, log: RunLog) -> None:
    log.info("one")
    log.flush()
    module.say(run, Level.WARNING, "two\nthree")
    log.info("four")
    log.flush()
    assert messages(run) == ["one", "two", "three", "four"]
    assert sequences(run) == [1, 2, 3, 4]


def test_a_message_of_several_lines_becomes_several(run: Run, log: RunLog) -> None:
    log.error("it broke:\n  here\n  there")
    log.flush()
    assert messages(run) == ["it broke:", "  here", "  there"]


def test_writing_without_the_claim_raises(run: Run, log: RunLog) -> None:
    log.info("mine")
    log.flush()
    assert lifecycle.lost(run.pk, run.attempt, "Gone.")
    log.info("too late")
    with pytest.raises(ClaimLost):
        log.flush()
    with pytest.raises(ClaimLost):
        log.info("still too late")
    assert "too late" not in messages(run)


def test_a_closed_log_takes_no_line(run: Run) -> None:
    with RunLog(claim_of(run)) as log:
        log.info("last")
    with pytest.raises(ValueError, match="closed"):
        log.info("later")
    assert messages(run) == ["last"]


def test_leaving_after_the_claim_was_lost_is_quiet(run: Run) -> None:
    with RunLog(claim_of(run)) as log:
        lifecycle.lost(run.pk, run.attempt, "Gone.")
        log.info("too late")
    assert "too late" not in messages(run)


def test_inside_a_transaction_a_line_is_part_of_it(run: Run, log: RunLog) -> None:
    def fail() -> None:
        with fenced(log.claim):
            log.info("rolled back")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with fenced(log.claim):
        log.info("kept")
    assert messages(run) == ["kept"]
    assert sequences(run) == [1]


def test_lines_that_wait_when_a_transaction_begins_do_not_block_it(
    run: Run, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 60.0)
    log.info("one")
    log.flush()
    log.info("two")
    with fenced(log.claim):
        log.info("three")
        with pytest.raises(RuntimeError, match="inside a transaction"):
            log.flush()
    log.flush()
    assert messages(run) == ["one", "two", "three"]


class Flaky:
    """Fails a number of writes, before or after their commit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int, after: bool):
        self.left = times
        self.after = after
        self.append = module._append
        monkeypatch.setattr(module, "_append", self)

    def __call__(self, *args: Any) -> Any:
        if not self.left:
            return self.append(*args)
        self.left -= 1
        if self.after:
            self.append(*args)
        raise OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_database_that_fails_around_the_commit_loses_and_doubles_nothing(
    run: Run, log: RunLog, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    log.info("one")
    log.flush()
    flaky = Flaky(monkeypatch, times=3, after=after)
    log.info("two")
    log.info("two")
    log.flush()
    log.info("three")
    log.flush()
    assert flaky.left == 0
    assert messages(run) == ["one", "two", "two", "three"]
    assert sequences(run) == [1, 2, 3, 4]


def test_a_commit_without_answer_counts_although_the_claim_is_lost_since(
    run: Run, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = module._append
    answers = iter([OperationalError("cut"), None])

    def cut(*args: Any) -> Any:
        error = next(answers, None)
        if error is None:
            return append(*args)
        append(*args)
        lifecycle.lost(run.pk, run.attempt, "Gone.")
        raise error

    monkeypatch.setattr(module, "_append", cut)
    log.info("just in time")
    log.flush()
    assert messages(run)[0] == "just in time"
    assert messages(run).count("just in time") == 1


def test_producers_wait_while_the_database_is_away(
    run: Run, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOM", 10)
    back = threading.Event()
    append = module._append

    def away(*args: Any) -> Any:
        back.wait(20)
        return append(*args)

    monkeypatch.setattr(module, "_append", away)
    written: list[int] = []

    def produce() -> None:
        for number in range(100):
            log.info(f"line {number}")
            written.append(number)

    producer = threading.Thread(target=produce)
    producer.start()
    wait_until(lambda: len(written) >= 10)
    producer.join(0.2)
    assert len(written) < 30
    back.set()
    producer.join()
    log.flush()
    assert sequences(run) == list(range(1, 101))


def test_a_database_that_stays_away_is_told_to_the_producer(
    run: Run, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunLog, "_commit", away_for_good)
    log.info("lost")
    with pytest.raises(OperationalError, match="gone for good"):
        log.flush()
    with pytest.raises(OperationalError):
        log.info("more")
    monkeypatch.undo()
    log._failure = None
    log._committed = log._accepted


def away_for_good(log: RunLog, lines: Sequence[Line]) -> None:
    raise OperationalError("gone for good")


def test_lines_are_written_although_redis_is_away(
    run: Run, log: RunLog, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
        }
    }
    for number in range(20):
        log.info(f"line {number}")
        log.flush()
    assert live.drain(10)
    warnings = [each for each in caplog.records if each.name == "runs.live"]
    assert len(warnings) == 1
    assert "Redis does not answer" in warnings[0].getMessage()
    assert sequences(run) == list(range(1, 21))


def test_records_of_libraries_become_lines(run: Run, log: RunLog) -> None:
    library = logging.getLogger("tests.library")
    library.setLevel(logging.DEBUG)
    with log.listening("tests.library"):
        library.debug("not this")
        library.info("reading %s", "x.vcf")
        library.warning("odd header")
        try:
            raise KeyError("GT")
        except KeyError:
            library.exception("no genotypes")
    library.error("afterwards")
    log.flush()
    lines = list(
        LogEntry.objects.filter(run=run)
        .order_by("sequence")
        .values_list("level", "message")
    )
    assert lines[:3] == [
        ("info", "reading x.vcf"),
        ("warning", "odd header"),
        ("error", "no genotypes"),
    ]
    assert lines[-1] == ("error", "KeyError: 'GT'")


def test_a_library_does_not_feel_a_lost_claim(run: Run, log: RunLog) -> None:
    lifecycle.lost(run.pk, run.attempt, "Gone.")
    log.info("too late")
    with pytest.raises(ClaimLost):
        log.flush()
    with log.listening("tests.library"):
        logging.getLogger("tests.library").warning("no harm")


def test_hints_wait_for_the_commit(
    run: Run, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(
        live._messenger,
        "send",
        lambda run_id: told.append(connection.in_atomic_block),
    )
    with transaction.atomic():
        log.info("one")
        assert told == []
    assert told == [False]


def wait_until(met: Any) -> None:
    end = time.monotonic() + 20
    while not met():
        assert time.monotonic() < end
        threading.Event().wait(0.005)
