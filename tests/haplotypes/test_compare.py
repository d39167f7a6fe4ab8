"""Whole comparisons: what was put in comes out, whatever way the calls are written."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.load import read_records
from benchmarks.haplotypes.records import (
    Comparison,
    Field,
    HaplotypesError,
    Match,
    Options,
    Records,
    Status,
)
from benchmarks.haplotypes.reference import open_reference
from tests.cases import ROOT
from tests.haplotypes.build import Row, judge, random_sequence, read, vcf_text
from tests.haplotypes.build import write_fasta as fasta

SEQUENCE = random_sequence(5, 1500) + "AT" * 25 + random_sequence(6, 1500)


def other(base: str) -> str:
    return "ACGT"[("ACGT".index(base) + 1) % 4]


def truth_rows(seed: int) -> list[Row]:
    """Variants that do not touch, every 7 to 40 bases: SNPs, indels, two ALTs."""
    rng, rows, at = random.Random(seed), [], 50
    while at < len(SEQUENCE) - 100:
        base, gt = SEQUENCE[at - 1], rng.choice(["0/1", "1/1"])
        kind = rng.random()
        if kind < 0.6:
            rows.append((at, base, other(base), gt))
        elif kind < 0.75:
            rows.append((at, SEQUENCE[at - 1 : at + rng.randint(1, 6)], base, gt))
        elif kind < 0.9:
            size = rng.randint(1, 6)
            rows.append((at, base, base + "".join(rng.choices("ACGT", k=size)), gt))
        else:
            rows.append((at, base, f"{other(base)},{other(other(base))}", "1/2"))
        at += len(rows[-1][1]) + rng.randint(6, 40)
    return rows


def shift(rng: random.Random, row: Row, limit: int) -> Row:
    """The same indel as far right as chance and its repeat let it go."""
    pos, ref, alt, gt = row
    if "," in alt or len(ref) == len(alt) or ref[0] != alt[0]:
        return row
    gone = len(ref) > len(alt)
    piece, steps = (ref if gone else alt)[1:], rng.randint(0, 30)
    while steps and pos + (len(piece) if gone else 0) + 1 < limit:
        following = SEQUENCE[pos + (len(piece) if gone else 0)]
        if following != piece[0]:
            break
        piece, pos, steps = piece[1:] + piece[0], pos + 1, steps - 1
    anchor = SEQUENCE[pos - 1]
    return (
        (pos, anchor + piece, anchor, gt) if gone else (pos, anchor, anchor + piece, gt)
    )


def pad(rng: random.Random, row: Row, floor: int, limit: int) -> Row:
    """More bases of context on both sides of every allele."""
    pos, ref, alts, gt = row
    left = rng.randint(0, min(3, max(pos - 1 - floor, 0)))
    end = pos - 1 + len(ref)
    right = rng.randint(0, min(3, max(limit - end - 1, 0)))
    before, after = SEQUENCE[pos - 1 - left : pos - 1], SEQUENCE[end : end + right]
    padded = ",".join(before + alt + after for alt in alts.split(","))
    return pos - left, before + ref + after, padded, gt


def split(row: Row) -> list[Row]:
    pos, ref, alts, gt = row
    if gt != "1/2":
        return [row]
    return [(pos, ref, alt, "0/1") for alt in alts.split(",")]


def join(first: Row, second: Row) -> Row | None:
    """Two homozygous neighbours as one complex record."""
    if first[3] != "1/1" or second[3] != "1/1":
        return None
    start, end = first[0] - 1, second[0] - 1 + len(second[1])
    between = SEQUENCE[start + len(first[1]) : second[0] - 1]
    return first[0], SEQUENCE[start:end], first[2] + between + second[2], "1/1"


def rewritten(rng: random.Random, rows: list[Row]) -> list[Row]:
    out: list[Row] = []
    k = 0
    while k < len(rows):
        row = rows[k]
        limit = rows[k + 1][0] - 1 if k + 1 < len(rows) else len(SEQUENCE)
        joined = join(row, rows[k + 1]) if k + 1 < len(rows) else None
        if joined and rng.random() < 0.3:
            out.append(joined)
            k += 2
            continue
        row = shift(rng, row, limit)
        floor = rows[k - 1][0] + len(rows[k - 1][1]) + 30 if k else 0
        row = pad(rng, row, floor, limit)
        if row[3] == "0/1" and rng.random() < 0.5:
            row = (*row[:3], rng.choice(["1/0", "0|1", "1|0"]))
        out += split(row) if rng.random() < 0.5 else [row]
        k += 1
    return sorted(out)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6))
def test_another_writing_changes_no_verdict(seed: int) -> None:
    rows = truth_rows(seed % 50)
    calls = rewritten(random.Random(seed), rows)
    with tempfile.TemporaryDirectory() as folder:
        _, _, result = judge(Path(folder), SEQUENCE, rows, calls)
    assert set(result.truth.match.tolist()) == {Match.GENOTYPE}
    assert set(result.query.match.tolist()) == {Match.GENOTYPE}


def with_errors(rows: list[Row]) -> list[Row]:
    rng = random.Random(1)
    kept = [row for row in rows if rng.random() > 0.1]
    return [
        (*row[:3], "0/1") if row[3] == "1/1" and rng.random() < 0.1 else row
        for row in kept
    ]


def test_a_set_against_itself_agrees_everywhere(tmp_path: Path) -> None:
    rows = truth_rows(3)
    _, _, result = judge(tmp_path, SEQUENCE, rows, rows)
    assert set(result.truth.match.tolist()) == {Match.GENOTYPE}
    assert (result.truth.partner == np.arange(len(rows))).all()


def test_swapped_sides_swap_their_verdicts(tmp_path: Path) -> None:
    rows = truth_rows(3)
    calls = with_errors(rows)
    _, _, one = judge(tmp_path, SEQUENCE, rows, calls)
    _, _, two = judge(tmp_path, SEQUENCE, calls, rows)
    assert one.truth.match.tolist() == two.query.match.tolist()
    assert one.query.match.tolist() == two.truth.match.tolist()
    assert {Match.NONE, Match.ALLELE} <= {*one.truth.match.tolist(), Match.NONE}


def test_order_and_number_of_threads_change_nothing(tmp_path: Path) -> None:
    rows = truth_rows(3)
    calls = with_errors(rows)
    shuffled = random.Random(2).sample(calls, len(calls))
    _, _, one = judge(tmp_path, SEQUENCE, rows, calls, Options(threads=1))
    _, _, two = judge(tmp_path, SEQUENCE, rows, shuffled, Options(threads=4))
    assert one.query.match.tolist() == two.query.match.tolist()


def test_a_record_written_twice_is_matched_once(tmp_path: Path) -> None:
    base = SEQUENCE[99]
    row: Row = (100, base, other(base), "1/1")
    _, _, result = judge(tmp_path, SEQUENCE, [row], [row, row])
    assert sorted(result.query.match.tolist()) == [Match.LOCAL, Match.GENOTYPE]


def test_failing_calls_are_left_out_on_request(tmp_path: Path) -> None:
    base = SEQUENCE[99]
    path = fasta(tmp_path, SEQUENCE)
    text = vcf_text([(100, base, other(base), "0/1")], len(SEQUENCE))
    truth = read(tmp_path, "truth.vcf", text, path)
    for pass_only, level, status in (
        (False, Match.GENOTYPE, Status.JUDGED),
        (True, Match.NOT_JUDGED, Status.FILTERED),
    ):
        calls = read(tmp_path, "query.vcf", text.replace("PASS", "Low"), path)
        options = Options(query_pass_only=pass_only)
        result = compare(truth, calls, open_reference(path), options)
        assert result.query.match[0] == level
        assert Status(calls.status[0]) is status


def test_a_wrong_ref_is_told_and_compared(tmp_path: Path) -> None:
    base = SEQUENCE[99]
    wrong = next(b for b in "ACGT" if b not in (base, other(base)))
    rows = [*truth_rows(3)[:20], (1400, SEQUENCE[1399], other(SEQUENCE[1399]), "0/1")]
    bad: Row = (1410, next(b for b in "ACGT" if b != SEQUENCE[1409]), wrong, "0/1")
    records, _, result = judge(tmp_path, SEQUENCE, sorted([*rows, bad]), rows)
    assert "REF of 1 of 22 compared records disagrees" in records.warnings[0]
    assert "chr1:1410" in records.warnings[0]
    assert int((result.truth.match == Match.GENOTYPE).sum()) == 21


def test_another_reference_is_refused(tmp_path: Path) -> None:
    rows = truth_rows(3)
    path = fasta(tmp_path, random_sequence(77, len(SEQUENCE)))
    pair = [
        read(tmp_path, f"{name}.vcf", vcf_text(rows, len(SEQUENCE)), path)
        for name in ("truth", "query")
    ]
    with pytest.raises(HaplotypesError, match="made with another reference"):
        compare(pair[0], pair[1], open_reference(path))


def counts(records: Records, result: Comparison, side: str) -> int:
    level = getattr(result, side).match
    assert len(level) == len(records)
    return int((level != Match.GENOTYPE).sum())


@pytest.mark.cases
@pytest.mark.parametrize("seed", [5, 6, 7])
def test_errors_put_in_by_the_simulator_are_found(tmp_path: Path, seed: int) -> None:
    script = ROOT.parent / "tools" / "simulate_calls.py"
    if not script.is_file():
        pytest.skip(f"{script} is not there")
    command = [sys.executable, str(script), "--variants=6000", f"--seed={seed}"]
    subprocess.run([*command, f"--out={tmp_path}"], check=True, capture_output=True)
    put = json.loads((tmp_path / "expected.json").read_text())
    reference = open_reference(tmp_path / "ref.fa")
    truth, calls = (
        read_records(tmp_path / f"{name}.vcf", contigs=reference.contigs)
        for name in ("truth", "calls")
    )
    result = compare(truth, calls, reference)
    wrong = put["wrong_genotype"] + put["wrong_allele"]
    assert counts(truth, result, "truth") == put["missed"] + wrong
    assert counts(calls, result, "query") == put["invented"] + wrong
    same = (result.query.match == Match.ALLELE).sum()
    assert int(same) == put["wrong_genotype"]
    assert truth.value(0, Field.FILTER) == "PASS"
