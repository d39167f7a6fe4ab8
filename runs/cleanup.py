"""Removing the files of an ended run; its rows, log and numbers stay."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from runs import log, pipeline
from runs.lifecycle import Refused
from runs.models import Level, Run, Source, StageName
from runs.sources import UNPACKED
from runs.transfers import archive
from runs.transfers.base import human_bytes

REMOVED = ".removed-"
"""The beginning of the name of a folder whose content is being removed."""


@dataclass(frozen=True, slots=True)
class Freed:
    files: int
    bytes: int


def clean_up(run: Run, *, by: str) -> Freed:
    """Remove what the run's stages left, and the archive that it came in.

    Files are set aside while the run's row is locked, so that no retry meets half of
    them, and removed once that is committed. What belongs to others (server paths,
    shared references) is left alone. Raises `Refused` while the run is active.
    """
    aside = run.folder / f"{REMOVED}{uuid.uuid4().hex}"
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.is_active:
            raise Refused(
                f"The files cannot be removed: the run is {locked.status}. "
                "Cancel it first, or wait until it has ended."
            )
        places = _places(locked)
        freed = _count(places)
        _mark_removed(locked, places)
        for number, place in enumerate(places):
            aside.mkdir(parents=True, exist_ok=True)
            os.replace(place, aside / f"{number}-{place.name}")
        if freed.files:
            log.say(
                locked,
                Level.INFO,
                f"{by} removed the files of the run: {freed.files} files, "
                f"{human_bytes(freed.bytes)}.",
            )
    for folder in run.folder.glob(f"{REMOVED}*"):
        shutil.rmtree(folder)
    return freed


def _places(run: Run) -> list[Path]:
    """What there is to remove: the folders of the stages, and the uploaded archive."""
    places = [run.folder / name for name in (*StageName, UNPACKED)]
    places += archive.leftovers(run.folder / UNPACKED)
    for stage in StageName:
        places += pipeline.leftovers(run.folder, stage)
    if run.source == Source.ZIP and (given := run.location.get("archive")):
        data = Path(settings.VCBENCH.data_dir)
        file = (data / given).resolve()
        others = Run.objects.filter(source=Source.ZIP, location=run.location)
        if (
            file.is_relative_to((data / "uploads").resolve())
            and not others.exclude(pk=run.pk).exists()
        ):
            places.append(file)
    return [place for place in places if place.exists()]


def _count(places: list[Path]) -> Freed:
    files = [
        file
        for place in places
        for file in ([place] if place.is_file() else place.rglob("*"))
        if file.is_file() and not file.is_symlink()
    ]
    return Freed(len(files), sum(file.stat().st_size for file in files))


def _mark_removed(run: Run, places: list[Path]) -> None:
    gone = [
        row.pk
        for row in run.artifacts.filter(removed_at=None)
        if any(row.file.is_relative_to(place) for place in places)
    ]
    run.artifacts.filter(pk__in=gone).update(removed_at=timezone.now())
