"""Two to eight runs beside each other: whether they were measured alike, and how far
their numbers are apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from benchmarks.differences import Counted, Difference, Share, difference
from benchmarks.models import SmallVariantMetric, StructuralVariantMetric
from runs.models import Artifact, Run, StageName

FEWEST, MOST = 2, 8
LETTERS = "ABCDEFGH"
Text = str | Promise


@dataclass(slots=True)
class Side:
    """One of the runs that are compared, with what was measured of it."""

    letter: str
    run: Run
    small: dict[str, SmallVariantMetric] = field(default_factory=dict)
    structural: StructuralVariantMetric | None = None
    checksums: dict[str, str] = field(default_factory=dict)
    """Of truth set and regions, by what they are."""

    def record(self, *path: str) -> Any:
        """What the run's record says there; None where it says nothing."""
        found: Any = self.run.provenance
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


def sides_of(runs: Sequence[Run], *, passing: str, stratum: str) -> list[Side]:
    """Three queries, however many runs."""
    sides = {
        run.pk: Side(letter, run) for letter, run in zip(LETTERS, runs, strict=False)
    }
    small = SmallVariantMetric.objects.filter(
        run__in=sides, filter=passing, subset=stratum, subtype="*", genotype="*"
    )
    for row in small.order_by():
        sides[row.run_id].small[row.type] = row
    structural = StructuralVariantMetric.objects.filter(
        run__in=sides, source="bench", type="*", size_class="*"
    )
    for whole in structural.defer("columns").order_by():
        sides[whole.run_id].structural = whole
    files = Artifact.objects.filter(run__in=sides, role=Artifact.Role.REFERENCE)
    for file in files:
        sides[file.run_id].checksums[file.name] = file.checksum
    return list(sides.values())


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that decides the numbers; `weighs` where a difference in it makes
    them no longer comparable."""

    name: Text
    values: Sequence[str]
    weighs: bool = True

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1

    @property
    def by_letter(self) -> list[tuple[str, str]]:
        return list(zip(LETTERS, self.values, strict=False))

    @property
    def warns(self) -> bool:
        return self.weighs and self.differs


def conditions(sides: Sequence[Side]) -> list[Condition]:
    """How the runs were made; what no run says is left out."""
    found = [
        Condition(name, [_written(read(side)) for side in sides], weighs)
        for name, read, weighs in CONDITIONS
    ]
    return [each for each in found if any(each.values)]


def _written(value: Any) -> str:
    if value is None or value == {}:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_written(part)}" for name, part in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _denominator(kind: str) -> Callable[[Side], int | None]:
    return lambda side: side.small[kind].truth_total if kind in side.small else None


def _known_structural(side: Side) -> int | None:
    row = side.structural
    return None if row is None else row.tp_base + row.fn


def _regions_size(side: Side) -> int | None:
    """Bases of the confident regions, as the engine counted them."""
    sizes = (row.subset_confident_size for row in side.small.values())
    return next((int(size) for size in sizes if size is not None), None)


def _option(name: str) -> Callable[[Side], Any]:
    return lambda side: side.run.options.get(name)


def _record(*path: str) -> Callable[[Side], Any]:
    return lambda side: side.record(*path)


def _files(ending: tuple[str, ...]) -> Callable[[Side], str]:
    """Checksums of the reference stage's files that end so."""
    return lambda side: ", ".join(
        f"{name.rpartition('/')[2]} {checksum[:8]}"
        for name, checksum in sorted(side.checksums.items())
        if name.endswith(ending)
    )


def _engine(side: Side) -> str | None:
    engines = {row.engine for row in side.small.values()}
    return next(iter(engines), None) or side.record(StageName.HAPPY, "engine")


REFERENCE, HAPPY, TRUVARI = StageName.REFERENCE, StageName.HAPPY, StageName.TRUVARI
CONDITIONS: Sequence[tuple[Text, Callable[[Side], Any], bool]] = (
    (_("Pipeline"), lambda side: side.run.pipeline, False),
    (_("Individual"), lambda side: side.run.sample.individual, True),
    (_("Build"), _record(REFERENCE, "build"), True),
    (_("Reference"), _record(REFERENCE, "reference"), True),
    (_("Truth set, small variants"), _record(REFERENCE, "small"), True),
    (_("Truth set, structural variants"), _record(REFERENCE, "structural"), True),
    (_("Truth files"), _files((".vcf.gz", ".vcf")), True),
    (_("Confident regions"), _files((".bed", ".bed.gz")), True),
    (_("Bases in confident regions"), _regions_size, True),
    (_("TRUTH.TOTAL of SNP"), _denominator("SNP"), True),
    (_("TRUTH.TOTAL of INDEL"), _denominator("INDEL"), True),
    (_("Known structural variants"), _known_structural, True),
    (_("Engine for small variants"), _engine, True),
    (_("its versions"), _record(HAPPY, "versions"), True),
    (_("Stratified"), _option("stratified"), False),
    (_("Sample in the calls"), _option("query_sample"), True),
    (_("Truvari preset"), lambda s: s.structural and s.structural.preset, True),
    (_("Truvari parameters"), _record(TRUVARI, "parameters"), True),
    (_("Truvari versions"), _record(TRUVARI, "versions"), True),
)


