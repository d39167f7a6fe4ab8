"""What a stage is.

A stage works in a folder of its own (`perform`), which is then published by one
rename. Its results are read from there (`read`) and put into the database by one
fenced transaction. A worker that dies in between leaves a published folder, and the
next attempt only reads it: no stage is carried out to its end twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from runs.claims import Claim
from runs.log import RunLog
from runs.models import Run, StageName
from runs.transfers.base import TransferError

Progress = Callable[[int, "int | None", "float | None"], None]
"""`progress(done, total, rate)`: bytes (or steps), of how many, per second."""


class StageFailed(Exception):
    """The stage said no: a sentence for the person who reads it, details behind.

    `passing`: the same may succeed later without any change, in `wait` seconds if the
    other side said so; the run is then tried again by itself.
    """

    def __init__(
        self,
        reason: str,
        details: str = "",
        *,
        passing: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details
        self.passing = passing
        self.wait = wait

    @classmethod
    def of_transfer(cls, error: TransferError) -> StageFailed:
        return cls(error.sentence, passing=error.transient, wait=error.retry_after)


class StageSkipped(Exception):
    """The stage does not apply; the message says why."""


@dataclass(slots=True)
class Context:
    """What a stage may use. `run` is the row as it was when the attempt began."""

    run: Run
    claim: Claim
    log: RunLog
    progress: Progress
    should_stop: Callable[[], bool]
    check: Callable[[], None]
    provenance: dict[str, Any] = field(default_factory=dict)
    """What the stage adds to the run's record of how it was made."""

    @property
    def folder(self) -> Path:
        return self.run.folder

    def published(self, name: StageName) -> Path:
        """Where the results of that stage lie once it is done."""
        return self.folder / name


@dataclass(frozen=True, slots=True)
class Findings:
    """What a stage has found."""

    message: str
    """A sentence that sums it up."""
    keep: Callable[[], None]
    """Puts it into the database: called once, inside a fenced transaction, and so with
    nothing to do but writing. What was there of an earlier attempt is replaced."""


class Stage(Protocol):
    """A step of the pipeline."""

    @property
    def name(self) -> StageName: ...

    @property
    def needs(self) -> tuple[StageName, ...]:
        """Stages without whose success this one cannot begin."""

    @property
    def resumes(self) -> bool:
        """Whether an unfinished working folder is worth keeping for a next attempt."""

    def inputs(self, context: Context) -> dict[str, Any]:
        """What decides the result: done work is used again while this is the same.

        Raises `StageSkipped` or `StageFailed`.
        """

    def perform(self, context: Context, work: Path) -> None:
        """Do it, leaving all results in `work`. Raises `StageSkipped`,
        `StageFailed`, or what `context.check` raises."""

    def read(self, context: Context, folder: Path) -> Findings:
        """Read the published results, outside of any transaction, perhaps more than
        once. Raises `StageFailed` for results that cannot be read."""


def fingerprint(inputs: dict[str, Any]) -> str:
    """SHA-256 of what decides a stage's result."""
    text = json.dumps(inputs, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
