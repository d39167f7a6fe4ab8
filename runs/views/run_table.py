"""Runs with the numbers that they are judged by, as a table to take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from runs.models import RunQuerySet
from runs.views import taken
from runs.views.headlines import Judged, judged
from runs.views.paging import page

BATCH = 500
MOST = 20_000
"""Runs of one table; filters narrow it down."""
COUNTS = ("truth_total", "truth_tp", "truth_fn", "query_fp")
RATIOS = ("recall", "precision", "f1")
STRUCTURAL = ("tp_base", "tp_comp", "fn", "fp", *RATIOS, "gt_concordance")
HEADING = (
    *("run", "sample", "individual", "pipeline", "status", "created", "finished"),
    *("started_by", "seconds"),
    *(f"snp_{name}" for name in (*COUNTS, *RATIOS)),
    *(f"indel_{name}" for name in (*COUNTS, *RATIOS)),
    *(f"sv_{name}" for name in STRUCTURAL),
)


def run_table(request: HttpRequest, runs: RunQuerySet, name: str) -> HttpResponseBase:
    """All these runs, newest first, in the format that was asked for."""
    return taken.table(request, name, HEADING, _rows(runs))


def _rows(runs: RunQuerySet) -> Iterator[list[Any]]:
    before, done = "", 0
    while done < MOST:
        found = page(runs, before=before, after="", size=BATCH)
        yield from map(_cells, judged(found.runs))
        before, done = found.older, done + len(found.runs)
        if not before:
            return


def _cells(row: Judged) -> list[Any]:
    run, headline = row.run, row.headline
    small = (headline.snp, headline.indel)
    return [
        str(run.uuid),
        run.sample.name,
        run.sample.individual,
        run.pipeline,
        run.status,
        run.created_at.isoformat(),
        run.finished_at and run.finished_at.isoformat(),
        run.created_by and run.created_by.username,
        run.duration and round(run.duration.total_seconds()),
        *(getattr(each, name, None) for each in small for name in (*COUNTS, *RATIOS)),
        *(getattr(headline.structural, name, None) for name in STRUCTURAL),
    ]
