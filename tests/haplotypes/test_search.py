"""The haplotype search finds as many matching variants as trying everything does."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benches import replay
from benchmarks.haplotypes.records import Match, Options, Status
from benchmarks.haplotypes.unsettled import LEFT_OUT, sentence
from tests.haplotypes.build import Row, judge, levels, random_sequence

ROUNDS = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
Edit = tuple[int, int, str]
"""0-based start and end of the bases replaced, and their replacement."""


def edit(row: Row, allele: int) -> Edit | None:
    """What an allele changes, trimmed as the engine trims it."""
    if allele == 0:
        return None
    pos, ref, alts, _ = row
    alt = alts.split(",")[allele - 1]
    lead = 0
    while lead < min(len(ref), len(alt)) and ref[lead] == alt[lead]:
        lead += 1
    tail = 0
    while tail < min(len(ref), len(alt)) - lead and ref[-1 - tail] == alt[-1 - tail]:
        tail += 1
    return pos - 1 + lead, pos - 1 + len(ref) - tail, alt[lead : len(alt) - tail]


def spell(sequence: str, edits: list[Edit | None]) -> str | None:
    """The sequence after the edits, None when they overlap."""
    out, at = "", 0
    for start, end, bases in (e for e in edits if e is not None):
        if start < at:
            return None
        out += sequence[at:start] + bases
        at = end
    return out + sequence[at:]


def span(row: Row) -> tuple[int, int]:
    edits = [e for g in row[3].split("/") if (e := edit(row, int(g))) is not None]
    return min(e[0] for e in edits), max(e[1] for e in edits)


def spellings(sequence: str, rows: list[Row]) -> Iterator[tuple[tuple[str, str], int]]:
    """Both haplotypes for every choice and orientation, and how many rows it holds."""
    for chosen in itertools.product((0, 1, 2), repeat=len(rows)):
        pairs = []
        for row, choice in sorted(
            zip(rows, chosen, strict=True), key=lambda pair: span(pair[0])
        ):
            if choice:
                a, b = (edit(row, int(g)) for g in row[3].split("/"))
                pairs.append((a, b) if choice == 1 else (b, a))
        first = spell(sequence, [pair[0] for pair in pairs])
        second = spell(sequence, [pair[1] for pair in pairs])
        if first is not None and second is not None:
            yield (first, second), len(pairs)


def most_matched(sequence: str, truth: list[Row], query: list[Row]) -> int:
    best: dict[tuple[str, str], int] = {}
    for key, count in spellings(sequence, truth):
        best[key] = max(best.get(key, 0), count)
    return max(
        count + best[key] for key, count in spellings(sequence, query) if key in best
    )


def cancels_itself(sequence: str, rows: list[Row]) -> bool:
    return any(
        count and key == (sequence, sequence)
        for key, count in spellings(sequence, rows)
    )


@st.composite
def variants(draw: st.DrawFn, sequence: str) -> list[Row]:
    """Up to three rows between bases 30 and 70, among them indels and two ALTs."""
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        pos = draw(st.integers(31, 70))
        ref = sequence[pos - 1 : pos - 1 + draw(st.integers(1, 4))]
        alts = draw(
            st.lists(
                st.text("AC", min_size=1, max_size=4).filter(lambda alt: alt != ref),  # noqa: B023
                min_size=1,
                max_size=2,
                unique=True,
            )
        )
        gts = ["0/1", "1/1"] if len(alts) == 1 else ["1/2", "0/2"]
        rows.append((pos, ref, ",".join(alts), draw(st.sampled_from(gts))))
    return sorted(rows)


@ROUNDS
@given(st.data())
def test_as_many_matches_as_by_trying_everything(data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(["AC", "A", "AAC", "ACCA"]))
    sequence = random_sequence(9, 25) + (unit * 60)[:55] + random_sequence(8, 40)
    truth, query = data.draw(variants(sequence)), data.draw(variants(sequence))
    assume(not cancels_itself(sequence, truth))
    assume(not cancels_itself(sequence, query))
    with tempfile.TemporaryDirectory() as folder:
        _, _, result = judge(Path(folder), sequence, truth, query)
    found = int((result.truth.match == Match.GENOTYPE).sum())
    found += int((result.query.match == Match.GENOTYPE).sum())
    assert found == most_matched(sequence, truth, query)


def test_order_of_sides_does_not_matter(tmp_path: Path) -> None:
    rng = random.Random(4)
    sequence = random_sequence(9, 25) + "AC" * 30 + random_sequence(8, 40)
    for _ in range(40):
        rows = []
        for pos in sorted(rng.sample(range(30, 70), 3)):
            ref = sequence[pos - 1 : pos - 1 + rng.randint(1, 3)]
            alt = "".join(rng.choices("AC", k=rng.randint(1, 3)))
            if alt != ref:
                rows.append((pos, ref, alt, rng.choice(["0/1", "1/1"])))
        truth, query = rows[:1], rows[1:]
        one = levels(tmp_path, sequence, truth, query)
        other = levels(tmp_path, sequence, query, truth)
        assert [level == "GENOTYPE" for side in one for level in side] == [
            level == "GENOTYPE" for side in reversed(other) for level in side
        ]


SEQUENCE = (
    "G" * 5 + random_sequence(2, 60) + "TGCACACACACACATTG" + random_sequence(3, 60)
)
REPEAT = SEQUENCE.index("CACACACACACA")


@pytest.mark.parametrize(
    ("truth", "query", "level"),
    [
        # the same deletion at both ends of a repeat
        (
            [(REPEAT, "GCA", "G", "0/1")],
            [(REPEAT + 10, "ACA", "A", "0/1")],
            "GENOTYPE",
        ),
        # right allele, wrong zygosity
        ([(REPEAT, "GCA", "G", "0/1")], [(REPEAT + 10, "ACA", "A", "1/1")], "ALLELE"),
        # two units instead of one
        ([(REPEAT, "GCA", "G", "0/1")], [(REPEAT, "GCACA", "G", "0/1")], "LOCAL"),
        # haploid and homozygous are the same
        ([(REPEAT, "GCA", "G", "1")], [(REPEAT, "GCA", "G", "1/1")], "GENOTYPE"),
        # a half call matches what it says
        ([(REPEAT, "GCA", "G", "0/1")], [(REPEAT, "GCA", "G", "./1")], "GENOTYPE"),
        # soft-masked letters
        ([(REPEAT, "GCA", "G", "0/1")], [(REPEAT, "gca", "g", "0/1")], "GENOTYPE"),
    ],
)
def test_one_against_one(
    tmp_path: Path, truth: list[Row], query: list[Row], level: str
) -> None:
    assert levels(tmp_path, SEQUENCE, truth, query) == ([level], [level])


def test_a_split_allele_pair_and_a_joined_snp_pair(tmp_path: Path) -> None:
    a, b, c = SEQUENCE[19], SEQUENCE[39], SEQUENCE[41]
    two = [base for base in "ACGT" if base != a][:2]
    other = {base: "ACGT"[("ACGT".index(base) + 1) % 4] for base in "ACGT"}
    truth = [
        (20, a, ",".join(two), "1/2"),
        (40, b, other[b], "0/1"),
        (42, c, other[c], "0/1"),
    ]
    joined = other[b] + SEQUENCE[40] + other[c]
    query = [
        (20, a, two[0], "0/1"),
        (20, a, two[1], "0/1"),
        (40, SEQUENCE[39:42], joined, "0/1"),
    ]
    found = levels(tmp_path, SEQUENCE, truth, query)
    assert found == (["GENOTYPE"] * 3, ["GENOTYPE"] * 3)


def test_far_apart_is_no_match_at_all(tmp_path: Path) -> None:
    def snp(pos: int) -> Row:
        base = SEQUENCE[pos - 1]
        return pos, base, "ACGT"[("ACGT".index(base) + 1) % 4], "0/1"

    assert levels(tmp_path, SEQUENCE, [snp(20)], [snp(50)]) == (["LOCAL"], ["LOCAL"])
    assert levels(tmp_path, SEQUENCE, [snp(20)], [snp(51)]) == (["NONE"], ["NONE"])


REPEAT_OF_CASES = random_sequence(1, 100) + "AC" * 60 + random_sequence(2, 100)


def lost_unit(pos: int, gt: str = "0/1") -> Row:
    return pos, REPEAT_OF_CASES[pos - 1 : pos + 2], REPEAT_OF_CASES[pos - 1], gt


def test_a_region_too_complex_is_reported(tmp_path: Path) -> None:
    """Dozens of deletions in a repeat: what is not proven is N, the rest is judged."""
    sequence = REPEAT_OF_CASES
    base = sequence[299]
    snp: Row = (300, base, "ACGT"[("ACGT".index(base) + 1) % 4], "0/1")
    truth: list[Row] = [(100, sequence[99:106], f"{sequence[99]}", "0/1"), snp]
    query = [lost_unit(pos) for pos in range(101, 160)]
    options = Options(max_paths=100)
    records, calls, result = judge(tmp_path, sequence, truth, [*query, snp], options)
    (region,) = result.unsettled
    assert (region.contig, region.truth_records) == ("chr1", 1)
    assert region.query_records == int((calls.status == Status.TOO_COMPLEX).sum()) > 0
    assert result.truth.match[1] == Match.GENOTYPE
    assert records.skipped() == {"region too complex to settle": 1}


def test_matches_in_a_region_too_complex_are_proven(tmp_path: Path) -> None:
    """Deletions, some of both haplotypes, in other places: matches spell the same."""
    rng = random.Random(5)
    genotypes = [rng.choice(["0/1", "1/1"]) for _ in range(24)]
    truth, query = (
        [
            lost_unit(pos, gt)
            for pos, gt in zip(range(101 + shift, 220, 4), genotypes, strict=False)
        ]
        for shift in (0, 2)
    )
    options = Options(max_paths=30)
    records, calls, result = judge(tmp_path, REPEAT_OF_CASES, truth, query, options)
    matched = [
        [
            replay.pair_of(side, int(row))
            for row in np.flatnonzero(verdicts.match == Match.GENOTYPE)
        ]
        for side, verdicts in ((records, result.truth), (calls, result.query))
    ]
    assert min(map(len, matched)) >= 20
    spelled = [replay.spellings(REPEAT_OF_CASES, 0, side) for side in matched]
    assert spelled[0] & spelled[1]


def test_a_region_in_which_all_is_matched_is_settled(tmp_path: Path) -> None:
    """However few paths were followed: nothing could include more."""
    places = [lost_unit(pos, "1/1") for pos in range(101, 200, 4)]
    others = [lost_unit(pos + 2, "1/1") for pos in range(101, 200, 4)]
    options = Options(max_paths=40)
    _, calls, result = judge(tmp_path, REPEAT_OF_CASES, places, others, options)
    assert result.unsettled == []
    assert (result.truth.match == Match.GENOTYPE).all()
    assert (calls.status == Status.JUDGED).all()


def test_a_cluster_too_wide_to_search_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.haplotypes.compare.WIDEST", 20)
    monkeypatch.setattr("benchmarks.haplotypes.compare.ROOM", ((40, 8),))
    truth = [lost_unit(pos) for pos in range(101, 200, 4)]
    query = [lost_unit(pos, "1/1") for pos in range(103, 200, 4)]
    records, _, result = judge(tmp_path, REPEAT_OF_CASES, truth, query)
    (region,) = result.unsettled
    assert (region.truth_records, region.query_records) == (25, 25)
    assert region.why == LEFT_OUT
    assert (records.status == Status.TOO_COMPLEX).all()
    assert sentence(region).startswith("chr1:102-")