@dataclass(frozen=True, slots=True)
class Number:
    """A figure of one run, and how far it is from the first run's."""

    value: float | None
    share: Share | None = None
    apart: Difference | None = None
    more_is_better: bool = True
    is_share: bool = True

    @property
    def verdict(self) -> str:
        """better, worse, within, same, or nothing where there is no judging."""
        if self.apart is None:
            return ""
        if self.apart.value == 0:
            return "same"
        if self.apart.beyond:
            up = self.apart.value > 0
            return "better" if up == self.more_is_better else "worse"
        return "within" if self.apart.within else ""


@dataclass(frozen=True, slots=True)
class Line:
    """A measure across the runs, the first of which is compared with."""

    group: str
    name: Text
    numbers: Sequence[Number]
    explained: Text = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """How a measure is read from a row. `name` is the field; a share is kept there
    with its bounds, or they are counted from `part` and `whole`, or, for F1, from
    `counted`."""

    name: str
    title: Text
    is_share: bool = True
    more_is_better: bool = True
    counts: Callable[[Any], tuple[int, int]] | None = None
    counted: Callable[[Any], Counted] | None = None

    def share(self, row: Any) -> Share | None:
        value = getattr(row, self.name)
        if value is None or not self.is_share:
            return None
        if self.counted is not None:
            return Share(value, *(self.counted(row).f1_bounds() or ()))
        low = getattr(row, f"{self.name}_lower", None)
        high = getattr(row, f"{self.name}_upper", None)
        if low is not None or self.counts is None:
            return Share(value, low, high)
        counted = Share.of(*self.counts(row))
        return Share(value, counted.low, counted.high) if counted else Share(value)

    def numbers(self, rows: Sequence[Any]) -> list[Number]:
        base = rows[0]
        return [self._number(base, row, first=at == 0) for at, row in enumerate(rows)]

    def _number(self, base: Any, row: Any, *, first: bool) -> Number:
        value = None if row is None else getattr(row, self.name)
        share = None if row is None else self.share(row)
        apart = None if first or base is None else self._apart(base, row, share)
        return Number(value, share, apart, self.more_is_better, self.is_share)

    def _apart(self, base: Any, row: Any, share: Share | None) -> Difference | None:
        of_base = self.share(base)
        if share is not None and of_base is not None:
            return difference(of_base, share)
        first, other = getattr(base, self.name), row and getattr(row, self.name)
        if self.is_share or first is None or other is None:
            return None
        return Difference(other - first)


def _recall_counts(row: SmallVariantMetric) -> tuple[int, int]:
    return row.truth_tp, row.truth_tp + row.truth_fn


def _precision_counts(row: SmallVariantMetric) -> tuple[int, int]:
    right = row.query_tp or 0
    return right, right + row.query_fp


def _small_counted(row: SmallVariantMetric) -> Counted:
    return Counted(row.truth_tp, row.truth_fn, row.query_tp or 0, row.query_fp)


def _structural_counted(row: StructuralVariantMetric) -> Counted:
    return Counted(row.tp_base, row.fn, row.tp_comp, row.fp)


def _concordance_counts(row: StructuralVariantMetric) -> tuple[int, int]:
    """Truvari gives the share of its TP-comp only."""
    return round((row.gt_concordance or 0) * row.tp_comp), row.tp_comp


SMALL: Sequence[Figure] = (
    Figure("recall", _("Recall"), counts=_recall_counts),
    Figure("precision", _("Precision"), counts=_precision_counts),
    Figure("f1", "F1", counted=_small_counted),
    Figure("truth_total", "TRUTH.TOTAL", is_share=False),
    Figure("truth_fn", "TRUTH.FN", is_share=False, more_is_better=False),
    Figure("query_fp", "QUERY.FP", is_share=False, more_is_better=False),
    Figure("fp_gt", "FP.gt", is_share=False, more_is_better=False),
    Figure("query_unk", "QUERY.UNK", is_share=False),
)
STRUCTURAL: Sequence[Figure] = (
    Figure("recall", _("Recall"), counts=lambda r: (r.tp_base, r.tp_base + r.fn)),
    Figure("precision", _("Precision"), counts=lambda r: (r.tp_comp, r.tp_comp + r.fp)),
    Figure("f1", "F1", counted=_structural_counted),
    Figure("gt_concordance", _("GT concordance"), counts=_concordance_counts),
    Figure("fn", "FN", is_share=False, more_is_better=False),
    Figure("fp", "FP", is_share=False, more_is_better=False),
)


def lines(sides: Sequence[Side]) -> list[Line]:
    """Every measure that at least one run has."""
    return [
        Line(group, figure.title, figure.numbers(rows))
        for group, figures, rows in _groups(sides)
        for figure in figures
        if any(row is not None for row in rows)
    ]


def _groups(
    sides: Sequence[Side],
) -> Iterable[tuple[str, Sequence[Figure], list[Any]]]:
    for kind in ("SNP", "INDEL"):
        yield kind, SMALL, [side.small.get(kind) for side in sides]
    yield "SV", STRUCTURAL, [side.structural for side in sides]
