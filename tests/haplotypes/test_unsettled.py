"""What users learn of regions that could not be settled."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from benchmarks.haplotypes.records import Options
from benchmarks.haplotypes.run import Job, Result, benchmark
from tests.haplotypes.small import Call, sequence, write_fasta, write_vcf

GENOME = {"chr1": sequence(1, 200) + "AC" * 60 + sequence(2, 200)}
BASES = GENOME["chr1"]


def lost_units(pos: int, size: int, gt: str) -> Call:
    return Call(pos, BASES[pos - 1], gt, BASES[pos - 1 : pos + size])


@pytest.fixture
def unsettled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Result, list[tuple[str, str]]]:
    """One heterozygous deletion of six bases against dozens of two."""
    monkeypatch.setattr(
        "benchmarks.haplotypes.run.Options", partial(Options, max_paths=100)
    )
    truth = [Call(50), lost_units(205, 7, "0/1"), Call(400)]
    query = [Call(50), *(lost_units(p, 2, "0/1") for p in range(203, 290)), Call(400)]
    prefix = tmp_path / "out"
    said: list[tuple[str, str]] = []
    result = benchmark(
        Job(
            write_vcf(tmp_path / "truth.vcf", truth, genome=GENOME),
            write_vcf(tmp_path / "query.vcf", query, genome=GENOME),
            write_fasta(tmp_path / "ref.fa", GENOME),
            prefix,
            leftshift=False,
            decompose=False,
        ),
        log=lambda level, sentence: said.append((level, sentence)),
    )
    return prefix, result, said


def test_a_region_is_told_with_place_number_and_reason(
    unsettled: tuple[Path, Result, list[tuple[str, str]]],
) -> None:
    _, result, said = unsettled
    (region,) = result.unsettled
    (told,) = [text for level, text in said if text.startswith("Unsettled: ")]
    assert ("warning", told) in said
    assert told.startswith(f"Unsettled: chr1:{region.start + 1}-{region.end}: ")
    assert f"1 truth and {region.query_records} query records are not judged" in told
    assert "too many combinations to try all of them" in told


def test_the_run_info_lists_it(
    unsettled: tuple[Path, Result, list[tuple[str, str]]],
) -> None:
    prefix, result, _ = unsettled
    (listed,) = json.loads(prefix.with_name("out.runinfo.json").read_text())[
        "unsettled"
    ]
    assert listed["contig"] == "chr1"
    assert 200 < listed["start"] < listed["end"] < 330
    assert listed["truth_records"] == 1
    assert listed["query_records"] == result.unsettled[0].query_records > 0
    assert listed["why"]


def test_its_records_are_in_no_count_but_listed(
    unsettled: tuple[Path, Result, list[tuple[str, str]]],
) -> None:
    _, result, _ = unsettled
    (region,) = result.unsettled
    reason = "region too complex to settle"
    assert result.skipped["query"][reason] == region.query_records
    snp = next(row for row in result.summary if row.type == "SNP")
    assert snp.counts[:, 0].tolist() == [2, 0, 2, 0, 0]
