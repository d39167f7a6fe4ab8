"""Each change of a run's status, and who may not make it."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from runs import lifecycle
from runs.claims import Claim, ClaimLost
from runs.lifecycle import Order, Refused
from runs.models import LogEntry, Run, Source, StageName, StageStatus, Status
from tests.builders import claim_of, make_run

pytestmark = pytest.mark.django_db
T = TypeVar("T")
S3 = {"bucket": "lab", "prefix": "p", "id": "1"}


def order(**changes: object) -> Order:
    plain = Order(sample_id="NA24143_Lib3_Rep1", source=Source.S3, location=S3)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def stages(run: Run) -> dict[str, str]:
    return dict(run.stages.values_list("name", "status"))


def there(value: T | None) -> T:
    assert value is not None
    return value


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ana")


class TestCreate:
    def test_queues_a_pending_run(
        self,
        sent: list[tuple[int, int]],
        django_capture_on_commit_callbacks: object,
        user: User,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            run = lifecycle.create(order(), user=user)
        assert (run.status, run.attempt, run.created_by) == ("pending", 1, user)
        assert sent == [(run.pk, 1)]

    def test_knows_the_individual(self, sent: object) -> None:
        run = lifecycle.create(order(), user=None)
        assert run.sample.individual == "HG004"

    def test_adds_the_stages_that_are_needed(self, sent: object) -> None:
        run = lifecycle.create(order(stages=[StageName.TRUVARI]), user=None)
        assert list(stages(run)) == ["download", "reference", "truvari"]

    def test_csv_needs_no_reference(self, sent: object) -> None:
        run = lifecycle.create(order(stages=[StageName.CSV]), user=None)
        assert list(stages(run)) == ["download", "csv"]

    def test_only_downloads_unless_it_may_process(self, sent: object) -> None:
        run = lifecycle.create(order(auto_process=False), user=None)
        assert list(stages(run)) == ["download"]

    def test_joins_the_import_that_is_under_way(self, sent: object) -> None:
        first = lifecycle.create(order(), user=None)
        assert lifecycle.create(order(), user=None) == first

    def test_queues_a_second_import_when_told_so(self, sent: object) -> None:
        first = lifecycle.create(order(), user=None)
        second = lifecycle.create(order(join=False), user=None)
        assert second.folder != first.folder

    def test_another_folder_of_the_sample_is_another_import(self, sent: object) -> None:
        first = lifecycle.create(order(), user=None)
        other = lifecycle.create(order(location={**S3, "id": "2"}), user=None)
        assert other != first


class TestClaim:
    def test_is_had_once(self) -> None:
        run = make_run(StageName.DOWNLOAD)
        assert lifecycle.claim(run.pk, 1, "a") is not None
        assert lifecycle.claim(run.pk, 1, "b") is None
        run.refresh_from_db()
        assert (run.status, run.worker) == ("running", "a")

    def test_is_of_the_present_attempt(self) -> None:
        assert lifecycle.claim(make_run(attempt=2).pk, 1, "a") is None

    @pytest.mark.parametrize("status", ["completed", "error", "cancelled"])
    def test_is_not_of_an_ended_run(self, status: str) -> None:
        assert lifecycle.claim(make_run(status=status).pk, 1, "a") is None

    def test_of_a_run_that_is_gone(self) -> None:
        assert lifecycle.claim(12345, 1, "a") is None

    def test_waits_while_its_owner_has_enough_runs(self, user: User) -> None:
        for _ in range(4):
            make_run(status=Status.RUNNING, created_by=user)
        mine = make_run(created_by=user)
        others = make_run()
        assert lifecycle.claim(mine.pk, 1, "a") is None
        assert lifecycle.claim(others.pk, 1, "a") is not None


@pytest.mark.django_db(transaction=True)
def test_of_claims_at_once_no_more_than_the_limit_are_had(
    user: User, configure: Callable[..., None]
) -> None:
    configure(runs_per_user=1)
    runs = [make_run(created_by=user) for _ in range(4)]
    together = threading.Barrier(len(runs))

    def claim(run: Run) -> bool:
        together.wait()
        try:
            return lifecycle.claim(run.pk, 1, "a") is not None
        finally:
            connection.close()

    for _round in range(5):
        with ThreadPoolExecutor(len(runs)) as pool:
            assert sum(pool.map(claim, runs)) == 1
        Run.objects.update(status=Status.PENDING)


DIRTY = "GET https://me:pass1word@lab/x failed:\x1b[31m \x00no\udce9"
CLEAN = "GET https://me:[removed]@lab/x failed: no\ufffd"


class TestWords:
    """What a person reads of an ending: cleaned as a line of the log, so that no
    database refuses it and no credential is kept.
    """

    @pytest.fixture
    def mine(self) -> Claim:
        return claim_of(make_run(StageName.HAPPY, status=Status.RUNNING))

    def test_of_a_run_that_failed(self, mine: Claim) -> None:
        lifecycle.finish(mine, Status.ERROR, reason=DIRTY, details=f"{DIRTY}\n{DIRTY}")
        run = Run.objects.get()
        assert (run.status, run.reason) == ("error", CLEAN)
        assert run.details == f"{CLEAN}\n{CLEAN}"

    def test_of_a_stage(self, mine: Claim) -> None:
        lifecycle.end_stage(mine, "happy", StageStatus.ERROR, DIRTY)
        assert Run.objects.get().stages.get(name="happy").message == CLEAN

    @pytest.mark.parametrize("retries", [0, 1000])
    def test_of_a_run_that_is_put_off(self, mine: Claim, retries: int) -> None:
        Run.objects.update(retries=retries)
        lifecycle.put_off(mine, DIRTY)
        assert Run.objects.get().reason.startswith(CLEAN)


class TestFence:
    @pytest.fixture
    def stale(self) -> Claim:
        """A claim whose run has gone to the next attempt and is running there."""
        run = make_run(StageName.HAPPY, status=Status.RUNNING)
        stale = claim_of(run)
        lifecycle.lost(run.pk, 1, "Gone.")
        lifecycle.claim(run.pk, 2, "other")
        return stale

    def test_no_stage_is_started(self, stale: Claim) -> None:
        with pytest.raises(ClaimLost):
            lifecycle.start_stage(stale, "happy")

    def test_no_stage_is_ended(self, stale: Claim) -> None:
        with pytest.raises(ClaimLost):
            lifecycle.end_stage(stale, "happy", StageStatus.COMPLETED, "")

    def test_no_progress_is_kept(self, stale: Claim) -> None:
        with pytest.raises(ClaimLost):
            lifecycle.progress(stale, 1, 2, None)

    def test_the_run_is_not_finished(self, stale: Claim) -> None:
        with pytest.raises(ClaimLost):
            lifecycle.finish(stale, Status.COMPLETED)
        assert Run.objects.get(pk=stale.run_id).status == Status.RUNNING

    def test_the_run_is_not_handed_back(self, stale: Claim) -> None:
        with pytest.raises(ClaimLost):
            lifecycle.hand_back(stale, "Bye.")

    def test_the_run_is_not_put_off(self, stale: Claim) -> None:
        with pytest.raises(ClaimLost):
            lifecycle.put_off(stale, "Busy.")
        assert Run.objects.get(pk=stale.run_id).status == Status.RUNNING

    def test_a_beat_tells_so(self, stale: Claim) -> None:
        assert not lifecycle.beat(stale).alive

    def test_another_token_of_the_same_attempt_is_fenced_too(self) -> None:
        run = make_run(status=Status.RUNNING)
        forged = Claim(run.pk, run.attempt, uuid.uuid4())
        assert not lifecycle.beat(forged).alive


class TestFinish:
    def test_ends_the_run(self) -> None:
        run = make_run(StageName.HAPPY, status=Status.RUNNING)
        lifecycle.finish(claim_of(run), Status.ERROR, reason="No.", details="Long.")
        run.refresh_from_db()
        assert (run.status, run.reason, run.details) == ("error", "No.", "Long.")
        assert run.finished_at is not None

    def test_leaves_no_stage_open(self) -> None:
        run = make_run(StageName.HAPPY, StageName.CSV, status=Status.RUNNING)
        lifecycle.start_stage(claim_of(run), "happy")
        lifecycle.finish(claim_of(run), Status.CANCELLED, reason="Enough.")
        assert stages(run) == {"happy": "cancelled", "csv": "cancelled"}

    def test_twice_is_once(self) -> None:
        run = make_run(status=Status.RUNNING)
        claim = claim_of(run)
        lifecycle.finish(claim, Status.COMPLETED)
        lifecycle.finish(claim, Status.COMPLETED)

    def test_lets_the_owners_next_run_begin(
        self,
        user: User,
        sent: list[tuple[int, int]],
        django_capture_on_commit_callbacks: object,
    ) -> None:
        run = make_run(status=Status.RUNNING, created_by=user)
        long_ago = timezone.now() - timedelta(minutes=1)
        waiting = make_run(created_by=user, queued_at=long_ago)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            lifecycle.finish(claim_of(run), Status.COMPLETED)
        assert sent == [(waiting.pk, 1)]


class TestPutOff:
    """A fault that may pass: by default 10 s, then twice as long, eight times."""

    def put_off(self, wait: float | None = None, **fields: Any) -> Run:
        run = make_run(StageName.DOWNLOAD, status=Status.RUNNING, **fields)
        lifecycle.put_off(claim_of(run), "The store is busy.", wait=wait)
        run.refresh_from_db()
        return run

    @staticmethod
    def seconds(run: Run) -> float:
        return (there(run.next_attempt_at) - timezone.now()).total_seconds()

    def test_the_next_attempt_comes_later(
        self, sent: list[object], django_capture_on_commit_callbacks: object
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            run = self.put_off()
        assert (run.status, run.attempt, run.retries) == ("pending", 2, 1)
        assert (run.tries, run.reason) == (0, "The store is busy.")
        assert 8 < self.seconds(run) <= 10
        assert sent == []
        line = run.log_entries.get()
        assert line.message.startswith("The store is busy. That may pass: attempt 2")
        assert line.message.endswith("UTC (1 of 8).")

    def test_it_waits_twice_as_long_each_time(self) -> None:
        assert 78 < self.seconds(self.put_off(retries=3)) <= 80

    def test_it_waits_as_long_as_the_other_side_asks(self) -> None:
        assert 298 < self.seconds(self.put_off(wait=300)) <= 300

    @pytest.mark.parametrize("wait", [1e6, 1e20, float("inf")])
    def test_it_waits_an_hour_at_most(self, wait: float) -> None:
        assert 3598 < self.seconds(self.put_off(wait=wait)) <= 3600

    def test_ends_after_too_many(self) -> None:
        run = self.put_off(retries=8)
        assert (run.status, run.attempt) == ("error", 1)
        told = "The store is busy. It did not pass in 9 attempts; retry later."
        assert run.reason == told
        assert stages(run) == {"download": "cancelled"}

    def test_never_where_the_settings_say_so(self, settings: Any) -> None:
        settings.VCBENCH = dataclasses.replace(settings.VCBENCH, retries=0)
        run = self.put_off()
        assert (run.status, run.reason) == ("error", "The store is busy.")

    def test_a_run_that_was_to_be_cancelled_is(self) -> None:
        run = make_run(StageName.DOWNLOAD, status=Status.RUNNING)
        lifecycle.cancel(run, by="ana")
        lifecycle.put_off(claim_of(run), "The store is busy.")
        run.refresh_from_db()
        assert (run.status, run.reason) == ("cancelled", "Cancelled by ana.")

    def test_is_cancelled_while_it_waits(self) -> None:
        run = lifecycle.cancel(self.put_off(), by="ana")
        assert (run.status, run.next_attempt_at) == ("cancelled", None)

    def test_a_person_may_begin_it_now(
        self, sent: list[tuple[int, int]], django_capture_on_commit_callbacks: object
    ) -> None:
        run = self.put_off()
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            again = lifecycle.retry(run, by="ana")
        assert (again.attempt, again.retries, again.reason) == (3, 0, "")
        assert again.next_attempt_at is None
        assert sent == [(run.pk, 3)]

    def test_lets_the_owners_next_run_begin(
        self,
        user: User,
        sent: list[tuple[int, int]],
        django_capture_on_commit_callbacks: object,
    ) -> None:
        long_ago = timezone.now() - timedelta(minutes=1)
        waiting = make_run(created_by=user, queued_at=long_ago)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            self.put_off(created_by=user)
        assert sent == [(waiting.pk, 1)]


class TestCancel:
    def test_ends_a_pending_run(self) -> None:
        run = lifecycle.cancel(make_run(StageName.HAPPY), by="ana")
        assert (run.status, run.reason) == ("cancelled", "Cancelled by ana.")
        assert stages(run) == {"happy": "cancelled"}

    def test_asks_the_worker_of_a_running_one(self) -> None:
        run = make_run(status=Status.RUNNING)
        lifecycle.cancel(run, by="ana")
        pulse = lifecycle.beat(claim_of(run))
        assert pulse.alive
        assert pulse.cancelled

    def test_refuses_an_ended_run(self) -> None:
        with pytest.raises(Refused, match="it is completed already"):
            lifecycle.cancel(make_run(status=Status.COMPLETED), by="ana")


class TestRetry:
    def test_is_the_next_attempt_of_what_is_not_done(
        self, sent: list[tuple[int, int]], django_capture_on_commit_callbacks: object
    ) -> None:
        run = make_run(StageName.DOWNLOAD, StageName.HAPPY, status=Status.ERROR)
        run.stages.filter(name="download").update(status=StageStatus.COMPLETED)
        run.stages.filter(name="happy").update(status=StageStatus.ERROR)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            again = lifecycle.retry(run, by="ana")
        assert (again.pk, again.status, again.attempt) == (run.pk, "pending", 2)
        assert stages(again) == {"download": "completed", "happy": "pending"}
        assert sent == [(run.pk, 2)]

    @pytest.mark.parametrize("status", [Status.PENDING, Status.COMPLETED])
    def test_refuses_what_did_not_fail(self, status: Status) -> None:
        with pytest.raises(Refused, match=f"it is {status}"):
            lifecycle.retry(make_run(status=status), by="ana")


class TestLaunch:
    def test_adds_stages_to_an_ended_run(self, sent: object) -> None:
        run = make_run(StageName.DOWNLOAD, status=Status.COMPLETED)
        run.stages.update(status=StageStatus.COMPLETED)
        again = lifecycle.launch(
            run, [StageName.HAPPY], options={"stratified": True}, by="ana"
        )
        assert stages(again) == {
            "download": "completed",
            "reference": "pending",
            "happy": "pending",
        }
        assert again.options == {"stratified": True}

    def test_refuses_an_active_run(self, sent: object) -> None:
        with pytest.raises(Refused, match="once it has ended"):
            lifecycle.launch(
                make_run(status=Status.RUNNING), [StageName.CSV], options={}, by="a"
            )


class TestReap:
    def late(self, **fields: Any) -> Run:
        beat = timezone.now() - timedelta(seconds=61)
        return make_run(status=Status.RUNNING, beat_at=beat, **fields)

    def test_gives_a_silent_run_to_the_next_worker(self, sent: object) -> None:
        run = self.late()
        assert lifecycle.reap(timezone.now()) == 1
        run.refresh_from_db()
        assert (run.status, run.attempt, run.tries) == ("pending", 2, 1)
        line = LogEntry.objects.get(run=run)
        assert "has not been heard of since" in line.message

    def test_leaves_a_run_that_beats(self, sent: object) -> None:
        beat = timezone.now() - timedelta(seconds=59)
        make_run(status=Status.RUNNING, beat_at=beat)
        assert lifecycle.reap(timezone.now()) == 0

    def test_ends_a_run_that_loses_every_worker(self, sent: object) -> None:
        run = self.late(tries=2)
        lifecycle.reap(timezone.now())
        run.refresh_from_db()
        assert run.status == Status.ERROR
        assert run.reason.endswith("3 workers were lost.")

    def test_ends_a_run_that_was_to_be_cancelled(self, sent: object) -> None:
        run = self.late(cancel_requested_at=timezone.now(), reason="Cancelled by a.")
        lifecycle.reap(timezone.now())
        run.refresh_from_db()
        assert (run.status, run.reason) == ("cancelled", "Cancelled by a.")

    def test_acts_once_for_an_attempt(self, sent: object) -> None:
        run = self.late()
        assert lifecycle.lost(run.pk, 1, "Gone.")
        assert not lifecycle.lost(run.pk, 1, "Gone.")


def test_handing_back_blames_nobody(sent: object) -> None:
    run = make_run(status=Status.RUNNING)
    lifecycle.hand_back(claim_of(run), "The worker is being shut down.")
    run.refresh_from_db()
    assert (run.status, run.attempt, run.tries) == ("pending", 2, 0)


def test_a_run_that_was_to_be_cancelled_is_not_handed_on(sent: object) -> None:
    run = make_run(status=Status.RUNNING)
    lifecycle.cancel(run, by="ana")
    lifecycle.hand_back(claim_of(run), "The worker is being shut down.")
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("cancelled", 1)


def test_every_line_has_its_number(sent: object) -> None:
    run = lifecycle.create(order(), user=None)
    claim = there(lifecycle.claim(run.pk, 1, "a"))
    lifecycle.hand_back(claim, "Bye.")
    lifecycle.cancel(run, by="ana")
    numbers = run.log_entries.values_list("sequence", flat=True)
    assert list(numbers) == [1, 2, 3]
