"""Every change of a run's status, in one place.

    create ──> pending ──claim──> running ──finish──> completed | error | cancelled
                  ^                  │
                  └── hand_back, put_off, reap, retry, launch (attempt + 1)

Each change is one conditional UPDATE whose row count is looked at. A worker writes
through its `Claim`: run, attempt and a token that only it knows. Once another attempt
has begun, every write of the old one changes no row and raises `ClaimLost`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from runs import live, log, queue
from runs.claims import Claim, ClaimLost, fenced
from runs.database import steady
from runs.individuals import individual_of
from runs.logtext import text_of
from runs.models import (
    ENDED,
    Level,
    Run,
    Sample,
    Stage,
    StageName,
    StageStatus,
    Status,
)
from runs.orders import Order as Order
from runs.orders import add_stages

LONGEST_WAIT = timedelta(hours=1)
"""Between two attempts that a run makes by itself, whatever the other side asks."""


class Refused(Exception):
    """The run is not in a state that allows this; the message says why."""


@transaction.atomic
def create(order: Order, *, user: User | None) -> Run:
    """Create the run and queue it; or return the active one that it may join."""
    sample, _created = Sample.objects.get_or_create(
        name=order.sample_id,
        defaults={"individual": individual_of(order.sample_id)},
    )
    Sample.objects.select_for_update().get(pk=sample.pk)
    if order.join and (run := _running_import(sample, order)):
        run.joined = True
        return run
    now = timezone.now()
    run = Run.objects.create(
        sample=sample,
        created_by=user,
        source=order.source,
        location=order.location,
        options=order.options,
        auto_process=order.auto_process,
        priority=order.priority,
        created_at=now,
        queued_at=now,
    )
    add_stages(run, order.stages if order.auto_process else ())
    log.say(run, Level.INFO, f"Run of {sample.name} queued.")
    queue.enqueue(run)
    return run


def _running_import(sample: Sample, order: Order) -> Run | None:
    runs = Run.objects.active().filter(sample=sample, source=order.source)
    return next((run for run in runs if run.location == order.location), None)


@steady
def claim(run_id: int, attempt: int, worker: str) -> Claim | None:
    """Take a pending run for this attempt; None when it is not to be had."""
    now = timezone.now()
    token = uuid.uuid4()
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id).first()
        if run is None or not _may_start(run):
            return None
        taken = Run.objects.filter(
            pk=run_id, attempt=attempt, status=Status.PENDING
        ).update(
            status=Status.RUNNING,
            claim=token,
            worker=worker,
            beat_at=now,
            started_at=Coalesce(F("started_at"), now),
            finished_at=None,
            reason="",
            details="",
        )
        if not taken:
            return None
        live.announce(run_id)
    return Claim(run_id, attempt, token)


def _may_start(run: Run) -> bool:
    """Whether the limit of runs that one person has at a time leaves room.

    The person's row is locked: of two claims at once, one counts the other.
    """
    limit = settings.VCBENCH.runs_per_user
    if not limit or run.created_by_id is None:
        return True
    User.objects.select_for_update(no_key=True).get(pk=run.created_by_id)
    theirs = Run.objects.filter(
        created_by=run.created_by_id, status=Status.RUNNING
    ).count()
    return theirs < limit


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a worker learns from a beat."""

    alive: bool
    cancelled: bool


@steady
def beat(claim: Claim) -> Pulse:
    """Say that the worker lives; learn whether it should stop."""
    alive = claim.rows.update(beat_at=timezone.now()) == 1
    return Pulse(alive, alive and look(claim).cancelled)


@steady
def look(claim: Claim) -> Pulse:
    """Learn whether the worker should stop, without a write."""
    asked = claim.rows.values_list("cancel_requested_at", flat=True)
    row = list(asked)
    return Pulse(bool(row), bool(row) and row[0] is not None)


@steady
def progress(claim: Claim, done: int, total: int | None, rate: float | None) -> None:
    """Keep how far the running stage is; `rate` is per second."""
    with fenced(claim, bytes_done=done, bytes_total=total, rate=rate):
        Stage.objects.filter(run_id=claim.run_id, status=StageStatus.RUNNING).update(
            done=done, total=total
        )
        live.announce(claim.run_id)


@steady
def start_stage(claim: Claim, name: str) -> None:
    now = timezone.now()
    with fenced(claim, stage=name, bytes_done=0, bytes_total=None, rate=None):
        Stage.objects.filter(run_id=claim.run_id, name=name).update(
            status=StageStatus.RUNNING,
            attempt=claim.attempt,
            started_at=now,
            finished_at=None,
            message="",
            done=0,
            total=None,
        )
        live.announce(claim.run_id)


@steady
def end_stage(
    claim: Claim, name: str, status: StageStatus, message: str, fingerprint: str = ""
) -> None:
    with fenced(claim):
        Stage.objects.filter(run_id=claim.run_id, name=name).update(
            status=status,
            message=text_of(message),
            fingerprint=fingerprint,
            finished_at=timezone.now(),
        )
        live.announce(claim.run_id)


