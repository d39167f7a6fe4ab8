"""Which numbers can be followed: by group, for the select of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from benchmarks.models import QCMetric
from benchmarks.parsers.dragen_files import CATEGORIES
from runs.models import Run
from runs.trends import SMALL_FIELDS, STRUCTURAL_FIELDS, Subject, qc_subject
from runs.views.headlines import TYPES

SMALL, STRUCTURAL = "small", "sv"
HISTOGRAMS = ("fine_hist", "fragment_length_hist", "gc_metrics", "fastqc_metrics")
"""Kinds of files that are curves, not numbers to follow."""
CHROMOSOME = re.compile(r"(?:chr)?(?:\d{1,2}|X|Y|MT?) mean depth")
MOST = 300
"""Values of one category; a run's further ones are in its files."""


def groups() -> list[tuple[str, str]]:
    """Kinds of variants, then the categories of DRAGEN's files."""
    return [
        (SMALL, _("Small variants")),
        (STRUCTURAL, _("Structural variants")),
        *((name, f"QC: {name}") for name in CATEGORIES),
    ]


def subjects(group: str, runs: Sequence[Run], stratum: str = "*") -> list[Subject]:
    """What can be followed of that group; QC values are those of the newest of the
    runs that has any. Two queries at most."""
    if group == SMALL:
        return [
            Subject("small", (kind, passing, stratum, field))
            for kind in TYPES
            for passing in ("PASS", "ALL")
            for field in SMALL_FIELDS
        ]
    if group == STRUCTURAL:
        return [Subject("sv", (field,)) for field in STRUCTURAL_FIELDS]
    return list(dict.fromkeys(_of_rows(newest_rows(group, runs))))


def newest_rows(category: str, runs: Sequence[Run]) -> list[QCMetric]:
    """Numbers of that category, of the newest of the runs that has any."""
    rows = QCMetric.objects.filter(category=category, run__in=[run.pk for run in runs])
    newest = rows.order_by("-run_id").values_list("run_id", flat=True).first()
    if newest is None:
        return []
    numbers = rows.filter(run=newest, value__isnull=False).exclude(kind__in=HISTOGRAMS)
    shown = (row for row in numbers.order_by("file", "line") if _is_followed(row))
    return list(shown)[:MOST]


def _is_followed(row: QCMetric) -> bool:
    """Of the contigs, only the chromosomes."""
    return row.kind != "contig_mean_cov" or bool(CHROMOSOME.fullmatch(row.metric))


def _of_rows(rows: Iterable[QCMetric]) -> Iterator[Subject]:
    for row in rows:
        yield qc_subject(row)
        if row.percent is not None:
            yield qc_subject(row, "percent")


@dataclass(frozen=True, slots=True)
class Choice:
    """A subject in a select."""

    key: str
    title: str
    chosen: bool


def choices(found: Sequence[Subject], chosen: Subject | None) -> list[Choice]:
    return [Choice(str(each), each.title, each == chosen) for each in found]


def chosen_of(asked: str, found: Sequence[Subject]) -> Subject | None:
    """The one that was asked for, else the first."""
    subject = Subject.read(asked)
    if subject is not None and (subject in found or subject.kind == "small"):
        return subject
    return found[0] if found else None
