"""Threads that share tasks, and the gate that counts connections to a host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from runs.transfers.base import TransferCancelled
from runs.transfers.crew import Crew, Gate, Lines
from runs.transfers.slots import slot
from tests.transfers.conftest import QUICK

ONE = replace(QUICK, connections=1)


def soon() -> float:
    return time.monotonic() + 10


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew(1, "one")
    yield crew
    crew.close(soon())


def held(crew: Crew) -> threading.Event:
    """Keeps the only thread busy until it is set, so that what is given now waits."""
    begun, free = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert free.wait(10)

    crew.give([hold])
    assert begun.wait(10)
    return free


def test_tasks_of_all_batches_are_taken_in_the_order_given(crew: Crew) -> None:
    done: list[str] = []
    free = held(crew)
    batches = [
        crew.give([partial(done.append, f"{name}{n}") for n in range(3)])
        for name in "ab"
    ]
    free.set()
    assert all(batch.wait(10) for batch in batches)
    assert done == ["a0", "a1", "a2", "b0", "b1", "b2"]


def test_the_highest_and_the_lowest_rank_take_turns(crew: Crew) -> None:
    done: list[str] = []
    free = held(crew)
    batches = [
        crew.give([partial(done.append, f"{rank}{n}") for n in "abc"], rank)
        for rank in (2, 9, 1, 5)
    ]
    free.set()
    assert all(batch.wait(10) for batch in batches)
    assert done[:6] in (
        ["9a", "1a", "9b", "1b", "9c", "1c"],
        ["1a", "9a", "1b", "9b", "1c", "9c"],
    )
    assert sorted(done[6:]) == ["2a", "2b", "2c", "5a", "5b", "5c"]


def test_a_fault_ends_its_own_batch_alone(crew: Crew) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ValueError("first")

    free = held(crew)
    faulty = crew.give([fail, lambda: done.append("after")])
    sound = crew.give([lambda: done.append("other")])
    free.set()
    assert sound.wait(10)
    assert faulty.wait(0)
    assert str(faulty.fault) == "first"
    assert sound.fault is None
    assert done == ["other"]


def test_nothing_is_taken_of_a_batch_that_is_joined(crew: Crew) -> None:
    done: list[str] = []
    free = held(crew)
    dropped = crew.give([lambda: done.append("dropped")])
    assert dropped.join(0)
    free.set()
    assert crew.give([lambda: done.append("next")]).wait(10)
    assert done == ["next"]


def test_threads_end_when_the_crew_closes() -> None:
    crew = Crew(3, "closing")
    assert crew.give([lambda: None] * 5).wait(10)
    crew.close(soon())
    assert not [t for t in threading.enumerate() if t.name.startswith("closing")]


class Queue:
    """Callers of a gate, each in a thread, that let go when they are told to."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.entered: list[str] = []
        self._change = threading.Condition()
        self._leave: dict[str, threading.Event] = {}
        self.threads: dict[str, threading.Thread] = {}

    def come(self, name: str, lines: Lines) -> None:
        self._leave[name] = threading.Event()
        before = self._waiting()

        def call() -> None:
            try:
                with self.gate.enter("host", ONE, lines, shared=False):
                    with self._change:
                        self.entered.append(name)
                        self._change.notify_all()
                    assert self._leave[name].wait(10)
            except TransferCancelled:
                return

        self.threads[name] = thread = threading.Thread(target=call)
        thread.start()
        until(lambda: name in self.entered or self._waiting() > before)

    def leave(self, name: str) -> None:
        self._leave[name].set()
        self.threads[name].join(10)

    def wait_for(self, *names: str) -> bool:
        with self._change:
            return self._change.wait_for(lambda: self.entered == list(names), 10)

    def _waiting(self) -> int:
        return len(self.gate._queues.get("host", ()))


def until(true: Callable[[], bool]) -> None:
    """Spins; for what nothing tells of."""
    end = soon()
    while not true():
        assert time.monotonic() < end


def test_the_gate_serves_who_came_first() -> None:
    queue, lines = Queue(Gate()), Lines()
    for name in "abc":
        queue.come(name, lines)
    assert queue.entered == ["a"]
    queue.leave("a")
    assert queue.wait_for("a", "b")
    queue.leave("b")
    assert queue.wait_for("a", "b", "c")
    queue.leave("c")


def test_who_gives_up_waiting_leaves_the_queue() -> None:
    queue, lines, impatient = Queue(Gate()), Lines(), Lines()
    queue.come("a", lines)
    queue.come("b", impatient)
    queue.come("c", lines)
    impatient.halt()
    queue.threads["b"].join(10)
    queue.leave("a")
    assert queue.wait_for("a", "c")
    queue.leave("c")
    queue.come("d", lines)
    assert queue.wait_for("a", "c", "d")
    queue.leave("d")


def test_who_waits_at_the_gate_is_not_busy() -> None:
    queue, whole, other = Queue(Gate()), Lines(), Lines()
    lines = whole.child()
    queue.come("a", other)
    queue.come("b", lines)
    assert other.busy
    assert not whole.busy
    queue.leave("a")
    assert queue.wait_for("a", "b")
    assert whole.busy
    assert not other.busy
    queue.leave("b")
    assert not whole.busy


def test_who_waits_for_a_slot_is_not_busy() -> None:
    seen: list[bool] = []

    class Impatient(Lines):
        def pause(self, seconds: float) -> None:
            seen.append(self.busy)
            raise TransferCancelled

    with (
        slot("host", 1, time.sleep),
        pytest.raises(TransferCancelled),
        Gate().enter("host", ONE, Impatient(), shared=True),
    ):
        pytest.fail("entered")
    assert seen == [False]
