"""The calls of a made-up DRAGEN run: the truth, with errors that are known."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from demo.genome import BASES, SPACING, Stretch, Variant

Region = tuple[str, int, int]
"""Contig, start, end; 0-based, half-open, as in a BED."""
FILTERED = {True: "DRAGENSnpHardQUAL", False: "DRAGENIndelHardQUAL"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its unphased genotype; `filter` is PASS or why it is not."""

    variant: Variant
    genotype: str
    filter: str = "PASS"


@dataclass(slots=True)
class Counts:
    """What a comparison has to count, by type and filter; hap.py's words."""

    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, variant: Variant, *names: str, filters: Sequence[str]) -> None:
        kind = "SNP" if variant.is_snp else "INDEL"
        for filter in filters:
            for name in names:
                self.cells[kind, filter, name] += 1

    def row(self, kind: str, filter: str) -> dict[str, int]:
        names = (
            *("truth_total", "truth_tp", "truth_fn", "query_total"),
            *("query_fp", "query_unk", "fp_gt"),
        )
        return {name: self.cells[kind, filter, name] for name in names}


BOTH = ("ALL", "PASS")
ERRORS: dict[str, float] = {
    "missed": 0.006,
    "genotype": 0.004,
    "allele": 0.003,
    "filtered": 0.005,
    "false": 0.006,
    "false and filtered": 0.006,
}
"""How often each kind of error is put in, a site."""


def is_inside(variant: Variant, regions: Iterable[Region]) -> bool:
    return any(
        contig == variant.contig and start <= variant.position and variant.end <= end
        for contig, start, end in regions
    )


def called(
    truth: Sequence[Variant],
    stretches: Sequence[Stretch],
    regions: Sequence[Region],
    chance: random.Random,
) -> tuple[list[Call], Counts]:
    """The calls in order, and what is to be counted of them."""
    counts = Counts()
    calls: list[Call] = []
    by_contig = {where.contig: where for where in stretches}
    for variant in truth:
        error = draw(chance)
        made = list(calls_at(variant, error, by_contig[variant.contig], chance))
        calls += made
        if is_inside(variant, regions):
            count_truth(variant, error, counts)
        for call in made:
            count_call(call, error, counts, inside=is_inside(call.variant, regions))
    return sorted(calls, key=lambda call: _place(call.variant)), counts


def _place(variant: Variant) -> tuple[str, int]:
    return variant.contig, variant.position


def draw(chance: random.Random) -> str:
    value = chance.random()
    for name, share in ERRORS.items():
        if value < share:
            return name
        value -= share
    return ""


def calls_at(
    variant: Variant, error: str, where: Stretch, chance: random.Random
) -> Iterator[Call]:
    right = unphased(variant.genotype)
    if error == "genotype":
        yield Call(variant, "1/1" if right == "0/1" else "0/1")
    elif error == "allele" and variant.is_snp:
        alt = next(b for b in BASES if b not in (variant.ref, variant.alt))
        yield Call(_with_alt(variant, alt), right)
    elif error == "filtered":
        yield Call(variant, right, FILTERED[variant.is_snp])
    elif error not in ("missed", "allele"):
        yield Call(variant, right)
    if error.startswith("false"):
        position = variant.position + SPACING // 2
        ref = where.base(position)
        alt = chance.choice([base for base in BASES if base != ref])
        extra = Variant(variant.contig, position, ref, alt, "")
        low = error == "false and filtered"
        yield Call(extra, "0/1", FILTERED[True] if low else "PASS")


def _with_alt(variant: Variant, alt: str) -> Variant:
    return Variant(variant.contig, variant.position, variant.ref, alt, variant.genotype)


def unphased(genotype: str) -> str:
    return "1/1" if genotype == "1|1" else "0/1"


def count_truth(variant: Variant, error: str, counts: Counts) -> None:
    """Count a truth variant inside the confident regions."""
    lost = error in ("missed", "genotype", "allele")
    counts.add(variant, "truth_total", filters=BOTH)
    for filter in BOTH:
        missed = lost or (error == "filtered" and filter == "PASS")
        counts.add(variant, "truth_fn" if missed else "truth_tp", filters=[filter])


def count_call(call: Call, error: str, counts: Counts, *, inside: bool) -> None:
    filters = BOTH if call.filter == "PASS" else ("ALL",)
    false = error in ("genotype", "allele") or not call.variant.genotype
    counts.add(call.variant, "query_total", filters=filters)
    if not inside:
        counts.add(call.variant, "query_unk", filters=filters)
    elif false:
        counts.add(call.variant, "query_fp", filters=filters)
    if inside and error == "genotype":
        counts.add(call.variant, "fp_gt", filters=filters)
