"""The right to carry out a run, and the fence around a worker's writes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from runs.models import Run, Status


class ClaimLost(Exception):
    """The run belongs to another attempt now; this worker may write nothing more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out one attempt of a run."""

    run_id: int
    attempt: int
    token: uuid.UUID

    @property
    def rows(self) -> QuerySet[Run]:
        """The run's row while this claim holds, else nothing."""
        return Run.objects.filter(
            pk=self.run_id,
            attempt=self.attempt,
            claim=self.token,
            status=Status.RUNNING,
        )


@contextmanager
def fenced(claim: Claim, **changes: Any) -> Iterator[None]:
    """A transaction that is committed only if the claim holds to its end.

    The run's row is updated first (with `changes`), which locks it: whoever takes the
    run away waits until this is committed.
    """
    with transaction.atomic():
        if not claim.rows.update(beat_at=timezone.now(), **changes):
            raise ClaimLost(claim)
        yield
