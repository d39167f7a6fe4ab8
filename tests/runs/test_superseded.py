"""A worker that was taken for lost and wakes: nothing of the next attempt's is touched.

Two threads are the two workers. The first one's watch looks late, as that of a process
that was stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from runs import lifecycle, pipeline, watch
from runs.claims import Claim, ClaimLost
from runs.models import Run, StageName, Status
from runs.stages.base import Context
from runs.watch import Watch
from tests.builders import claim_of, make_run
from tests.embedded.waiting import eventually
from tests.runs.test_pipeline import Deed, Toy

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sent"),
]
SECONDS = 20
TakeOver = Callable[..., "tuple[Worker, Worker]"]


class Worker:
    """Carries out an attempt whose stage stops in the middle, until it may go on."""

    def __init__(self, claim: Claim, after: Deed, *, resumes: bool) -> None:
        self.after = after
        self.inside, self.may_go_on = threading.Event(), threading.Event()
        self.stage = Toy(StageName.HAPPY, deed=self.deed)
        self.stage.resumes = resumes
        self.thread = threading.Thread(target=self.carry_out, args=(claim,))
        self.thread.start()
        assert self.inside.wait(SECONDS)

    def carry_out(self, claim: Claim) -> None:
        try:
            pipeline.carry_out(claim, [self.stage])
        finally:
            connection.close()

    def deed(self, context: Context, work: Path) -> None:
        self.inside.set()
        assert self.may_go_on.wait(SECONDS)
        self.after(context, work)

    def end(self) -> None:
        self.may_go_on.set()
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()


def fails(context: Context, work: Path) -> None:
    """As `context.check` once the watch has looked."""
    raise ClaimLost(context.claim)


def ends_well(context: Context, work: Path) -> None:
    """Its tool had ended: nothing more is asked."""


@pytest.fixture
def take_over(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> Iterator[TakeOver]:
    """Both workers, in the middle of the same stage."""
    monkeypatch.setattr(watch, "LOOK_SECONDS", 3600.0)
    workers: list[Worker] = []

    def start(first_deed: Deed, *, resumes: bool = False) -> tuple[Worker, Worker]:
        run = make_run(StageName.HAPPY, status=Status.RUNNING)
        workers.append(Worker(claim_of(run), first_deed, resumes=resumes))
        assert lifecycle.lost(run.pk, 1, "Not heard of.")
        claim = lifecycle.claim(run.pk, 2, "second")
        assert claim is not None
        workers.append(Worker(claim, ends_well, resumes=resumes))
        return workers[0], workers[1]

    yield start
    for worker in workers:
        worker.end()


@pytest.mark.parametrize("resumes", [False, True])
@pytest.mark.parametrize("deed", [fails, ends_well])
def test_one_that_wakes_while_the_next_works(
    take_over: TakeOver, deed: Deed, resumes: bool
) -> None:
    first, second = take_over(deed, resumes=resumes)
    first.end()
    run = Run.objects.get()
    assert not (run.folder / "happy").exists()
    second.end()
    run.refresh_from_db()
    assert (run.status, second.stage.kept) == (Status.COMPLETED, 1)
    assert [path.name for path in run.folder.iterdir()] == ["happy"]


@pytest.mark.parametrize("deed", [fails, ends_well])
def test_one_that_wakes_when_the_next_is_done(take_over: TakeOver, deed: Deed) -> None:
    first, second = take_over(deed)
    second.end()
    note = Run.objects.get().folder / "happy" / "stage.json"
    before = note.stat().st_ino
    first.end()
    run = Run.objects.get()
    assert (run.status, note.stat().st_ino) == (Status.COMPLETED, before)
    assert [path.name for path in run.folder.iterdir()] == ["happy"]


class TestWatch:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watch, "LOOK_SECONDS", 0.02)

    def test_outlives_a_database_that_is_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = make_run(status=Status.RUNNING)
        tries = 0

        def away(_claim: Claim) -> lifecycle.Pulse:
            nonlocal tries
            tries += 1
            raise OperationalError("connection refused")

        with Watch(claim_of(run)) as kept:
            with monkeypatch.context() as patched:
                patched.setattr(lifecycle, "look", away)
                eventually(lambda: tries > 2)
            assert not kept.should_stop()
            lifecycle.cancel(run, by="ana")
            eventually(kept.should_stop)
        assert kept.cause is watch.Cause.CANCELLED

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_that_fails_stops_the_attempt(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_claim: Claim) -> lifecycle.Pulse:
            raise RuntimeError("a fault of ours")

        monkeypatch.setattr(lifecycle, "look", broken)
        with Watch(claim_of(make_run(status=Status.RUNNING))) as kept:
            eventually(kept.should_stop)
        assert kept.cause is watch.Cause.LOST
