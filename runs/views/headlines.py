"""The few numbers that a run is judged by at a glance, for many runs at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.models import SmallVariantMetric, StructuralVariantMetric
from runs.models import Run

TYPES = ("SNP", "INDEL")
WHOLE = {"subtype": "*", "subset": "*", "genotype": "*"}
"""The rows of the whole, not of a stratum or subtype."""


@dataclass(slots=True)
class Headline:
    """PASS rows by type, and Truvari's row of the whole."""

    small: dict[str, SmallVariantMetric] = field(default_factory=dict)
    structural: StructuralVariantMetric | None = None

    @property
    def snp(self) -> SmallVariantMetric | None:
        return self.small.get("SNP")

    @property
    def indel(self) -> SmallVariantMetric | None:
        return self.small.get("INDEL")


@dataclass(frozen=True, slots=True)
class Judged:
    run: Run
    headline: Headline


def judged(runs: Sequence[Run]) -> list[Judged]:
    """Each run with its headline; two queries, however many runs."""
    found = _headlines([run.pk for run in runs])
    return [Judged(run, found[run.pk]) for run in runs]


def _headlines(keys: Iterable[int]) -> dict[int, Headline]:
    found = {key: Headline() for key in keys}
    small = (
        SmallVariantMetric.objects.filter(
            run__in=found, filter="PASS", type__in=TYPES, **WHOLE
        )
        .defer("columns")
        .order_by()
    )
    for row in sorted(small, key=lambda row: TYPES.index(row.type)):
        found[row.run_id].small[row.type] = row
    structural = (
        StructuralVariantMetric.objects.filter(
            run__in=found, source="bench", type="*", size_class="*"
        )
        .defer("columns")
        .order_by()
    )
    for whole in structural:
        found[whole.run_id].structural = whole
    return found
