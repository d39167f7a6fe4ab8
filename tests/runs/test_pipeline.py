"""The pipeline with stages that are made for the test."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import InternalError, OperationalError, connection
from django.utils import timezone

from runs import lifecycle, pipeline, queue
from runs.claims import Claim
from runs.models import Run, StageName, StageStatus, Status
from runs.stages.base import Context, Findings, StageFailed, StageSkipped
from runs.watch import Cause, Stopped
from tests.builders import claim_of, make_run

pytestmark = pytest.mark.django_db(transaction=True)
Deed = Callable[[Context, Path], None]


class Toy:
    """A stage that leaves one file and counts how often it was carried out."""

    resumes = False

    def __init__(
        self,
        name: StageName,
        needs: tuple[StageName, ...] = (),
        deed: Deed | None = None,
    ) -> None:
        self.name = name
        self.needs = needs
        self.deed = deed
        self.performed = self.kept = 0
        self.in_transaction: list[bool] = []

    def inputs(self, context: Context) -> dict[str, Any]:
        return {"sample": context.run.sample.name}

    def perform(self, context: Context, work: Path) -> None:
        (work / "result.txt").write_text("42")
        if self.deed is not None:
            self.deed(context, work)
        self.performed += 1

    def read(self, context: Context, folder: Path) -> Findings:
        self.in_transaction.append(connection.in_atomic_block)
        text = (folder / "result.txt").read_text()
        return Findings(f"{self.name.label}: {text}.", self.keep)

    def keep(self) -> None:
        self.in_transaction.append(connection.in_atomic_block)
        self.kept += 1


def running(*names: StageName) -> tuple[Run, Claim]:
    run = make_run(*names, status=Status.RUNNING)
    return run, claim_of(run)


def stages(run: Run) -> dict[str, str]:
    return dict(run.stages.values_list("name", "status"))


def lines(run: Run) -> list[str]:
    return list(run.log_entries.values_list("message", flat=True))


def fail(context: Context, work: Path) -> None:
    raise StageFailed("The file is empty.", "cat: nothing")


def test_carries_out_the_stages_in_order() -> None:
    run, claim = running(StageName.DOWNLOAD, StageName.CSV)
    pipeline.carry_out(claim, [Toy(StageName.DOWNLOAD), Toy(StageName.CSV)])
    run.refresh_from_db()
    assert run.status == Status.COMPLETED
    assert stages(run) == {"download": "completed", "csv": "completed"}
    assert [line for line in lines(run) if "42" in line] == [
        "Download: 42.",
        "QC metrics: 42.",
    ]


def test_publishes_the_results_whole() -> None:
    run, claim = running(StageName.CSV)
    pipeline.carry_out(claim, [Toy(StageName.CSV)])
    assert (run.folder / "csv" / "result.txt").read_text() == "42"
    assert [path.name for path in run.folder.iterdir()] == ["csv"]


def test_a_stage_that_was_not_asked_for_is_left_out() -> None:
    _run, claim = running(StageName.CSV)
    other = Toy(StageName.HAPPY)
    pipeline.carry_out(claim, [other, Toy(StageName.CSV)])
    assert other.performed == 0


def test_a_failure_ends_what_needs_it_and_nothing_else() -> None:
    run, claim = running(StageName.REFERENCE, StageName.HAPPY, StageName.CSV)
    pipeline.carry_out(
        claim,
        [
            Toy(StageName.REFERENCE, deed=fail),
            Toy(StageName.HAPPY, needs=(StageName.REFERENCE,)),
            Toy(StageName.CSV),
        ],
    )
    run.refresh_from_db()
    assert (run.status, run.reason) == ("error", "The file is empty.")
    assert run.details == "cat: nothing"
    assert stages(run) == {
        "reference": "error",
        "happy": "cancelled",
        "csv": "completed",
    }


def test_a_stage_that_does_not_apply_is_skipped() -> None:
    def no_truth(context: Context, work: Path) -> None:
        raise StageSkipped("HG004 has no truth set.")

    run, claim = running(StageName.TRUVARI)
    pipeline.carry_out(claim, [Toy(StageName.TRUVARI, deed=no_truth)])
    run.refresh_from_db()
    assert run.status == Status.COMPLETED
    stage = run.stages.get()
    assert (stage.status, stage.message) == ("skipped", "HG004 has no truth set.")
    warning = run.log_entries.get(level="warning")
    assert warning.message.endswith("HG004 has no truth set.")


def test_a_retry_repeats_nothing_that_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, claim = running(StageName.DOWNLOAD, StageName.HAPPY)
    first = Toy(StageName.DOWNLOAD)
    pipeline.carry_out(claim, [first, Toy(StageName.HAPPY, deed=fail)])
    monkeypatch.setattr(queue, "enqueue", lambda run: None)
    lifecycle.retry(run, by="ana")
    again = lifecycle.claim(run.pk, 2, "b")
    assert again is not None
    second = Toy(StageName.HAPPY)
    pipeline.carry_out(again, [first, second])
    assert (first.performed, second.performed) == (1, 1)
    run.refresh_from_db()
    assert run.status == Status.COMPLETED


def test_a_published_stage_is_only_read_again() -> None:
    """As after a kill between the rename and the transaction."""
    run, claim = running(StageName.CSV)
    stage = Toy(StageName.CSV)
    pipeline.carry_out(claim, [stage])
    run.stages.update(status=StageStatus.RUNNING, fingerprint="")
    Run.objects.update(status=Status.RUNNING)
    pipeline.carry_out(claim, [stage])
    assert (stage.performed, stage.kept) == (1, 2)


def test_results_are_read_before_the_transaction_that_keeps_them() -> None:
    """Else every other writer of a SQLite database waits while files are hashed."""
    _run, claim = running(StageName.CSV)
    stage = Toy(StageName.CSV)
    pipeline.carry_out(claim, [stage])
    assert stage.in_transaction == [False, True]


def test_a_stage_that_is_found_done_keeps_the_record_of_the_others() -> None:
    """Each folder tells how it was made itself, not how the others once were."""
    order = (StageName.HAPPY, StageName.CSV)
    run, claim = running(*order)

    def tell(version: str) -> Deed:
        def deed(context: Context, _work: Path) -> None:
            context.provenance[StageName.HAPPY] = {"version": version}

        return deed

    csv = Toy(StageName.CSV)
    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=tell("1")), csv])
    for name, told in (("happy", {"happy": {"version": "1"}}), ("csv", {"csv": None})):
        kept = run.folder / name / "provenance.json"
        assert json.loads(kept.read_text()) == told
    once = {"happy": {"version": "1"}, "csv": {"files": 3}}  # all had what all had
    kept.write_text(json.dumps(once))
    run.stages.update(status=StageStatus.RUNNING, fingerprint="")
    Run.objects.update(status=Status.RUNNING)
    newer = Toy(StageName.HAPPY, deed=tell("2"))
    newer.inputs = lambda context: {"other": 1}  # type: ignore[method-assign]
    pipeline.carry_out(claim, [newer, csv])
    run.refresh_from_db()
    assert csv.performed == 1
    assert run.provenance == {"happy": {"version": "2"}, "csv": {"files": 3}}


def test_other_inputs_are_other_work() -> None:
    _run, claim = running(StageName.CSV)
    stage = Toy(StageName.CSV)
    pipeline.carry_out(claim, [stage])
    Run.objects.update(status=Status.RUNNING)
    stage.inputs = lambda context: {"other": 1}  # type: ignore[method-assign]
    pipeline.carry_out(claim, [stage])
    assert stage.performed == 2


def test_what_a_killed_attempt_left_is_cleared_away() -> None:
    run, claim = running(StageName.CSV)
    for name in (".csv", ".csv-7", ".csv-old"):
        (run.folder / name).mkdir(parents=True)
        (run.folder / name / "half.txt").write_text("ha")
    pipeline.carry_out(claim, [Toy(StageName.CSV)])
    assert not (run.folder / "csv" / "half.txt").exists()
    assert [path.name for path in run.folder.iterdir()] == ["csv"]


def test_a_stage_that_resumes_keeps_what_it_had() -> None:
    run, claim = running(StageName.DOWNLOAD)
    stage = Toy(StageName.DOWNLOAD, deed=fail)
    stage.resumes = True
    pipeline.carry_out(claim, [stage])
    (run.folder / ".download" / "half.part").write_text("ha")
    Run.objects.update(status=Status.RUNNING)
    stage.deed = None
    pipeline.carry_out(claim, [stage])
    assert (run.folder / "download" / "half.part").exists()


def test_a_cancel_stops_the_stage(settings: Any) -> None:
    run, claim = running(StageName.HAPPY, StageName.CSV)

    def wait(context: Context, work: Path) -> None:
        lifecycle.cancel(run, by="ana")
        waiting = threading.Event()
        while not context.should_stop():
            waiting.wait(0.05)
        context.check()

    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=wait), Toy(StageName.CSV)])
    run.refresh_from_db()
    assert (run.status, run.reason) == ("cancelled", "Cancelled by ana.")
    assert stages(run) == {"happy": "cancelled", "csv": "cancelled"}


def test_a_shutdown_hands_the_run_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(queue, "enqueue", lambda run: sent.append(run.attempt))
    run, claim = running(StageName.HAPPY)

    def shut_down(context: Context, work: Path) -> None:
        raise Stopped(Cause.SHUTDOWN)

    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=shut_down)])
    run.refresh_from_db()
    assert (run.status, run.attempt, sent) == ("pending", 2, [2])


def test_a_crash_is_told_and_not_swallowed() -> None:
    run, claim = running(StageName.HAPPY)

    def crash(context: Context, work: Path) -> None:
        raise ZeroDivisionError("division by zero")

    with pytest.raises(ZeroDivisionError):
        pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=crash)])
    run.refresh_from_db()
    assert run.status == Status.ERROR
    assert "ZeroDivisionError" in run.reason
    assert "Traceback" in run.details


def test_a_worker_that_lost_its_run_writes_nothing_more() -> None:
    run, claim = running(StageName.HAPPY)

    def lose(context: Context, work: Path) -> None:
        Run.objects.update(status=Status.PENDING, attempt=2, claim=None)

    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=lose)])
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("pending", 2)
    assert "Small variants: 42." not in lines(run)


def test_a_full_disk_is_named() -> None:
    def full(context: Context, work: Path) -> None:
        raise OSError(28, "No space left on device")

    run, claim = running(StageName.HAPPY)
    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=full)])
    run.refresh_from_db()
    assert run.reason.startswith("No space is left in ")


def test_a_failure_on_a_full_disk_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    run, claim = running(StageName.HAPPY)
    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=fail)])
    run.refresh_from_db()
    assert run.reason.startswith("The file is empty. No space is left in ")


def test_a_failed_stage_leaves_nothing_behind() -> None:
    run, claim = running(StageName.HAPPY)
    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=fail)])
    assert list(run.folder.iterdir()) == []


def busy(context: Context, work: Path) -> None:
    raise StageFailed("The store is busy.", passing=True, wait=70)


def test_a_fault_that_may_pass_is_the_next_attempts_business() -> None:
    run, claim = running(StageName.DOWNLOAD, StageName.HAPPY, StageName.CSV)
    pipeline.carry_out(
        claim,
        [
            Toy(StageName.DOWNLOAD, deed=busy),
            Toy(StageName.HAPPY, needs=(StageName.DOWNLOAD,)),
            Toy(StageName.CSV),
        ],
    )
    run.refresh_from_db()
    assert (run.status, run.attempt, run.reason) == ("pending", 2, "The store is busy.")
    assert run.next_attempt_at is not None
    assert run.next_attempt_at > timezone.now() + timedelta(seconds=60)
    assert stages(run) == {
        "download": "pending",
        "happy": "pending",
        "csv": "completed",
    }


def test_a_fault_that_stays_ends_the_run_once_nothing_can_pass() -> None:
    """Bad input is no reason to leave out what may still succeed."""
    run, claim = running(StageName.REFERENCE, StageName.CSV)
    bad = Toy(StageName.CSV, deed=fail)
    pipeline.carry_out(claim, [bad, Toy(StageName.REFERENCE, deed=busy)])
    run.refresh_from_db()
    assert run.status == Status.PENDING
    again = lifecycle.claim(run.pk, 2, "b")
    assert again is not None
    pipeline.carry_out(again, [bad, Toy(StageName.REFERENCE)])
    run.refresh_from_db()
    assert (run.status, run.reason) == ("error", "The file is empty.")


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("server closed the connection unexpectedly"),
        InternalError("terminating connection due to idle-in-transaction timeout"),
    ],
)
def test_a_database_that_is_away_is_the_next_attempts_business(
    error: Exception,
) -> None:
    def away(context: Context, work: Path) -> None:
        for number in range(100):
            context.log.info(f"line {number}")
        raise error

    run, claim = running(StageName.HAPPY)
    pipeline.carry_out(claim, [Toy(StageName.HAPPY, deed=away)])
    run.refresh_from_db()
    assert (run.status, run.attempt, run.retries) == ("pending", 2, 1)
    assert "line 99" in lines(run)


def test_work_that_is_done_outlives_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hours of it are not done again because the end could not be written."""

    def away(_claim: Claim) -> lifecycle.Pulse:
        raise OperationalError("connection refused")

    run, claim = running(StageName.HAPPY)
    stage = Toy(StageName.HAPPY)
    with monkeypatch.context() as patched:
        patched.setattr(lifecycle, "beat", away)
        patched.setattr(pipeline, "_record", lambda *_given: away(claim))
        pipeline.carry_out(claim, [stage])
    again = lifecycle.claim(run.pk, 2, "b")
    assert again is not None
    pipeline.carry_out(again, [stage])
    run.refresh_from_db()
    assert (run.status, stage.performed) == (Status.COMPLETED, 1)


def test_the_record_of_how_it_was_made_outlives_a_retry() -> None:
    def note(context: Context, work: Path) -> None:
        context.provenance["happy"] = {"engine": "builtin"}

    run, claim = running(StageName.HAPPY)
    stage = Toy(StageName.HAPPY, deed=note)
    pipeline.carry_out(claim, [stage])
    Run.objects.update(status=Status.RUNNING, provenance={})
    run.stages.update(status=StageStatus.RUNNING)
    pipeline.carry_out(claim, [stage])
    run.refresh_from_db()
    assert run.provenance == {"happy": {"engine": "builtin"}}
    note_file = json.loads((run.folder / "happy" / "stage.json").read_text())
    assert note_file["fingerprint"] == run.stages.get().fingerprint
