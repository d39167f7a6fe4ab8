"""What the banner says: each rule speaks, and is silent, when it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from benchmarks.contigs import ContigCounts
from benchmarks.control import Baseline, Rule
from benchmarks.models import SmallVariantMetric, StructuralVariantMetric
from runs.models import Artifact
from runs.standing import Standing
from runs.trends import Judged, Subject, Value
from runs.views.findings import Facts, Finding, findings
from runs.views.small import SmallVariants
from runs.views.structural import ClassRow, StructuralVariants


def row(kind: str = "SNP", passing: str = "PASS", **changes: Any) -> SmallVariantMetric:
    values: dict[str, Any] = {
        "truth_total": 10_000,
        "truth_tp": 9_990,
        "truth_fn": 10,
        "query_tp": 9_990,
        "query_fp": 20,
        "fp_gt": 2,
        "recall": 0.999,
        "recall_lower": 0.998,
        "recall_upper": 0.9995,
        "precision": 0.998,
        "precision_lower": 0.997,
        "precision_upper": 0.999,
        "f1": 0.9985,
        "frac_na": 0.2,
    }
    return SmallVariantMetric(type=kind, filter=passing, **{**values, **changes})


def facts(
    *rows: SmallVariantMetric,
    strata: Sequence[SmallVariantMetric] = (),
    sv: Sequence[ClassRow] = (),
    **more: Any,
) -> Facts:
    small = SmallVariants(whole=rows or (row(),), strata={"SNP": list(strata)})
    return Facts(small, StructuralVariants(whole=sv), **more)


def texts(found: Facts) -> list[str]:
    return [finding.text for finding in findings(found)]


def test_a_good_run_is_called_so() -> None:
    assert findings(facts()) == [
        Finding("success", "Nothing stands out. SNP F1 0.998500")
    ]


def test_nothing_compared_nothing_said() -> None:
    assert findings(Facts(SmallVariants(), StructuralVariants())) == []


def test_a_contig_without_true_positives() -> None:
    rows = [
        ContigCounts("chr1", 5, 1, 5, 0, 0),
        ContigCounts("chrX", 0, 9, 0, 0, 0),
        ContigCounts("chrM", 0, 0, 0, 0, 3),
    ]

    assert texts(facts(contigs=rows)) == [
        "On chrX not one known variant was found. Were its calls left out?"
    ]


def test_few_found() -> None:
    assert texts(facts(row(recall=0.423))) == [
        "Only 42.3 % of the known SNP variants are found and pass."
    ]


def standing(z: float, *rules: Rule) -> Standing:
    """Of a run that lies so many s from a mean of 0.99."""
    value = Value(1, uuid4(), timezone.now(), "a", "", 0.99 + z * 0.001)
    subject = Subject("small", ("SNP", "PASS", "*", "f1"))
    return Standing(subject, [Judged(value, z, rules)], Baseline(0.99, 0.001, 20))


def test_a_run_that_is_worse_than_those_before() -> None:
    said = texts(facts(standings=[standing(-4.26, "1-3s", "2-2s")]))

    assert said == [
        "SNP PASS F1 is lower than in the runs before: 0.985740, their mean is "
        "0.990000 (rule 1-3s, 2-2s)."
    ]


def test_a_run_that_is_better_is_no_warning() -> None:
    found = findings(facts(standings=[standing(5, "1-3s")]))

    assert [each.kind for each in found] == ["success", "info"]
    assert "higher than in the runs before: 0.995000" in found[1].text


@pytest.mark.parametrize("usual", [standing(-2.5, "1-2s"), standing(0.1)])
def test_what_is_to_be_expected_is_not_spoken_of(usual: Standing) -> None:
    assert len(texts(facts(standings=[usual]))) == 1


def test_filters_that_cost_recall() -> None:
    rows = row(recall=0.95, truth_fn=500), row(passing="ALL", truth_fn=10)

    assert texts(facts(*rows)) == [
        "The filters cost 490 SNP that were called rightly: recall is 0.9990 for all "
        "calls and 0.9500 for those that pass."
    ]


def test_filters_that_cost_precision() -> None:
    rows = row(precision=0.9), row(passing="ALL", precision=0.99)

    assert texts(facts(*rows)) == [
        "SNP that pass are less often right (0.9000) than all calls (0.9900): the "
        "filters remove the wrong ones."
    ]


def test_filters_that_help_are_not_spoken_of() -> None:
    rows = row(precision=0.99), row(passing="ALL", precision=0.9)

    assert findings(facts(*rows))[0].kind == "success"


@pytest.mark.parametrize(("fp", "gt", "said"), [(20, 15, True), (9, 9, False)])
def test_false_calls_that_are_wrong_genotypes(fp: int, gt: int, said: bool) -> None:
    told = texts(facts(row(query_fp=fp, fp_gt=gt)))

    sentence = (
        "75.0 % of the false SNP have the right alleles and only the wrong genotype."
    )
    assert (told == [sentence]) is said


def test_a_stratum_that_is_much_worse() -> None:
    worse = row(subset="lowmap", recall=0.9, recall_upper=0.91, f1=0.94)

    assert texts(facts(strata=[worse])) == [
        "SNP in lowmap are much worse than in the whole: F1 0.9400 against 0.9985."
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"recall_upper": 0.9999},  # its interval reaches the whole
        {"truth_total": 20},  # too few to say so
        {"subset": "TS_boundary"},  # hap.py's own
        {"recall": 0.996, "recall_upper": 0.998},  # worse, but not much
    ],
)
def test_a_stratum_that_may_be_so_by_chance(changes: dict[str, Any]) -> None:
    bad = {"subset": "lowmap", "recall": 0.9, "recall_upper": 0.91, "f1": 0.94}

    told = findings(facts(strata=[row(**{**bad, **changes})]))

    assert told[0].kind == "success"


def test_much_that_is_not_judged() -> None:
    assert texts(facts(row(frac_na=0.61)))[1:] == [
        "61.0 % of the SNP calls lie outside the confident regions and are not judged "
        "(Frac_NA)."
    ]


def test_few_variants_make_uncertain_ratios() -> None:
    assert texts(facts(row(truth_total=44)))[1:] == [
        "Only 44 known SNP were compared, so the ratios are uncertain; look at their "
        "intervals."
    ]


def test_genotypes_of_structural_variants() -> None:
    metric = StructuralVariantMetric(
        tp_base=100, tp_comp=100, fp=1, fn=1, gt_concordance=0.8
    )

    assert texts(facts(sv=[ClassRow(metric, None, None)])) == [
        "Only 80.0 % of the matched structural variants have the truth set’s genotype."
    ]


def test_inputs_that_were_verified_by_size() -> None:
    role = Artifact.Role.INPUT
    files = [
        Artifact(name="download/a.vcf.gz", verified_by="size", role=role),
        Artifact(name="download/b.csv", verified_by="md5", role=role),
        Artifact(name="happy/c", verified_by="size", role=Artifact.Role.RESULT),
    ]

    assert texts(facts(files=files))[1:] == [
        "1 input was verified by its size only: a.vcf.gz."
    ]


def test_warnings_come_first() -> None:
    told = findings(facts(row(frac_na=0.9, recall=0.5)))

    assert [finding.kind for finding in told] == ["warning", "info"]
