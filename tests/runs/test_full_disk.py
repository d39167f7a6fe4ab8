"""A disk that is full in the middle of a run, in each stage; all parts real.

On a real tmpfs of a hundred megabytes that holds all but the database, which takes
root to mount.
"""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from runs import lifecycle, logstore, pipeline
from runs.models import LogEntry, Run, StageName, Status
from runs.stages.order import ORDER
from tests.disks import small_disk
from tests.runs.conftest import SON, Go, Site, laboratory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.services,
    pytest.mark.xdist_group("stages"),
    pytest.mark.usefixtures("sent"),
]
BEFORE = {
    StageName.HAPPY: [StageName.REFERENCE],
    StageName.TRUVARI: [StageName.REFERENCE],
}


@dataclasses.dataclass(frozen=True, slots=True)
class Disk:
    """A small disk that is filled and emptied."""

    folder: Path

    @property
    def ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, left: int) -> None:
        free = shutil.disk_usage(self.folder).free
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - left)

    def empty(self) -> None:
        self.ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "small", "100m") as folder:
        yield Disk(folder)


@pytest.fixture
def data_dir(disk: Disk, settings: Any) -> Path:
    settings.VCBENCH = dataclasses.replace(settings.VCBENCH, data_dir=disk.folder)
    return disk.folder


@pytest.fixture
def inputs(site: Site, data_dir: Path, tmp_path: Path, settings: Any) -> Path:
    return laboratory(site, SON, tmp_path / "inputs", settings)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if another process had filled the disk after the check."""
    for module in ("fetch", "paths"):
        monkeypatch.setattr(f"runs.transfers.{module}.check_space", lambda *_args: None)


def carry_on(run: Run) -> None:
    claim = lifecycle.claim(run.pk, run.attempt, "worker")
    assert claim is not None
    pipeline.carry_out(claim, ORDER)
    run.refresh_from_db()


def assert_log_is_whole(run: Run) -> None:
    sequences = list(
        LogEntry.objects.filter(run=run).values_list("sequence", flat=True)
    )
    assert sequences == list(range(1, run.last_sequence + 1))
    errors = run.log_entries.filter(level="error")
    assert errors.latest("sequence").message == run.reason


# The results of `csv` are rows: a little space is enough for it.
@pytest.mark.parametrize(
    ("stage", "left"),
    [
        (StageName.DOWNLOAD, 24_576),
        (StageName.REFERENCE, 245_760),
        (StageName.HAPPY, 24_576),
        (StageName.TRUVARI, 61_440),
        *[(stage, 0) for stage in StageName],
    ],
)
def test_a_full_disk_in_a_stage(
    go: Go, disk: Disk, unchecked: None, stage: StageName, left: int
) -> None:
    run = go(*BEFORE.get(stage, []), name=SON, individual="HG002")
    assert run.status == Status.COMPLETED, run.reason
    if stage == StageName.DOWNLOAD:
        shutil.rmtree(run.folder)
    disk.fill(left)
    run = lifecycle.launch(run, [stage], options={}, by="ana")
    carry_on(run)
    assert run.status == Status.ERROR
    assert str(disk.folder) in run.reason
    assert "No space is left" in run.reason or "The disk is full" in run.reason
    assert_log_is_whole(run)
    assert not (run.folder / stage).exists()
    disk.empty()
    run = lifecycle.retry(run, by="ana")
    carry_on(run)
    assert run.status == Status.COMPLETED, run.reason
    assert run.stages.get(name=stage).status == Status.COMPLETED
    assert [path.name for path in run.folder.glob(".*")] == []
    assert all(file.file.stat().st_size == file.size for file in run.artifacts.all())


def test_a_log_that_cannot_be_compacted_stays(go: Go, disk: Disk) -> None:
    run = go(StageName.CSV, name=SON, individual="HG002")
    lines = logstore.read(run)
    disk.fill(0)
    with pytest.raises(CommandError, match="No space left"):
        call_command("compact_logs", "--after", "0", stdout=io.StringIO())
    assert logstore.read(run) == lines
    assert run.log_entries.count() == len(lines)
    disk.empty()
    call_command("compact_logs", "--after", "0", stdout=io.StringIO())
    assert run.log_entries.count() == 0
    assert logstore.read(run) == lines
