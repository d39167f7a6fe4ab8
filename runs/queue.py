"""RQ as the carrier of runs: a job is a run's id and attempt, nothing else.

The database row is the truth. A job that is lost (Redis restarted empty) is queued
again by `requeue_lost`; one that is carried twice finds its run claimed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import django_rq
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError

from runs.models import Priority, Run, Status

logger = logging.getLogger(__name__)

JOB = "runs.jobs.carry_out"
FETCH = "runs.jobs.fetch_ahead"
GRACE = timedelta(seconds=5)
"""How long a pending run may be without a job before it is queued again."""


def job_id(run_id: int, attempt: int) -> str:
    return f"run-{run_id}-{attempt}"


def enqueue(run: Run) -> None:
    """Queue the run's present attempt once the transaction is committed."""
    transaction.on_commit(lambda: _send(run.priority, run.pk, run.attempt))


def _send(priority: str, run_id: int, attempt: int) -> None:
    queue = django_rq.get_queue(priority, commit_mode="auto")
    try:
        queue.enqueue_call(
            JOB, args=(run_id, attempt), job_id=job_id(run_id, attempt), timeout=-1
        )
    except RedisError as error:
        logger.warning("Run %s stays pending until Redis answers: %s", run_id, error)


def enqueue_fetch(key: str) -> None:
    """Have an entry of the catalogue fetched before a run needs it.

    Raises `RedisError`.
    """
    queue = django_rq.get_queue(Priority.LOW, commit_mode="auto")
    queue.enqueue_call(FETCH, args=(key,), timeout=-1)


def enqueue_waiting_of(run_id: int) -> None:
    """A run has ended: queue the same person's next one, if their limit held it up."""
    owner = Run.objects.filter(pk=run_id).values("created_by")
    run = next(iter(_waiting(created_by__in=owner)), None)
    if run is not None and job_id(run.pk, run.attempt) not in queued_jobs():
        enqueue(run)


def _waiting(**which: Any) -> list[Run]:
    """Pending runs that are due, in the order in which they are to begin."""
    due = Run.objects.filter(
        status=Status.PENDING, queued_at__lt=timezone.now() - GRACE, **which
    ).order_by("queued_at", "pk")
    return sorted(due, key=lambda run: Priority.values.index(run.priority))


def _that_may_start(runs: Iterable[Run], jobs: set[str]) -> Iterator[Run]:
    """Those without a job whose owners have room for them, beside what runs and what is
    queued before them: a job that finds none costs a worker a process, and there may
    be hundreds.
    """
    limit = settings.VCBENCH.runs_per_user
    taken: Counter[int | None] = Counter(
        Run.objects.filter(status=Status.RUNNING).values_list("created_by", flat=True)
    )
    for run in runs:
        owner = run.created_by_id
        queued = job_id(run.pk, run.attempt) in jobs
        if queued or owner is None or not limit or taken[owner] < limit:
            taken[owner] += 1
            if not queued:
                yield run


def queued_jobs() -> set[str]:
    """Ids of all jobs that wait in a queue; empty when Redis does not answer."""
    found: set[str] = set()
    for name in Priority.values:
        try:
            found.update(django_rq.get_queue(name).get_job_ids())
        except RedisError as error:
            logger.warning("The queue %s cannot be read: %s", name, error)
    return found


def requeue_lost() -> int:
    """Queue pending runs that no job carries any more, those that have waited long
    enough for a fault to pass, and those for which their owner has room now; returns
    how many."""
    lost = list(_that_may_start(_waiting(), queued_jobs()))
    for run in lost:
        enqueue(run)
    return len(lost)
