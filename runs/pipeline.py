"""The stages of a run in their order; knows no tool."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from runs import lifecycle
from runs.claims import Claim, ClaimLost, fenced
from runs.database import AWAY, steady
from runs.log import RunLog
from runs.models import Run, StageName, StageStatus, Status
from runs.stages.base import Context, Stage, StageFailed, StageSkipped, fingerprint
from runs.transfers.part import sync_folder
from runs.watch import Cause, Stopped, Watch, handing_back_on_sigterm

logger = logging.getLogger(__name__)

NOTE = "stage.json"
"""The file in a published folder that says what it was made from."""
PROVENANCE = "provenance.json"
"""The file beside it with the stage's part of the run's record of how it was made."""
LITTLE_SPACE = 1_000_000
"""Bytes free: with fewer, a failure is most likely due to the full disk."""
PROGRESS_SECONDS = 0.5
"""How often progress is written to the run's row."""


def carry_out(claim: Claim, order: Sequence[Stage]) -> None:
    """Carry out the stages of the claimed run that are not done yet."""
    run = Run.objects.select_related("sample", "created_by").get(pk=claim.run_id)
    with (
        RunLog(claim) as log,
        log.listening("benchmarks", "runs.transfers", "truvari"),
        Watch(claim) as watch,
        handing_back_on_sigterm(watch),
        Ending(claim, log),
    ):
        context = Context(
            run=run,
            claim=claim,
            log=log,
            progress=ProgressWriter(claim),
            should_stop=watch.should_stop,
            check=watch.check,
            provenance=dict(run.provenance),
        )
        log.info(f"Attempt {claim.attempt} of {run.sample.name} begins.")
        failures = _carry_out_stages(context, order)
        if failures:
            told = list(failures.values())
            raise next((one for one in told if one.passing), told[0])


class Ending:
    """Gives the run its final status for whatever way the attempt ends.

    "The work said no" and "we crashed" are different endings: a crash keeps its
    traceback and goes on to RQ, where it is seen.
    """

    def __init__(self, claim: Claim, log: RunLog) -> None:
        self.claim = claim
        self.log = log

    def __enter__(self) -> Ending:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        try:
            return self._end(error)
        except ClaimLost:
            logger.warning("Run %s was taken away", self.claim.run_id)
            return True

    def _end(self, error: BaseException | None) -> bool:
        match error:
            case None:
                self.log.success("The run is complete.")
                self._finish(Status.COMPLETED)
            case ClaimLost():
                logger.warning("Run %s was taken away", self.claim.run_id)
            case Stopped(cause=Cause.SHUTDOWN):
                self.log.flush()
                lifecycle.hand_back(self.claim, "The worker is being shut down.")
            case Stopped():
                self.log.warning("The run was cancelled.")
                reason = Run.objects.values_list("reason", flat=True).get(
                    pk=self.claim.run_id
                )
                self._finish(Status.CANCELLED, reason)
            case StageFailed(passing=True, reason=reason, wait=wait):
                self.log.flush()
                lifecycle.put_off(self.claim, reason, wait=wait)
            case StageFailed(reason=reason, details=details):
                self._finish(Status.ERROR, reason, details)
            case _ if isinstance(error, AWAY):
                logger.warning("Run %s: %s", self.claim.run_id, error)
                with suppress(*AWAY, TimeoutError):
                    self.log.flush()
                reason = "The database was out of reach for the worker."
                lifecycle.put_off(self.claim, reason)
            case _:
                reason = (
                    "VCBench itself failed "
                    f"({type(error).__name__}: {error}). Please report this."
                )
                self.log.error(reason)
                details = "".join(traceback.format_exception(error))
                self._finish(Status.ERROR, reason, details)
                return False
        return True

    def _finish(self, status: Status, reason: str = "", details: str = "") -> None:
        self.log.flush()
        lifecycle.finish(self.claim, status, reason=reason, details=details)


