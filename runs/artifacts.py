"""Rows for the files of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from runs.models import Artifact, Run, StageName

SIDE_FILES = ("stage.json", "provenance.json")
"""The pipeline's own notes in a published folder."""


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def relative(path: Path) -> str:
    """The path as rows keep it: relative to the data folder where it is inside."""
    data = Path(settings.VCBENCH.data_dir)
    return str(path.relative_to(data) if path.is_relative_to(data) else path)


def results(run: Run, stage: StageName, folder: Path) -> list[Artifact]:
    """A row for each file that the stage left in its folder."""
    return [
        Artifact(
            run=run,
            stage=stage,
            role=Artifact.Role.RESULT,
            name=f"{stage}/{path.relative_to(folder)}",
            path=relative(path),
            size=path.stat().st_size,
            sha256=sha256_of(path),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in SIDE_FILES
    ]


def replace(run: Run, stage: StageName, rows: Iterable[Artifact]) -> None:
    """These are now all files of the stage."""
    Artifact.objects.filter(run=run, stage=stage).delete()
    Artifact.objects.bulk_create(rows)
