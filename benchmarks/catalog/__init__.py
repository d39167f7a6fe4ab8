"""The GIAB catalogue: who the reference individuals are and what is known of them.

`current()` is the catalogue that the settings name (VCBENCH_CATALOG and
VCBENCH_GIAB_URLS); `load(path, bases)` reads any.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from benchmarks.catalog.builds import BuildGuess, detect
from benchmarks.catalog.entries import (
    BUILDS,
    KINDS,
    Build,
    FileEntry,
    Individual,
    Kind,
    ReferenceEntry,
    StratificationEntry,
    Stratum,
    TruthSetAnswer,
    TruthSetEntry,
)
from benchmarks.catalog.loading import CatalogError
from benchmarks.catalog.lookup import Catalog, UnknownIndividualError, load

__all__ = [
    "BUILDS",
    "KINDS",
    "Build",
    "BuildGuess",
    "Catalog",
    "CatalogError",
    "FileEntry",
    "Individual",
    "Kind",
    "ReferenceEntry",
    "StratificationEntry",
    "Stratum",
    "TruthSetAnswer",
    "TruthSetEntry",
    "UnknownIndividualError",
    "current",
    "detect",
    "load",
]


def current() -> Catalog:
    """The catalogue of the settings, read again when its file changes.

    Raises CatalogError.
    """
    named = settings.VCBENCH.catalog
    path = Path(named) if named else None
    changed = path.stat().st_mtime_ns if path and path.is_file() else 0
    return _loaded(path, tuple(settings.VCBENCH.giab_urls), changed)


@lru_cache(maxsize=4)
def _loaded(path: Path | None, bases: tuple[str, ...], _changed: int) -> Catalog:
    return load(path, bases)