class ProgressWriter:
    """Writes how far a stage is to the run's row, not more often than people look."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._written = 0.0

    def __call__(
        self, done: int, total: int | None = None, rate: float | None = None
    ) -> None:
        now = time.monotonic()
        if done != total and now - self._written < PROGRESS_SECONDS:
            return
        self._written = now
        lifecycle.progress(self.claim, done, total, rate)


def _carry_out_stages(
    context: Context, order: Sequence[Stage]
) -> dict[StageName, StageFailed]:
    """Every stage that can be carried out; returns those that failed.

    A failure ends the stages that need it; the others go on.
    """
    failures: dict[StageName, StageFailed] = {}
    rows = {row.name: row for row in context.run.stages.all()}
    for stage in order:
        row = rows.get(stage.name)
        if row is None:
            continue
        context.check()
        if blocked := next((need for need in stage.needs if need in failures), None):
            message = f"Not carried out, because the stage {blocked} failed."
            lifecycle.end_stage(
                context.claim, stage.name, StageStatus.CANCELLED, message
            )
            continue
        context.log.stage = stage.name
        failure = _carry_out_stage(context, stage, row.status, row.fingerprint)
        context.log.stage = ""
        if failure is not None:
            failures[stage.name] = failure
    return failures


def _carry_out_stage(
    context: Context, stage: Stage, status: str, made_from: str
) -> StageFailed | None:
    try:
        mark = fingerprint(stage.inputs(context))
        folder = context.published(stage.name)
        ready = _is_published(folder, mark)
        if status == StageStatus.COMPLETED and made_from == mark and ready:
            context.log.info(f"{stage.name.label}: done in an earlier attempt.")
            return None
        lifecycle.start_stage(context.claim, stage.name)
        if ready:
            context.log.info(f"{stage.name.label}: found done; keeping the results.")
        else:
            _perform(context, stage, mark)
        message = _record(context, stage, folder, mark)
        context.log.success(message)
    except StageSkipped as skipped:
        context.log.warning(f"{stage.name.label} skipped: {skipped}")
        lifecycle.end_stage(
            context.claim, stage.name, StageStatus.SKIPPED, str(skipped)
        )
    except StageFailed as failure:
        context.log.error(failure.reason)
        lifecycle.end_stage(
            context.claim, stage.name, StageStatus.ERROR, failure.reason
        )
        return failure
    return None


def _is_published(folder: Path, mark: str) -> bool:
    try:
        note = json.loads((folder / NOTE).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return bool(note["fingerprint"] == mark)


def _perform(context: Context, stage: Stage, mark: str) -> None:
    """Work in a folder of the stage's own; publish it by one rename."""
    work = _workplace(context, stage, mark)
    note = work / NOTE
    try:
        work.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"fingerprint": mark}))
        stage.perform(context, work)
        context.check()
        own = {stage.name: context.provenance.get(stage.name)}
        (work / PROVENANCE).write_text(json.dumps(own))
        if _is_lost(context.claim):
            raise ClaimLost(context.claim)
        _publish(work, context.published(stage.name))
    except OSError as error:
        raise StageFailed(_no_space(error, context.folder)) from error
    except StageFailed as failure:
        if shutil.disk_usage(context.folder).free < LITTLE_SPACE:
            reason = f"{failure.reason} {_full(context.folder)}"
            raise StageFailed(reason, failure.details) from failure
        raise
    finally:
        if not stage.resumes:
            shutil.rmtree(work, ignore_errors=True)


def _is_lost(claim: Claim) -> bool:
    """Whether another attempt has begun. A database that is away is no reason to throw
    work away: what is published is whole, and is recorded by whoever holds the claim.
    """
    try:
        return not lifecycle.beat(claim).alive
    except AWAY:
        return False


def _workplace(context: Context, stage: Stage, mark: str) -> Path:
    """The folder to work in; what earlier attempts left is gone, unless it is resumed.

    Each attempt has its own, so that a worker that was taken for lost and wakes finds
    nothing of the next attempt's. One that is resumed is theirs in common.
    """
    own = "" if stage.resumes else f"-{context.claim.attempt}"
    work = context.folder / f".{stage.name}{own}"
    for left in leftovers(context.folder, stage.name):
        if left != work:  # somebody who sleeps may wake and write there
            shutil.rmtree(left, ignore_errors=True)
        elif not (stage.resumes and _is_published(work, mark)):
            shutil.rmtree(left)
    return work


def leftovers(folder: Path, stage: str) -> list[Path]:
    """Folders of the stage in a run's folder that are no results of it: in which an
    attempt works, or stopped working.
    """
    return sorted(folder.glob(f".{stage}*"))


def _no_space(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(folder)
    where = f" ({error.filename})" if error.filename else ""
    return f"A file could not be read or written{where}: {error.strerror}."


def _full(folder: Path) -> str:
    return (
        f"No space is left in {folder}. Make space on that disk, then retry: "
        "the run goes on where it stopped."
    )


def _publish(work: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}-old")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.replace(folder, old)
    os.replace(work, folder)
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


@steady
def _record(context: Context, stage: Stage, folder: Path, mark: str) -> str:
    kept = folder / PROVENANCE
    if kept.exists() and (own := json.loads(kept.read_text()).get(stage.name)):
        context.provenance[stage.name] = own
    findings = stage.read(context, folder)
    with fenced(context.claim):
        findings.keep()
        context.claim.rows.update(provenance=context.provenance)
        lifecycle.end_stage(
            context.claim, stage.name, StageStatus.COMPLETED, findings.message, mark
        )
    return findings.message
