"""The machine beneath: disk and workers."""

from __future__ import annotations

import logging
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import django_rq
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError
from rq import Worker
from rq.worker import BaseWorker

logger = logging.getLogger(__name__)

STATES = {
    "started": _("starting"),
    "busy": _("working"),
    "idle": _("idle"),
    "suspended": _("suspended"),
}


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the disk that holds the data folder."""

    total: int
    free: int

    @property
    def is_low(self) -> bool:
        """Less than a tenth, or less than one sample with its references takes."""
        return self.free < max(self.total // 10, 20_000_000_000)


def disk() -> Disk | None:
    """None where the data folder cannot be looked at: a share that has gone away."""
    try:
        usage = shutil.disk_usage(settings.VCBENCH.data_dir)
    except OSError as error:
        logger.warning("The data folder cannot be looked at: %s", error)
        return None
    return Disk(usage.total, usage.free)


@dataclass(frozen=True, slots=True)
class WorkerState:
    name: str
    host: str
    state: str
    queues: str
    beat_at: datetime | None

    @property
    def label(self) -> str:
        return str(STATES.get(self.state, self.state))


def workers() -> list[WorkerState] | None:
    """All workers that have announced themselves; None when Redis does not answer."""
    try:
        # Each question opens a connection of its own, which nobody else would close.
        with closing(django_rq.get_connection("default")) as connection:
            found = Worker.all(connection=connection)
        return sorted(map(_state, found), key=lambda worker: worker.name)
    except RedisError as error:
        logger.warning("The workers cannot be listed: %s", error)
        return None


def _state(worker: BaseWorker) -> WorkerState:
    beat = worker.last_heartbeat
    if beat is not None and beat.tzinfo is None:
        beat = beat.replace(tzinfo=UTC)
    return WorkerState(
        worker.name,
        f"{worker.hostname}, {worker.pid}" if worker.hostname else "",
        str(worker.get_state()),
        ", ".join(worker.queue_names()),
        beat,
    )
