"""The proofs themselves, on sequences that can be spelled by hand."""

from __future__ import annotations

import pytest

from benches.replay import Pair, most_that_spell, spell, spellings, trimmed


@pytest.mark.parametrize(
    ("ref", "alt", "edit"),
    [
        ("A", "C", (10, 11, "C")),
        ("AC", "A", (11, 12, "")),
        ("a", "AT", (11, 11, "T")),
        ("ACG", "ATG", (11, 12, "T")),
        ("AC", "AC", None),
    ],
)
def test_an_allele_is_what_it_changes(
    ref: str, alt: str, edit: tuple[int, int, str] | None
) -> None:
    assert trimmed(10, ref, alt) == edit


def test_edits_are_spelled_in_order_and_may_not_overlap() -> None:
    assert spell("ACGT", 5, [(7, 8, ""), (5, 5, "TT"), None]) == "TTACT"
    assert spell("ACGT", 5, [(5, 7, ""), (6, 7, "A")]) is None


def test_all_phases_are_spelled() -> None:
    calls: list[Pair] = [((0, 1, "G"), None), ((3, 4, "A"), None)]
    assert spellings("ACGT", 0, calls) == {("ACGT", "GCGA"), ("ACGA", "GCGT")}


def test_the_most_edits_that_spell_a_target_are_found() -> None:
    lost, added = (2, 3, ""), (4, 4, "G")
    assert most_that_spell("ACGGT", 0, "ACGGT", [(1, 2, "T"), lost]) == 0
    assert most_that_spell("ACGGT", 0, "ACGGT", [lost, added]) == 2
    assert most_that_spell("ACGGT", 0, "ACGT", [lost, added, (3, 4, "")]) == 3
    assert most_that_spell("ACGGT", 0, "TTTTT", [lost]) == -1
