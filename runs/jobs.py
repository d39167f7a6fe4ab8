"""What an RQ job calls."""

from __future__ import annotations

import logging
import os
import socket

from benchmarks import catalog
from runs import lifecycle, pipeline
from runs.preparation import PreparationError
from runs.references import Fetcher
from runs.stages.order import ORDER
from runs.transfers.base import TransferError, never_stop, no_progress

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


def fetch_ahead(key: str) -> None:
    """Fetch an entry of the catalogue before a run needs it.

    A fault is kept in the entry's row, where the page of references shows it.
    """
    fetcher = Fetcher(logger.info, no_progress, never_stop, check=lambda: None)
    known = catalog.current()
    genome = next((entry for entry in known.references if entry.key == key), None)
    try:
        if genome is not None:
            fetcher.reference(genome)
        else:
            fetcher.truth_set(known.truth_set_by_key(key))
    except (TransferError, PreparationError) as error:
        logger.warning("%s could not be fetched: %s", key, error)
