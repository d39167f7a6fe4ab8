"""What stands out in a run, in a sentence each. Every rule is a small function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from benchmarks.contigs import ContigCounts
from benchmarks.models import SmallVariantMetric
from runs.models import Artifact
from runs.standing import Standing
from runs.templatetags.portal import count, ratio
from runs.views.headlines import TYPES
from runs.views.small import SmallVariants
from runs.views.structural import StructuralVariants

Kind = Literal["warning", "info", "success"]

FILTER_LOSS = 0.005
"""Recall that filters may cost before it is said."""
FEWEST_FALSE = 10
"""False calls below which their composition says nothing."""
GENOTYPE_SHARE = 0.5
STRATUM_FEWEST = 50
"""Known variants that a stratum needs to be named."""
STRATUM_TIMES = 5
"""How much more often than in the whole a stratum's variants are missed or false."""
NOT_JUDGED = 0.5
FEW_VARIANTS = 100
LOW_RECALL = 0.9
LOW_CONCORDANCE = 0.9


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at."""

    small: SmallVariants
    structural: StructuralVariants
    contigs: Sequence[ContigCounts] = ()
    files: Sequence[Artifact] = ()
    standings: Sequence[Standing] = ()


Rule = Callable[[Facts], Iterator[Finding]]


def findings(facts: Facts) -> list[Finding]:
    """Warnings first; a word of calm where no rule has anything to say."""
    if not facts.small and not facts.structural:
        return []
    found = [finding for rule in RULES for finding in rule(facts)]
    found.sort(key=lambda finding: finding.kind != "warning")
    if any(finding.kind == "warning" for finding in found):
        return found
    return [_nothing(facts), *found]


def _nothing(facts: Facts) -> Finding:
    scores = [
        f"{row.type} F1 {ratio(row.f1, 6)}"
        for row in facts.small.verdicts
        if row.f1 is not None
    ]
    said = _("Nothing stands out.")
    return Finding("success", f"{said} {', '.join(scores)}".rstrip())


def contigs_without_true_positives(facts: Facts) -> Iterator[Finding]:
    lost = [row for row in facts.contigs if row.nothing_found]
    if not lost:
        return
    names = ", ".join(row.contig for row in lost[:6])
    text = ngettext(
        "On %(contigs)s not one known variant was found. Were its calls left out?",
        "On %(contigs)s not one known variant was found. Were their calls left out?",
        len(lost),
    )
    more = f"{names} …" if len(lost) > 6 else names
    yield Finding("warning", text % {"contigs": more})


def few_are_found(facts: Facts) -> Iterator[Finding]:
    for row in facts.small.verdicts:
        if row.recall is not None and row.recall < LOW_RECALL:
            yield Finding(
                "warning",
                _("Only %(share)s of the known %(type)s variants are found and pass.")
                % {"share": _percent(row.recall), "type": row.type},
            )


def out_of_the_course(facts: Facts) -> Iterator[Finding]:
    """Against the runs before; better than ever is worth a look, too."""
    for each in facts.standings:
        this, baseline = each.this, each.baseline
        if baseline is None or this.z is None or not this.rejected:
            continue
        text = (
            _(
                "%(name)s is lower than in the runs before: %(value)s, their mean is "
                "%(mean)s (rule %(rules)s)."
            )
            if this.z < 0
            else _(
                "%(name)s is higher than in the runs before: %(value)s, their mean is "
                "%(mean)s (rule %(rules)s)."
            )
        )
        said = {
            "name": each.subject.title,
            "value": ratio(this.value.value, 6),
            "mean": ratio(baseline.mean, 6),
            "rules": ", ".join(this.rules),
        }
        yield Finding("warning" if this.z < 0 else "info", text % said)


def filters_cost_recall(facts: Facts) -> Iterator[Finding]:
    for kind in TYPES:
        passing, all_calls = facts.small.row(kind, "PASS"), facts.small.row(kind, "ALL")
        if passing is None or all_calls is None:
            continue
        if passing.recall is None or all_calls.recall is None:
            continue
        lost = passing.truth_fn - all_calls.truth_fn
        if all_calls.recall - passing.recall > FILTER_LOSS:
            yield Finding(
                "warning",
                _(
                    "The filters cost %(count)s %(type)s that were called rightly: "
                    "recall is %(all)s for all calls and %(passing)s for those that "
                    "pass."
                )
                % {
                    "count": count(lost),
                    "type": kind,
                    "all": ratio(all_calls.recall, 4),
                    "passing": ratio(passing.recall, 4),
                },
            )


def filters_cost_precision(facts: Facts) -> Iterator[Finding]:
    """Filters should remove false calls; here they leave relatively more of them."""
    for kind in TYPES:
        passing, all_calls = facts.small.row(kind, "PASS"), facts.small.row(kind, "ALL")
        if passing is None or all_calls is None:
            continue
        if passing.precision is None or all_calls.precision is None:
            continue
        if all_calls.precision - passing.precision > FILTER_LOSS:
            yield Finding(
                "warning",
                _(
                    "%(type)s that pass are less often right (%(passing)s) than all "
                    "calls (%(all)s): the filters remove the wrong ones."
                )
                % {
                    "type": kind,
                    "all": ratio(all_calls.precision, 4),
                    "passing": ratio(passing.precision, 4),
                },
            )


def false_by_genotype(facts: Facts) -> Iterator[Finding]:
    for row in facts.small.verdicts:
        if row.fp_gt is None or row.query_fp < FEWEST_FALSE:
            continue
        share = row.fp_gt / row.query_fp
        if share >= GENOTYPE_SHARE:
            yield Finding(
                "warning",
                _(
                    "%(share)s of the false %(type)s have the right alleles and only "
                    "the wrong genotype."
                )
                % {"share": _percent(share), "type": row.type},
            )


def worse_strata(facts: Facts) -> Iterator[Finding]:
    """The worst stratum of each type, where it is worse beyond its interval."""
    for kind in TYPES:
        whole = facts.small.row(kind, "PASS")
        if whole is None:
            continue
        for row in facts.small.strata.get(kind, []):
            if row.subset.startswith("TS_") or row.truth_total < STRATUM_FEWEST:
                continue
            if _worse(row, whole):
                yield Finding(
                    "warning",
                    _(
                        "%(type)s in %(stratum)s are much worse than in the whole: F1 "
                        "%(f1)s against %(whole)s."
                    )
                    % {
                        "type": kind,
                        "stratum": row.subset,
                        "f1": ratio(row.f1, 4),
                        "whole": ratio(whole.f1, 4),
                    },
                )
                break


def _worse(row: SmallVariantMetric, whole: SmallVariantMetric) -> bool:
    pairs = (
        (row.recall_upper, row.recall, whole.recall),
        (row.precision_upper, row.precision, whole.precision),
    )
    return any(
        upper is not None
        and here is not None
        and there is not None
        and upper < there
        and 1 - here > STRATUM_TIMES * (1 - there)
        for upper, here, there in pairs
    )


def many_not_judged(facts: Facts) -> Iterator[Finding]:
    for row in facts.small.verdicts:
        if row.frac_na is not None and row.frac_na > NOT_JUDGED:
            yield Finding(
                "info",
                _(
                    "%(share)s of the %(type)s calls lie outside the confident regions "
                    "and are not judged (Frac_NA)."
                )
                % {"share": _percent(row.frac_na), "type": row.type},
            )


def few_variants(facts: Facts) -> Iterator[Finding]:
    for row in facts.small.verdicts:
        if 0 < row.truth_total < FEW_VARIANTS:
            yield Finding(
                "info",
                _(
                    "Only %(count)s known %(type)s were compared, so the ratios are "
                    "uncertain; look at their intervals."
                )
                % {"count": count(row.truth_total), "type": row.type},
            )


def genotypes_of_structural_variants(facts: Facts) -> Iterator[Finding]:
    for row in facts.structural.whole[-1:]:
        metric = row.metric
        if metric.tp_comp < FEWEST_FALSE or metric.gt_concordance is None:
            continue
        if metric.gt_concordance < LOW_CONCORDANCE:
            yield Finding(
                "warning",
                _(
                    "Only %(share)s of the matched structural variants have the truth "
                    "set’s genotype."
                )
                % {"share": _percent(metric.gt_concordance)},
            )


def inputs_verified_by_size(facts: Facts) -> Iterator[Finding]:
    weak = [
        file.name.removeprefix("download/")
        for file in facts.files
        if file.verified_by == "size" and file.role == Artifact.Role.INPUT
    ]
    if not weak:
        return
    names = ", ".join(weak[:3]) + (" …" if len(weak) > 3 else "")
    yield Finding(
        "info",
        ngettext(
            "%(count)s input was verified by its size only: %(names)s.",
            "%(count)s inputs were verified by their size only: %(names)s.",
            len(weak),
        )
        % {"count": len(weak), "names": names},
    )


RULES: Sequence[Rule] = (
    contigs_without_true_positives,
    few_are_found,
    out_of_the_course,
    filters_cost_recall,
    filters_cost_precision,
    false_by_genotype,
    worse_strata,
    genotypes_of_structural_variants,
    many_not_judged,
    few_variants,
    inputs_verified_by_size,
)


def _percent(share: float) -> str:
    return f"{ratio(100 * share, 1)} %"
