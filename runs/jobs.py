"""What an RQ job calls."""

from __future__ import annotations

import logging
import os
import socket

from runs import lifecycle, pipeline
from runs.stages.order import ORDER

logger = logging.getLogger(__name__)


def worker_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def carry_out(run_id: int, attempt: int) -> None:
    """Carry out that attempt of the run, if it is still to be had."""
    claim = lifecycle.claim(run_id, attempt, worker_name())
    if claim is None:
        logger.info("Run %s, attempt %s is not to be had", run_id, attempt)
        return
    pipeline.carry_out(claim, ORDER)
