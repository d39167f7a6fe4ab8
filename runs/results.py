"""Where the results of a run lie that pages and REST show."""

from __future__ import annotations

from pathlib import Path

from benchmarks import variants
from runs.models import Run, StageName

KINDS = {"small": StageName.HAPPY, "structural": StageName.TRUVARI}
"""Kinds of variants, with the stage that compares them."""


def variants_of(run: Run, kind: str = "small") -> Path:
    """The columnar file of the run's false variants; it may not be there."""
    return run.folder / KINDS[kind] / variants.NAME
