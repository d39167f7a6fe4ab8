"""Regions that vcfeval gives up on, settled and proven.

    python benches/hard.py [CASE]

Without CASE: the worst case tried, two sides of 200 indels in a repeat of 1,000 bases,
unlike each other, and the same in other places; CPU seconds and proven matches.

CASE is a folder with reference.fa.gz, truth.vcf.gz, query.vcf.gz and the annotated VCF
of `hap.py --engine=vcfeval` (hap.py-vcfeval/output.vcf.gz). Calls without a superlocus
(BS) in the latter were not judged by vcfeval. Prints a table: what the engine says of
them, and how many of the calls one haplotype could hold at most, whatever the phase,
and still spell what the truth spells there; the last is found without the engine's
search (see `replay.most_that_spell`).
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benches.replay import Pair, most_that_spell, pair_of, spell  # noqa: E402
from benchmarks.haplotypes.compare import compare  # noqa: E402
from benchmarks.haplotypes.load import read_records  # noqa: E402
from benchmarks.haplotypes.records import Match, Status  # noqa: E402
from benchmarks.haplotypes.reference import Sequence, open_reference  # noqa: E402

NEAR = 1_000
"""Bases within which calls without a verdict are one region, and that are spelled on
either side of it."""
FEW = 2
"""So many calls are no region: alleles of more than 1,000 bases, cut by hap.py."""


@dataclass(frozen=True)
class Hard:
    """A region; 0-based and half-open. `most` is the proof, see above."""

    contig: str
    start: int
    end: int
    truth_records: int
    query_records: int
    unsettled: int
    verdicts: dict[str, int]
    most: int


def given_up(folder: Path) -> list[tuple[str, int, int]]:
    """Regions of calls that vcfeval left without a superlocus."""
    with gzip.open(folder / "hap.py-vcfeval" / "output.vcf.gz", "rt") as handle:
        rows = [line.split("\t") for line in handle if line[0] != "#"]
    regions: list[tuple[str, list[int]]] = []
    for row in rows:
        if "BS=" in row[7]:
            continue
        contig, place = row[0], int(row[1]) - 1
        if regions and regions[-1][0] == contig and place <= regions[-1][1][-1] + NEAR:
            regions[-1][1].append(place)
        else:
            regions.append((contig, [place]))
    return [
        (contig, places[0], places[-1] + 1)
        for contig, places in regions
        if len(places) > FEW
    ]


def examine(folder: Path) -> list[Hard]:
    reference = open_reference(folder / "reference.fa.gz")
    truth, query = (
        read_records(folder / f"{name}.vcf.gz", contigs=reference.contigs)
        for name in ("truth", "query")
    )
    comparison = compare(truth, query, reference)
    number = reference.contigs.index()
    found = []
    for contig, start, end in given_up(folder):
        rows, known = (
            np.flatnonzero(
                (side.contig == number[contig]) & (side.pos >= start) & (side.pos < end)
            )
            for side in (query, truth)
        )
        pairs = [pair_of(query, int(row)) for row in rows]
        held = [pair_of(truth, int(row)) for row in known]
        sequence = reference.sequence(number[contig])
        levels = Counter(Match(m).name for m in comparison.query.match[rows].tolist())
        found.append(
            Hard(
                contig,
                start,
                end,
                len(known),
                len(rows),
                int((query.status[rows] == Status.TOO_COMPLEX).sum()),
                dict(levels),
                _most(sequence, pairs, held),
            )
        )
    return found


def _most(sequence: Sequence, pairs: list[Pair], truth: list[Pair]) -> int:
    """The most calls on one haplotype that spells one of the truth's, -1 without."""
    edits = sorted({edit for pair in pairs for edit in pair if edit})
    reach = edits + [edit for pair in truth for edit in pair if edit]
    low = max(min(edit[0] for edit in reach) - NEAR, 0)
    high = min(max(edit[1] for edit in reach) + NEAR, sequence.length)
    bases = sequence.bases(low, high).upper()
    targets = {spell(bases, low, [pair[k] for pair in truth]) for k in range(2)}
    return max(most_that_spell(bases, low, t, edits) for t in targets if t)


REPEAT = "AC" * 500


def worst_case(*, alike: bool) -> tuple[float, int, int]:
    """(CPU seconds of a comparison, proven truth records, of how many)."""
    rng = random.Random(1)
    flank = ["".join(rng.choices("ACGT", k=200)) for _ in range(2)]
    bases = flank[0] + REPEAT + flank[1]
    shapes = [(rng.random() < 0.5, rng.choice(["0/1", "1/1"])) for _ in range(200)]
    sides = [_indels(rng, bases, shapes)]
    if not alike:
        shapes = [(rng.random() < 0.5, rng.choice(["0/1", "1/1"])) for _ in shapes]
    sides.append(_indels(rng, bases, shapes))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ref.fa").write_text(f">chr1\n{bases}\n")
        head = f"{HEAD}##contig=<ID=chr1,length={len(bases)}>\n{COLUMNS}"
        paths = [folder / "truth.vcf", folder / "query.vcf"]
        for path, rows in zip(paths, sides, strict=True):
            path.write_text(head + "".join(rows))
        reference = open_reference(folder / "ref.fa")
        seconds = []
        for _ in range(2):  # compiled code is loaded in the first
            truth, query = (
                read_records(path, contigs=reference.contigs) for path in paths
            )
            started = time.process_time()
            comparison = compare(truth, query, reference)
            seconds.append(time.process_time() - started)
    proven = int((comparison.truth.match == Match.GENOTYPE).sum())
    return seconds[-1], proven, len(truth)


HEAD = "##fileformat=VCFv4.2\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"


def _indels(
    rng: random.Random, bases: str, shapes: list[tuple[bool, str]]
) -> list[str]:
    """Lines with a unit of the repeat lost or added at random places."""
    places = sorted(rng.sample(range(201, 1_190), len(shapes)))
    rows = []
    for pos, (lost, gt) in zip(places, shapes, strict=True):
        short, long = bases[pos - 1], bases[pos - 1 : pos + 2]
        ref, alt = (long, short) if lost else (short, long)
        rows.append(f"chr1\t{pos}\t.\t{ref}\t{alt}\t50\tPASS\t.\tGT\t{gt}\n")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path, nargs="?")
    case = parser.parse_args().case
    if case is None:
        _print_worst()
    else:
        _print_regions(case)


def _print_worst() -> None:
    write = sys.stdout.write
    write("| calls | CPU | truth records proven to match |\n|---|---|---|\n")
    for told, alike in (("unlike the truth", False), ("the truth's, moved", True)):
        seconds, proven, number = worst_case(alike=alike)
        write(f"| {told} | {seconds:.1f} s | {proven} of {number} |\n")


def _print_regions(case: Path) -> None:
    write = sys.stdout.write
    write(
        "| region | truth records | calls | verdict | unsettled | most calls that "
        "any haplotype could hold |\n|---|---|---|---|---|---|\n"
    )
    for hard in examine(case):
        told = ", ".join(f"{count} {name}" for name, count in hard.verdicts.items())
        write(
            f"| {hard.contig}:{hard.start + 1:,}-{hard.end:,} | {hard.truth_records} | "
            f"{hard.query_records} | {told} | {hard.unsettled} | {hard.most} |\n"
        )


if __name__ == "__main__":
    main()