@steady
def finish(
    claim: Claim, status: Status, *, reason: str = "", details: str = ""
) -> None:
    """End the run. All lines of its log must have been written before; `reason` and
    `details` are cleaned as those are.

    Raises `ClaimLost` if the run was taken away; a second call after a commit that
    was not answered finds the run ended by itself and is content.
    """
    now = timezone.now()
    reason = text_of(reason)
    with transaction.atomic():
        changed = claim.rows.update(
            status=status,
            reason=reason,
            details=text_of(details),
            stage="",
            rate=None,
            cancel_requested_at=None,
            finished_at=now,
        )
        if not changed and not _ended_by(claim, status):
            raise ClaimLost(claim)
        _close_stages(claim.run_id, status, reason, now)
        live.announce(claim.run_id)
    queue.enqueue_waiting_of(claim.run_id)


def _ended_by(claim: Claim, status: Status) -> bool:
    return Run.objects.filter(
        pk=claim.run_id, attempt=claim.attempt, claim=claim.token, status=status
    ).exists()


def _close_stages(run_id: int, status: Status, reason: str, now: datetime) -> None:
    """No stage of an ended run is left running; those that waited are cancelled."""
    if status == Status.COMPLETED:
        return
    stages = Stage.objects.filter(run_id=run_id)
    stages.filter(status=StageStatus.RUNNING).update(
        status=status, message=reason, finished_at=now
    )
    stages.filter(status=StageStatus.PENDING).update(status=StageStatus.CANCELLED)


def _restart(
    runs: QuerySet[Run], run_id: int, *, reset: bool, **changes: Any
) -> Run | None:
    """The one way back to pending: the next attempt, queued on commit.

    With a `queued_at` in the future it is left to the reaper, which queues it then.
    """
    if reset:
        changes |= {"tries": 0, "retries": 0}
    due = changes.setdefault("queued_at", timezone.now())
    changed = runs.filter(pk=run_id).update(
        status=Status.PENDING,
        attempt=F("attempt") + 1,
        claim=None,
        worker="",
        stage="",
        beat_at=None,
        cancel_requested_at=None,
        finished_at=None,
        **changes,
    )
    if not changed:
        return None
    Stage.objects.filter(run_id=run_id).exclude(status=StageStatus.COMPLETED).update(
        status=StageStatus.PENDING, message="", finished_at=None
    )
    run = Run.objects.get(pk=run_id)
    if due <= timezone.now():
        queue.enqueue(run)
    return run


@steady
def hand_back(claim: Claim, why: str) -> None:
    """Give the run to the next worker at once; nobody is to blame."""
    with transaction.atomic():
        if _end_cancelled(claim):
            return
        run = _restart(claim.rows, claim.run_id, reset=False)
        if run is None:
            raise ClaimLost(claim)
        log.say(run, Level.WARNING, f"{why} The run goes on as attempt {run.attempt}.")


@steady
def put_off(claim: Claim, reason: str, *, wait: float | None = None) -> None:
    """A fault that may pass: the next attempt later, or the end after too many.

    `wait` is after how many seconds the other side asked to be called again.
    """
    limit = settings.VCBENCH.retries
    reason = text_of(reason)
    with transaction.atomic():
        if _end_cancelled(claim):
            return
        run = _held(claim)
        if run.retries < limit:
            _restart_later(claim, run, reason, wait)
        else:
            told = f"{reason} It did not pass in {limit + 1} attempts; retry later."
            _end_by_itself(claim.rows, run, Status.ERROR, told if limit else reason)
    queue.enqueue_waiting_of(claim.run_id)


def _restart_later(claim: Claim, run: Run, reason: str, wait: float | None) -> None:
    """Twice as late each time, or as late as the other side asks."""
    seconds = max(settings.VCBENCH.retry_seconds * 2**run.retries, wait or 0.0)
    seconds = min(seconds, LONGEST_WAIT.total_seconds())
    due = timezone.now() + timedelta(seconds=seconds)
    count = run.retries + 1
    again = _restart(
        claim.rows, run.pk, reset=False, queued_at=due, retries=count, reason=reason
    )
    if again is None:
        raise ClaimLost(claim)
    log.say(
        again,
        Level.WARNING,
        f"{reason} That may pass: attempt {again.attempt} begins by itself at "
        f"{due:%H:%M:%S} UTC ({count} of {settings.VCBENCH.retries}).",
    )


def _held(claim: Claim) -> Run:
    """The run's row, locked. Raises `ClaimLost`."""
    run = claim.rows.select_for_update().first()
    if run is None:
        raise ClaimLost(claim)
    return run


