"""Numbers of many runs in the order of time, and what is wrong with their course.

A `Subject` is one number that runs have: a metric of the comparison or a QC value.
It is written into addresses as `small|SNP|PASS|*|f1` or `qc|kind|region|section|metric|
value`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from benchmarks.control import LONGEST, WARNING, Baseline, Rule, broken_rules
from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from runs.models import Run

BASELINE = 20
"""Values of a baseline that nobody chose: the oldest ones."""
Kind = Literal["small", "sv", "qc"]
Text = str | Promise
SMALL_FIELDS: Mapping[str, Text] = {
    "f1": "F1",
    "recall": _("Recall"),
    "precision": _("Precision"),
    "truth_fn": "TRUTH.FN",
    "query_fp": "QUERY.FP",
    "fp_gt": "FP.gt",
    "frac_na": "Frac_NA",
    "truth_total": "TRUTH.TOTAL",
    "query_total": "QUERY.TOTAL",
}
STRUCTURAL_FIELDS: Mapping[str, Text] = {
    "f1": "F1",
    "recall": _("Recall"),
    "precision": _("Precision"),
    "gt_concordance": _("GT concordance"),
    "fn": "FN",
    "fp": "FP",
}
QC_FIELDS: Mapping[str, str] = {"value": "", "percent": " %"}
COUNTS = frozenset(
    {"truth_fn", "query_fp", "fp_gt", "truth_total", "query_total", "fn", "fp"}
)
REGION = re.compile(r"(?:wgs|target_bed|tmb|qc-coverage-region-\d+)(?:_tumor|_normal)?")
"""Scopes that mean the same in every run; others name a sample or a read group."""
LENGTHS: Mapping[str, int] = {"small": 4, "sv": 1, "qc": 5}


@dataclass(frozen=True, slots=True)
class Subject:
    """`parts` are the fields of the address after the kind."""

    kind: Kind
    parts: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Subject | None:
        """None where that is no subject."""
        kind, *parts = text.split("|")
        if len(parts) != LENGTHS.get(kind):
            return None
        fields: Mapping[str, object] = {
            "small": SMALL_FIELDS,
            "sv": STRUCTURAL_FIELDS,
            "qc": QC_FIELDS,
        }[kind]
        return cls(kind, tuple(parts)) if parts[-1] in fields else None  # type: ignore[arg-type]

    def __str__(self) -> str:
        return "|".join((self.kind, *self.parts))

    @property
    def field(self) -> str:
        return self.parts[-1]

    @property
    def is_share(self) -> bool:
        """Between 0 and 1."""
        return self.kind != "qc" and self.field not in COUNTS

    @property
    def title(self) -> str:
        if self.kind == "small":
            kind, passing, subset, field = self.parts
            where = "" if subset == "*" else f" {subset}"
            return f"{kind} {passing}{where} {SMALL_FIELDS[field]}"
        if self.kind == "sv":
            return f"SV {STRUCTURAL_FIELDS[self.field]}"
        _kind, region, section, metric, field = self.parts
        more = ", ".join(part for part in (section.capitalize(), region) if part)
        return f"{metric}{QC_FIELDS[field]}" + (f" ({more})" if more else "")

    def values(self, runs: Collection[int]) -> dict[int, float]:
        """By the keys of the runs that have it; one query."""
        return dict(reversed(list(self._rows(runs))))

    def _rows(self, runs: Collection[int]) -> Iterator[tuple[int, float]]:
        """Where a run has several, the first of them counts."""
        rows = self._query().filter(run__in=runs)
        for run, value in rows.values_list("run_id", self.field):
            if value is not None:
                yield run, float(value)

    def _query(
        self,
    ) -> QuerySet[SmallVariantMetric | StructuralVariantMetric | QCMetric]:
        if self.kind == "small":
            kind, passing, subset, _field = self.parts
            return SmallVariantMetric.objects.filter(
                type=kind, filter=passing, subset=subset, subtype="*", genotype="*"
            ).order_by("run_id")
        if self.kind == "sv":
            return StructuralVariantMetric.objects.filter(
                source="bench", type="*", size_class="*"
            ).order_by("run_id")
        kind, region, section, metric, _field = self.parts
        rows = QCMetric.objects.filter(metric=metric, section=section, kind=kind)
        rows = rows.filter(scope=region) if region else rows
        return rows.order_by("run_id", "line")


def qc_subject(row: QCMetric, field: str = "value") -> Subject:
    region = row.scope if REGION.fullmatch(row.scope) else ""
    return Subject("qc", (row.kind, region, row.section, row.metric, field))


@dataclass(frozen=True, slots=True)
class Value:
    """A number of one run."""

    key: int
    run: UUID
    time: datetime
    sample: str
    pipeline: str
    value: float


def values_of(runs: Sequence[Run], subject: Subject) -> list[Value]:
    """Of the runs that have the subject, oldest first."""
    found = subject.values([run.pk for run in runs])
    values = [
        Value(
            run.pk,
            run.uuid,
            run.created_at,
            run.sample.name,
            run.pipeline,
            found[run.pk],
        )
        for run in runs
        if run.pk in found
    ]
    return sorted(values, key=lambda value: (value.time, value.key))


@dataclass(frozen=True, slots=True)
class Judged:
    """A value with its distance from the baseline and the rules it breaks."""

    value: Value
    z: float | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def rejected(self) -> bool:
        return any(rule != WARNING for rule in self.rules)

    @property
    def warned(self) -> bool:
        return bool(self.rules) and not self.rejected


def judge(
    baseline: Baseline | None, before: Sequence[Value], values: Sequence[Value]
) -> list[Judged]:
    """The values by Westgard's rules, which look at up to nine before the first."""
    if baseline is None:
        return [Judged(value) for value in values]
    lead = before[len(before) - min(len(before), LONGEST - 1) :]
    broken = broken_rules(baseline, [each.value for each in (*lead, *values)])
    return [
        Judged(value, baseline.z(value.value), rules)
        for value, rules in zip(values, broken[len(lead) :], strict=True)
    ]


GAP = 3
"""Good values that an episode may hold without ending."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Values one after the other, most of which break a rule."""

    values: Sequence[Judged]
    new_pipeline: str = ""
    """The pipeline that came with the first of them."""

    @property
    def first(self) -> Judged:
        return self.values[0]

    @property
    def last(self) -> Judged:
        return self.values[-1]

    @property
    def count(self) -> int:
        return sum(value.rejected for value in self.values)

    @property
    def rules(self) -> list[Rule]:
        found = {rule for value in self.values for rule in value.rules}
        return sorted(found - {WARNING})

    @property
    def below(self) -> bool:
        return sum(value.z or 0 for value in self.values) < 0


def episodes(judged: Sequence[Judged]) -> list[Episode]:
    """Where the course is out of control, oldest first."""
    found: list[Episode] = []
    start = last = None
    for at, each in enumerate(judged):
        if not each.rejected:
            continue
        if start is not None and last is not None and at - last > GAP + 1:
            found.append(_episode(judged, start, last))
            start = None
        start, last = (at if start is None else start), at
    if start is not None and last is not None:
        found.append(_episode(judged, start, last))
    return found


def _episode(judged: Sequence[Judged], start: int, last: int) -> Episode:
    first = judged[start].value.pipeline
    before = {each.value.pipeline for each in judged[:start]}
    new = first if before and first not in before else ""
    return Episode(judged[start : last + 1], new)
