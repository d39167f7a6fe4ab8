"""RTG's own vcfeval test cases: the verdict of each record is the one RTG ships."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.load import read_records
from benchmarks.haplotypes.records import (
    Comparison,
    Field,
    Match,
    Options,
    Records,
    Status,
    Verdicts,
)
from benchmarks.haplotypes.reference import open_reference
from tests.cases import case

pytestmark = pytest.mark.cases
Key = tuple[str, int, str, str]


def run(name: str) -> tuple[Path, Records, Records, Comparison]:
    folder = case("rtg-vcfeval") / name
    arguments = json.loads((folder / "case.json").read_text())["args"]
    samples: list[str | None] = [None, None]
    if "--sample" in arguments:
        named = arguments[arguments.index("--sample") + 1].split(",")
        samples = [*named, *named][:2]
    reference = open_reference(folder / "template.fa")
    truth, query = (
        read_records(folder / file, contigs=reference.contigs, sample=sample)
        for file, sample in zip(("baseline.vcf", "calls.vcf"), samples, strict=True)
    )
    options = Options(
        query_pass_only=True,
        squash_ploidy="--squash-ploidy" in arguments,
        ref_overlap="--ref-overlap" in arguments,
    )
    return folder, truth, query, compare(truth, query, reference, options)


def key(records: Records, row: int) -> Key:
    return (
        records.contigs.names[records.contig[row]],
        int(records.pos[row]) + 1,
        records.value(row, Field.REF),
        records.value(row, Field.SAMPLE).split(":")[0],
    )


def keys(records: Records, chosen: np.ndarray) -> Counter[Key]:
    return Counter(key(records, int(row)) for row in np.flatnonzero(chosen))


def lines(path: Path) -> list[list[str]]:
    text = path.read_text().splitlines()
    return [line.split("\t") for line in text if line and line[0] != "#"]


def listed(path: Path) -> Counter[Key]:
    return Counter(
        (row[0], int(row[1]), row[3], row[9].split(":")[0]) for row in lines(path)
    )


def matched(verdicts: Verdicts) -> np.ndarray:
    chosen: np.ndarray = verdicts.match == Match.GENOTYPE
    return chosen


def wrong(records: Records, verdicts: Verdicts) -> np.ndarray:
    chosen: np.ndarray = (records.status == Status.JUDGED) & (
        verdicts.match < Match.GENOTYPE
    )
    return chosen


@pytest.mark.parametrize(
    "name",
    [
        "VcfEvalTaskTest.test",
        "VcfEvalTaskTest.testFun",
        "VcfEvalTaskTest.testPreviousNt",
        "VcfEvalTaskTest.testZeroCountBug",
    ],
)
def test_files_of_the_task_cases(name: str) -> None:
    folder, truth, query, result = run(name)
    expected = folder / "expected"
    assert keys(query, matched(result.query)) == listed(expected / "tp.vcf")
    assert keys(query, wrong(query, result.query)) == listed(expected / "fp.vcf")
    assert keys(truth, wrong(truth, result.truth)) == listed(expected / "fn.vcf")


@pytest.mark.parametrize(
    "name",
    [
        "VcfEvalNanoTest.testNanoSmall",
        "VcfEvalNanoTest.testNanoSmallSquash",
        "VcfEvalNanoTest.testNanoTooComplex",
        "VcfEvalNanoTest.testNanoTricky",
        "VcfEvalNanoTest.testNanoTricky3",
        "VcfEvalTaskTest.testComplexOverlapBug",
    ],
)
def test_last_point_of_the_roc(name: str) -> None:
    folder, truth, query, result = run(name)
    text = (folder / "expected" / "weighted_roc.tsv").read_text()
    last = text.strip().splitlines()[-1].split("\t")
    found = (
        int(matched(result.truth).sum()),
        int(wrong(query, result.query).sum()),
        int(matched(result.query).sum()),
        int(wrong(truth, result.truth).sum()),
    )
    assert found == tuple(round(float(value)) for value in last[1:5])


@pytest.mark.parametrize(
    "name",
    [
        "VcfEvalNanoTest.testNanoUpstreamDel.1",
        "VcfEvalNanoTest.testPartialSpanningDeletion.1",
    ],
)
def test_annotated_files(name: str) -> None:
    folder, truth, query, result = run(name)
    for file, records, verdicts in (
        ("baseline.vcf", truth, result.truth),
        ("calls.vcf", query, result.query),
    ):
        for row, line in enumerate(lines(folder / "expected" / file)):
            info = dict(part.split("=") for part in line[7].split(";"))
            good = info.get("BASE", info.get("CALL")) == "TP"
            assert bool(verdicts.match[row] == Match.GENOTYPE) is good
            assert verdicts.superlocus[row] == int(info["SYNC"])
            assert key(records, row)[1] == int(line[1])


def test_combined_ga4gh_output() -> None:
    """Decision, match level and superlocus of every row of both samples."""
    folder, truth, query, result = run("Ga4ghEvalSynchronizerTest.testCombined")
    expected: dict[tuple[int, str, int, str], list[tuple[str, str]]] = {}
    for line in lines(folder / "expected" / "output.vcf"):
        superlocus = line[7].removeprefix("BS=")
        for column in (9, 10):
            if line[column] != ".":
                fields = dict(
                    zip(line[8].split(":"), line[column].split(":"), strict=False)
                )
                place = (column, line[0], int(line[1]), line[3])
                level = fields.get("BK", "N")
                expected.setdefault(place, []).append((level, superlocus))
    names = {0: "N", 1: ".", 2: "lm", 3: "am", 4: "gm"}
    found: dict[tuple[int, str, int, str], list[tuple[str, str]]] = {}
    for column, records, verdicts in (
        (9, truth, result.truth),
        (10, query, result.query),
    ):
        for row in range(len(records)):
            contig, pos, ref, _ = key(records, row)
            level = names[int(verdicts.match[row])]
            group = str(verdicts.superlocus[row] or ".")
            found.setdefault((column, contig, pos, ref), []).append((level, group))
    assert {place: [x[0] for x in rows] for place, rows in found.items()} == {
        place: [x[0] for x in rows] for place, rows in expected.items()
    }
    judged = {p: rows for p, rows in found.items() if all(x[0] != "N" for x in rows)}
    assert judged == {place: expected[place] for place in judged}
