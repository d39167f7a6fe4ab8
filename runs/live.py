"""Telling the browsers that a run has something new.

What is sent is a hint, never the content: whoever gets it reads the rows. So a hint
that is lost costs a moment, not a line.
"""

from __future__ import annotations

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def group(run_id: int) -> str:
    """The channel group of everyone who watches the run."""
    return f"run.{run_id}"


def announce(run_id: int) -> None:
    """Hint, once the transaction is committed, that the run's rows have changed."""
    transaction.on_commit(lambda: _send(run_id))


def _send(run_id: int) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(
            group(run_id), {"type": "run.hint", "run": run_id}
        )
    except (RedisError, OSError) as error:
        logger.warning("The browsers were not told of run %s: %s", run_id, error)
