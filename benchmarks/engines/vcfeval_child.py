"""RTG's verdicts, counted by the built-in engine (a module to run with -m).

The arguments are the job as JSON (see `builtin_child`) and the annotated VCF that
`rtg vcfeval -m ga4gh` has written. Its BD and BK take the place of the engine's own
verdicts; everything after them, regions, strata, tables and files, is the same.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.engines import builtin_child
from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.records import (
    HAPLOID,
    MISSING,
    Comparison,
    Field,
    Match,
    Options,
    Records,
    Status,
    Verdicts,
)
from benchmarks.haplotypes.reference import Reference

LEVELS = {
    "gm": Match.GENOTYPE,
    "am": Match.ALLELE,
    "lm": Match.LOCAL,
    ".": Match.NONE,
}
BS = re.compile(r"(?:^|;)BS=(\d+)")

# contig, 1-based position, REF, called alleles in order of their names
Key = tuple[str, str, str, tuple[str, ...]]


@dataclass
class Judged:
    """RTG's verdicts of one side: level and superlocus, by record."""

    verdicts: dict[Key, list[tuple[Match, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def take(self, key: Key) -> tuple[Match, int]:
        """The next verdict of that record; NOT_JUDGED where RTG gave none."""
        found = self.verdicts.get(key)
        return found.pop(0) if found else (Match.NOT_JUDGED, 0)


def read(path: Path) -> tuple[Judged, Judged]:
    """Truth and query verdicts of an annotated VCF."""
    sides = (Judged(), Judged())
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            contig, position, _, ref, alts, _, _, info, names, *samples = line.rstrip(
                "\n"
            ).split("\t")
            alleles = [ref, *alts.split(",")]
            place = BS.search(info)
            for side, sample in zip(sides, samples, strict=True):
                values = dict(zip(names.split(":"), sample.split(":"), strict=False))
                called = _called(values.get("GT", "."), alleles)
                if called:
                    level = _level(values.get("BD", "."), values.get("BK", "."))
                    key = (contig, position, ref, called)
                    side.verdicts[key].append((level, int(place[1]) if place else 0))
    return sides


def _called(genotype: str, alleles: list[str]) -> tuple[str, ...]:
    codes = re.split(r"[/|]", genotype)
    return tuple(
        sorted(alleles[int(code)] if code.isdigit() else "." for code in codes)
        if any(code.isdigit() for code in codes)
        else ()
    )


def _level(decision: str, kind: str) -> Match:
    if decision not in ("TP", "FP", "FN"):
        return Match.NOT_JUDGED
    return Match.GENOTYPE if decision == "TP" else LEVELS.get(kind, Match.NONE)


@dataclass
class Comparer:
    """Stands in for the engine's own comparison."""

    truth: Judged
    query: Judged

    def __call__(
        self,
        truth: Records,
        query: Records,
        reference: Reference,
        options: Options | None = None,
    ) -> Comparison:
        # statuses and partners come from the engine, the verdicts from RTG
        compared = compare(truth, query, reference, options)
        replace_verdicts(truth, compared.truth, self.truth)
        replace_verdicts(query, compared.query, self.query)
        return Comparison(compared.truth, compared.query, [])


def replace_verdicts(records: Records, verdicts: Verdicts, judged: Judged) -> None:
    """Write RTG's verdicts over the engine's, record by record."""
    for row in range(len(records)):
        level, superlocus = judged.take(key_of(records, row))
        verdicts.match[row] = level
        verdicts.superlocus[row] = superlocus
        if level is not Match.NOT_JUDGED:
            records.status[row] = Status.JUDGED
        elif records.status[row] == Status.JUDGED:
            records.status[row] = Status.TOO_COMPLEX


def key_of(records: Records, row: int) -> Key:
    """How RTG's output names the record."""
    ref = records.value(row, Field.REF)
    alleles = [ref, *records.value(row, Field.ALT).split(",")]
    codes = [int(code) for code in records.gt[row] if code != HAPLOID]
    called = sorted("." if code == MISSING else alleles[code] for code in codes)
    contig = records.contigs.names[int(records.contig[row])]
    return contig, str(int(records.pos[row]) + 1), ref, tuple(called)


def main(arguments: list[str]) -> int:
    values, annotated = arguments
    comparer = Comparer(*read(Path(annotated)))
    return builtin_child.carry_out(json.loads(values), comparer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
