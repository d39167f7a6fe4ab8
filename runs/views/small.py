"""A run's small variants, arranged for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from benchmarks.models import SmallVariantMetric
from runs.charts import Chart
from runs.models import Run
from runs.templatetags.portal import count, ratio
from runs.views.drawn import DIGITS, errors_chart, errors_row, interval_text
from runs.views.headlines import TYPES
from runs.views.measures import MEASURES, Measure

FILTERS = ("PASS", "ALL")
OWN = "TS_"
"""hap.py's own strata, of truth variants by their place in the confident regions."""
STRATA_DRAWN = 30
"""The worst ones; all are in the table."""
Row = SmallVariantMetric


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure: as it is shown, to the last digit, with its interval and a link."""

    text: str
    exact: str
    interval: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    measure: Measure
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class SmallVariants:
    """`whole` are the rows of SNP and INDEL, PASS and ALL; `strata` by type."""

    whole: Sequence[Row] = ()
    subtypes: Sequence[Row] = ()
    strata: dict[str, list[Row]] = field(default_factory=dict)
    lines: Sequence[Line] = ()

    def __bool__(self) -> bool:
        return bool(self.whole)

    @property
    def verdicts(self) -> list[Row]:
        return [row for row in self.whole if row.filter == "PASS"]

    def row(self, kind: str, passing: str) -> Row | None:
        found = (r for r in self.whole if (r.type, r.filter) == (kind, passing))
        return next(found, None)

    @property
    def errors(self) -> Chart:
        named = [(f"{row.type} {row.filter}", row) for row in self.whole]
        return errors_chart(
            "small-errors", _("What is missed and what is false"), named
        )

    @property
    def subtype_errors(self) -> Chart:
        return errors_chart(
            "subtype-errors",
            _("By subtype, PASS"),
            [
                (f"{row.type} {row.subtype}", row)
                for row in self.subtypes
                if row.filter == "PASS" and (row.truth_total or row.query_fp)
            ],
        )

    @property
    def strata_errors(self) -> list[Chart]:
        return [
            errors_chart(
                f"strata-{kind.lower()}",
                _("%s by stratum, PASS") % kind,
                [(row.subset, row) for row in rows[:STRATA_DRAWN]],
                table=[errors_row(row.subset, row) for row in rows],
            )
            for kind, rows in self.strata.items()
            if rows
        ]


def small_variants_of(run: Run) -> SmallVariants:
    """One query: the whole, its subtypes, and the strata."""
    rows = list(
        SmallVariantMetric.objects.filter(run=run, type__in=TYPES, genotype="*")
        .filter(Q(subset="*") | Q(subtype="*"))
        .filter(filter__in=FILTERS)
    )
    rows.sort(key=lambda row: (TYPES.index(row.type), FILTERS.index(row.filter)))
    whole = [row for row in rows if (row.subset, row.subtype) == ("*", "*")]
    return SmallVariants(
        whole=whole,
        subtypes=[row for row in rows if row.subset == "*" and row.subtype != "*"],
        strata=_strata(rows),
        lines=[_line(run, measure, whole) for measure in MEASURES],
    )


def _strata(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """PASS rows of strata, by type, the worst first; empty strata are left out."""
    found: dict[str, list[Row]] = {kind: [] for kind in TYPES}
    for row in rows:
        if row.subset != "*" and row.filter == "PASS" and row.truth_total:
            found[row.type].append(row)
    if all(row.subset.startswith(OWN) for rows in found.values() for row in rows):
        return {}
    for strata in found.values():
        strata.sort(key=lambda row: (row.f1 is None, row.f1, row.subset))
    return found


def _line(run: Run, measure: Measure, rows: Sequence[Row]) -> Line:
    return Line(measure, [_cell(run, measure, row) for row in rows])


def _cell(run: Run, measure: Measure, row: Row) -> Cell:
    value = measure.value(row)
    return Cell(
        text=ratio(value, DIGITS) if measure.is_share else count(value),
        exact=measure.exact(row),
        interval=interval_text(measure, row),
        href=_link(run, measure.name, row) if value else "",
    )


LINKS: dict[str, dict[str, str]] = {
    "truth_fn": {"verdict": "FN"},
    "query_fp": {"verdict": "FP"},
    "fp_gt": {"verdict": "FP", "reason": "genotype"},
    "fp_al": {"verdict": "FP", "reason": "allele"},
}


def _link(run: Run, name: str, row: Row) -> str:
    """Where the variants behind a count are listed."""
    wanted = LINKS.get(name)
    if wanted is None:
        return ""
    query = {**wanted, "type": row.type}
    if row.filter == "PASS" and name != "truth_fn":
        query["filter"] = "PASS"
    return f"{reverse('run-variants', args=[run.uuid])}?{urlencode(query)}"
