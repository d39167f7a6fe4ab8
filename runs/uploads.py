"""Uploaded archives: where they lie, and what goes when nobody needs it any more."""

from __future__ import annotations

import time
import uuid
import zipfile
from pathlib import Path

from django.conf import settings

from runs.models import Run, Source
from runs.transfers.chunks import UploadStore

KEPT_SECONDS = 7 * 24 * 3600
"""An upload in parts to which nothing came for so long is given up."""
UNUSED_SECONDS = 24 * 3600
"""After so long an archive that no run names was left by a process that was killed."""


def folder() -> Path:
    """Where uploaded archives lie."""
    path = Path(settings.VCBENCH.data_dir) / "uploads"
    path.mkdir(parents=True, exist_ok=True)
    return path


def new_place() -> Path:
    """For an archive that is to come."""
    return folder() / f"{uuid.uuid4()}.zip"


def location_of(path: Path) -> dict[str, str]:
    """`Run.location` of an archive, as `runs.intake` words it."""
    return {"archive": str(path.relative_to(settings.VCBENCH.data_dir))}


def limit() -> int:
    """Bytes of an archive at most."""
    return int(settings.VCBENCH.upload_max_gb * 1_000_000_000)


def in_parts() -> UploadStore:
    """The uploads under way that come in parts."""
    return UploadStore(folder() / "parts", most_bytes=limit())


def is_zip(path: Path) -> bool:
    """At a first look; members are checked when they are unpacked."""
    return zipfile.is_zipfile(path)


def tidy() -> int:
    """Remove what was given up and what no run names; returns how many files."""
    removed = in_parts().expire(KEPT_SECONDS)
    before = time.time() - UNUSED_SECONDS
    for path in folder().glob("*.zip"):
        old = path.stat().st_mtime < before
        named = Run.objects.filter(source=Source.ZIP, location=location_of(path))
        if old and not named.exists():
            path.unlink(missing_ok=True)
            removed += 1
    return removed
