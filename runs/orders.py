"""What somebody asks for, and the stages that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runs.choices import Priority, Source, StageName
from runs.models import Run, Stage

ALWAYS = (StageName.DOWNLOAD,)
"""Stages that every run has."""
BENCHMARKS = (StageName.HAPPY, StageName.TRUVARI)
"""Stages that need a reference."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for: a run that does not exist yet."""

    sample_id: str
    source: Source
    location: dict[str, Any] = field(default_factory=dict)
    stages: Sequence[StageName] = (
        StageName.HAPPY,
        StageName.TRUVARI,
        StageName.CSV,
    )
    options: dict[str, Any] = field(default_factory=dict)
    auto_process: bool = True
    priority: Priority = Priority.DEFAULT
    join: bool = True
    """While the sample is being imported from the same place, take that run."""


def add_stages(run: Run, names: Sequence[StageName]) -> None:
    """Rows for these stages and those that they need, in the pipeline's order."""
    wanted = {*ALWAYS, *names}
    if wanted & set(BENCHMARKS):
        wanted.add(StageName.REFERENCE)
    order = {name: at for at, name in enumerate(StageName)}
    present = set(run.stages.values_list("name", flat=True))
    Stage.objects.bulk_create(
        Stage(run=run, name=name, position=order[name])
        for name in sorted(wanted - present, key=order.__getitem__)
    )
