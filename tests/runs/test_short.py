"""What an engine says, as the readers of a log see it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks.engines.base import EngineCancelledError, EngineContext, EngineError
from runs.claims import ClaimLost
from runs.log import RunLog
from runs.models import Run, Status
from runs.stages import tools
from runs.stages.base import Context, StageFailed
from tests.builders import claim_of, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(data_dir: Path) -> Run:
    return make_run(status=Status.RUNNING)


def gone() -> None:
    raise ClaimLost


def context(run: Run, log: RunLog) -> Context:
    claim = claim_of(run)
    return Context(run, claim, log, lambda *_: None, lambda: False, gone)


def test_files_are_named_from_the_run_or_the_data_folder(
    run: Run, data_dir: Path
) -> None:
    command = (
        f"{sys.executable} -m tool -b {data_dir}/references/a.fa --out={run.folder}/x "
        f"-v {data_dir}/b:{data_dir}/b {settings.BASE_DIR}/benchmarks/refine.py "
        f"/mnt{data_dir}/c {data_dir}-old/d"
    )
    with RunLog(claim_of(run)) as log:
        tools.engine_context(context(run, log)).log("warning", command)
    [entry] = run.log_entries.all()
    assert (entry.level, entry.message) == (
        "warning",
        "python -m tool -b references/a.fa --out=x -v b:b benchmarks/refine.py "
        f"/mnt{data_dir}/c {data_dir}-old/d",
    )


def test_so_are_those_of_a_failure(run: Run, data_dir: Path) -> None:
    def fail(_context: EngineContext) -> None:
        raise EngineError(
            f"{data_dir}/a.vcf has no index.", (f"{run.folder}/b", "as it is")
        )

    with RunLog(claim_of(run)) as log, pytest.raises(StageFailed) as caught:
        tools.carry_out(context(run, log), fail)
    assert caught.value.reason == "a.vcf has no index."
    assert caught.value.details == "b\nas it is"


def test_an_engine_that_was_told_to_stop_is_no_failure(run: Run) -> None:
    def stop(_context: EngineContext) -> None:
        raise EngineCancelledError("ended")

    with RunLog(claim_of(run)) as log, pytest.raises(ClaimLost):
        tools.carry_out(context(run, log), stop)
