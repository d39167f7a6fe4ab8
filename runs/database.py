"""Writes that outlive a restart of the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection
from tenacity import (
    before_sleep_log,
    retry,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

AWAY = (OperationalError, InterfaceError, InternalError)
"""What is raised while the database is locked, restarting or out of reach, or has ended
a transaction that stood still for too long (the last one)."""

PATIENCE = 120.0
"""Seconds for which a write is tried again while the database is away."""


def steady(function: Callable[P, R]) -> Callable[P, R]:
    """Try again while the database is locked, restarting or out of reach.

    The function is run anew from its beginning, so it must be one transaction that
    can find out whether an earlier try was committed after all. Inside a transaction
    of the caller nothing is tried again: that transaction is lost as a whole.
    """

    @retry(
        retry=retry_if_exception_type(AWAY),
        wait=wait_random_exponential(multiplier=0.05, max=3),
        stop=stop_after_delay(PATIENCE),
        before_sleep=before_sleep_log(logger, logging.WARNING),
        reraise=True,
    )
    def patiently(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.errors_occurred:  # not each time: that would connect anew
            connection.close_if_unusable_or_obsolete()
        return function(*args, **kwargs)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        return patiently(*args, **kwargs)

    return call
