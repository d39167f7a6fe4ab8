"""What tests of runs use: a laboratory on loopback, and what would go to RQ."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo import giab, lab
from runs import pipeline, queue
from runs.models import Run, Source, StageName, Status
from runs.stages.order import ORDER
from tests.builders import claim_of, make_run, make_sample

SAMPLE = "NA24143_Lib3_Rep1"
SON = "NA24385_Lib1_Rep1"
"""The sample of HG002, which has a truth of structural variants."""
Go = Callable[..., Run]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What would have gone to RQ: (run id, attempt)."""
    jobs: list[tuple[int, int]] = []
    monkeypatch.setattr(
        queue, "_send", lambda priority, run_id, attempt: jobs.append((run_id, attempt))
    )
    monkeypatch.setattr(
        queue, "queued_jobs", lambda: {queue.job_id(*job) for job in jobs}
    )
    return jobs


@dataclass(frozen=True, slots=True)
class Site:
    """The demo's laboratory and where its GIAB site answers."""

    made: lab.Lab
    address: str


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = lab.build(tmp_path_factory.mktemp("lab"))
    with giab.serving(made.site) as address:
        yield Site(made, address)


@pytest.fixture
def inputs(site: Site, data_dir: Path, tmp_path: Path, settings: Any) -> Path:
    """A folder with the sample's files, which a test may spoil."""
    return laboratory(site, SAMPLE, tmp_path / "inputs", settings)


def laboratory(site: Site, sample: str, folder: Path, settings: Any) -> Path:
    """A copy of the sample's files, and a portal that knows of it and of the site."""
    shutil.copytree(site.made.samples / sample, folder)
    settings.VCBENCH = dataclasses.replace(
        settings.VCBENCH,
        path_roots=[folder],
        catalog=str(site.made.catalog),
        giab_urls=[site.address],
    )
    return folder


@pytest.fixture
def go(inputs: Path) -> Go:
    """Carry out these stages on the folder; the run as it ended."""

    def carry_out(*stages: StageName, name: str = SAMPLE, **options: object) -> Run:
        individual = str(options.pop("individual", "HG004"))
        run = make_run(
            StageName.DOWNLOAD,
            *stages,
            sample=make_sample(name, individual=individual),
            source=Source.PATH,
            location={"path": str(inputs)},
            options=options,
            status=Status.RUNNING,
        )
        pipeline.carry_out(claim_of(run), ORDER)
        run.refresh_from_db()
        return run

    return carry_out