def _end_cancelled(claim: Claim) -> bool:
    """Whether the run was to be cancelled, and now is: it must not begin anew."""
    run = _held(claim)
    if run.cancel_requested_at is None:
        return False
    _end_by_itself(claim.rows, run, Status.CANCELLED, run.reason)
    return True


@transaction.atomic
def cancel(run: Run, *, by: str) -> Run:
    """End a pending run; ask the worker of a running one to stop.

    Raises `Refused` when the run has ended.
    """
    now = timezone.now()
    reason = f"Cancelled by {by}."
    ended = Run.objects.filter(pk=run.pk, status=Status.PENDING).update(
        status=Status.CANCELLED, reason=reason, finished_at=now
    )
    if ended:
        _close_stages(run.pk, Status.CANCELLED, reason, now)
        log.say(run, Level.WARNING, reason)
    elif Run.objects.filter(pk=run.pk, status=Status.RUNNING).update(
        cancel_requested_at=Coalesce(F("cancel_requested_at"), now), reason=reason
    ):
        log.say(run, Level.WARNING, f"{by} asked to cancel the run.")
    else:
        run.refresh_from_db()
        raise Refused(f"The run cannot be cancelled: it is {run.status} already.")
    run.refresh_from_db()
    return run


@transaction.atomic
def retry(run: Run, *, by: str) -> Run:
    """Begin the next attempt where the last one stopped.

    Raises `Refused` unless the run ended in error, was cancelled, or waits to be
    tried again by itself.
    """
    stopped = Q(status__in=[Status.ERROR, Status.CANCELLED])
    waiting = Q(status=Status.PENDING, queued_at__gt=timezone.now())
    again = _restart(
        Run.objects.filter(stopped | waiting),
        run.pk,
        reset=True,
        reason="",
        details="",
    )
    if again is None:
        run.refresh_from_db()
        raise Refused(
            f"The run cannot be retried: it is {run.status}. "
            "Only runs that ended in error or were cancelled can."
        )
    log.say(again, Level.INFO, f"{by} started attempt {again.attempt}.")
    return again


@transaction.atomic
def launch(
    run: Run, stages: Sequence[StageName], *, options: dict[str, Any], by: str
) -> Run:
    """Carry out more stages, or the same anew, on the inputs that the run has.

    Raises `Refused` while the run is active.
    """
    locked = Run.objects.select_for_update().get(pk=run.pk)
    add_stages(locked, stages)
    Stage.objects.filter(run=locked, name__in=stages).update(
        status=StageStatus.PENDING, fingerprint="", message=""
    )
    again = _restart(
        Run.objects.filter(status__in=ENDED),
        run.pk,
        reset=True,
        reason="",
        details="",
        auto_process=True,
        options={**locked.options, **options},
    )
    if again is None:
        raise Refused(
            f"The run is {locked.status}. Stages can be launched once it has ended."
        )
    log.say(again, Level.INFO, f"{by} launched {', '.join(stages)}.")
    return again


@steady
def lost(run_id: int, attempt: int, why: str, silent: datetime | None = None) -> bool:
    """A worker is gone: the next attempt, or the end when there were too many.

    Conditional on the attempt, so that of many who notice one acts, and on its having
    been `silent` since then, where that is why: it may have beaten in this moment.
    """
    with transaction.atomic():
        runs = Run.objects.filter(pk=run_id, attempt=attempt, status=Status.RUNNING)
        if silent is not None:
            runs = runs.filter(beat_at__lt=silent)
        run = runs.select_for_update().first()
        if run is None:
            return False
        limit = settings.VCBENCH.attempts
        if run.cancel_requested_at is not None:
            _end_by_itself(runs, run, Status.CANCELLED, run.reason)
        elif run.tries + 1 >= limit:
            told = f"{why} {limit} workers were lost."
            _end_by_itself(runs, run, Status.ERROR, told)
        else:
            again = _restart(runs, run_id, reset=False, tries=F("tries") + 1)
            if again is not None:
                log.say(
                    again,
                    Level.WARNING,
                    f"{why} The run goes on as attempt {again.attempt}.",
                )
    return True


def _end_by_itself(runs: QuerySet[Run], run: Run, status: Status, reason: str) -> None:
    now = timezone.now()
    log.say(run, Level.ERROR if status == Status.ERROR else Level.WARNING, reason)
    runs.update(status=status, reason=reason, stage="", rate=None, finished_at=now)
    _close_stages(run.pk, status, reason, now)


def reap(now: datetime) -> int:
    """Find runs whose worker beats no more; returns how many."""
    silent = now - timedelta(seconds=settings.VCBENCH.lost_seconds)
    found = Run.objects.filter(status=Status.RUNNING, beat_at__lt=silent)
    why = "The worker {} has not been heard of since {:%H:%M:%S} UTC."
    return sum(
        lost(run.pk, run.attempt, why.format(run.worker, run.beat_at), silent)
        for run in found
        if run.beat_at is not None
    )
