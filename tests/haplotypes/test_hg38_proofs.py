"""HG002 on chr20:1-5M: matches are proven by spelling them, and so are the regions
that vcfeval gives up on."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from benches import hard
from benches.replay import Pair, pair_of, spellings
from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.load import read_records
from benchmarks.haplotypes.records import Comparison, Match, Records
from benchmarks.haplotypes.reference import Sequence, open_reference
from tests.cases import case

pytestmark = pytest.mark.cases
MOST_HETS = 12
"""Heterozygous records of a side up to which all phases are spelled."""


@pytest.fixture(scope="module")
def compared() -> tuple[Sequence, Records, Records, Comparison]:
    folder = case("hg38-chr20-5M-HG002")
    reference = open_reference(folder / "reference.fa.gz")
    truth, query = (
        read_records(folder / f"{name}.vcf.gz", contigs=reference.contigs)
        for name in ("truth", "query")
    )
    chr20 = reference.sequence(reference.contigs.index()["chr20"])
    return chr20, truth, query, compare(truth, query, reference)


def by_superlocus(records: Records, comparison: Comparison, side: str) -> dict[
    int, list[Pair]
]:  # fmt: skip
    verdicts = getattr(comparison, side)
    found = defaultdict(list)
    for row in np.flatnonzero(verdicts.match == Match.GENOTYPE):
        found[int(verdicts.superlocus[row])].append(pair_of(records, int(row)))
    return found


def span(*sides: list[Pair]) -> tuple[int, int]:
    edits = [edit for side in sides for pair in side for edit in pair if edit]
    return min(edit[0] for edit in edits) - 1, max(edit[1] for edit in edits) + 1


def hets(side: list[Pair]) -> int:
    return sum(a != b for a, b in side)


def test_what_matches_spells_the_same_two_sequences(
    compared: tuple[Sequence, Records, Records, Comparison],
) -> None:
    chr20, truth, query, comparison = compared
    ours = by_superlocus(truth, comparison, "truth")
    theirs = by_superlocus(query, comparison, "query")
    assert ours.keys() == theirs.keys()
    spelled = 0
    for name, side in ours.items():
        other = theirs[name]
        if max(hets(side), hets(other)) > MOST_HETS:
            continue
        low, high = span(side, other)
        bases = chr20.bases(low, high).upper()
        assert spellings(bases, low, side) & spellings(bases, low, other), name
        spelled += len(side)
    matched = int((comparison.truth.match == Match.GENOTYPE).sum())
    assert (spelled, matched) == (8_454, 8_466)


def test_no_call_where_vcfeval_gives_up_can_match() -> None:
    """No choice of these calls, in whatever phase, spells what the truth says."""
    regions = hard.examine(case("hg38-chr20-5M-HG002"))
    assert [(r.start + 1, r.end, r.query_records) for r in regions] == [
        (2_241_107, 2_241_163, 22),
        (3_057_220, 3_057_520, 88),
        (4_610_321, 4_610_334, 16),
    ]
    for region in regions:
        assert (region.truth_records, region.unsettled, region.most) == (0, 0, 0)
        assert set(region.verdicts) <= {"NONE", "LOCAL"}
