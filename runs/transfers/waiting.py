"""Calls that cannot be interrupted, made so that a cancel need not wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from runs.transfers.base import ShouldStop, TransferCancelled

Answer = TypeVar("Answer")
POLL_SECONDS = 0.2


def stoppable(call: Callable[[], Answer], should_stop: ShouldStop) -> Answer:
    """What `call` answers or raises; TransferCancelled soon after `should_stop`.

    `call` runs in a daemon thread and is left to its own time-outs when stopped, so it
    must change nothing: listings and look-ups, not transfers.
    """
    answers: list[Answer] = []
    faults: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as fault:  # noqa: BLE001 - handed to who waits
            faults.append(fault)
        finally:
            ended.set()

    threading.Thread(target=run, name="stoppable", daemon=True).start()
    while not ended.wait(POLL_SECONDS):
        if should_stop():
            raise TransferCancelled
    if faults:
        raise faults[0]
    return answers[0]
