"""Two short stretches of a made-up genome, and the variants of a made-up person.

Sites lie apart and every insertion and deletion can be written in one way only, so
that what a comparison has to find can be counted while the data is made.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

BASES = "ACGT"
SPACING = 150
"""Bases between sites: more than any comparison looks around."""
STRUCTURAL_SPACING = 8000


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a chromosome that is not N; `start` is 0-based."""

    contig: str
    start: int
    sequence: str

    @property
    def end(self) -> int:
        return self.start + len(self.sequence)

    def base(self, position: int) -> str:
        """The base at that 0-based position."""
        return self.sequence[position - self.start]

    def bases(self, start: int, end: int) -> str:
        """0-based, half-open."""
        return self.sequence[start - self.start : end - self.start]


@dataclass(frozen=True, slots=True)
class Variant:
    """`position` is 0-based, of the first base of `ref`."""

    contig: str
    position: int
    ref: str
    alt: str
    genotype: str

    @property
    def is_snp(self) -> bool:
        return len(self.ref) == len(self.alt) == 1

    @property
    def end(self) -> int:
        return self.position + len(self.ref)


def stretch(contig: str, start: int, length: int, seed: int) -> Stretch:
    chance = random.Random(f"{contig}/{seed}")
    return Stretch(contig, start, "".join(chance.choices(BASES, k=length)))


def small_variants(where: Stretch, chance: random.Random) -> Iterator[Variant]:
    """SNPs and short insertions and deletions, 85 : 15, het and hom, 60 : 40."""
    for slot in range(where.start + SPACING, where.end - SPACING, SPACING):
        position = slot + chance.randrange(SPACING // 3)
        genotype = chance.choice(["0|1", "1|0", "0|1", "1|1", "1|1"])
        kind = chance.random()
        if kind < 0.85:
            yield snp(where, position, genotype, chance)
        elif kind < 0.925:
            yield insertion(where, position, chance.randint(1, 12), genotype, chance)
        else:
            yield deletion(where, position, chance.randint(1, 12), genotype)


def snp(where: Stretch, position: int, genotype: str, chance: random.Random) -> Variant:
    ref = where.base(position)
    alt = chance.choice([base for base in BASES if base != ref])
    return Variant(where.contig, position, ref, alt, genotype)


def insertion(
    where: Stretch, position: int, length: int, genotype: str, chance: random.Random
) -> Variant:
    """An insertion after that base that cannot be moved to the left or the right."""
    before, after = where.base(position), where.base(position + 1)
    added = chance.choices(BASES, k=length)
    added[0] = other_than(after, added[0])
    added[-1] = other_than(before, added[-1])
    if length == 1 and added[0] in (before, after):
        added[0] = next(base for base in BASES if base not in (before, after))
    return Variant(where.contig, position, before, before + "".join(added), genotype)


def deletion(where: Stretch, position: int, length: int, genotype: str) -> Variant:
    """A deletion near there that cannot be moved to the left or the right."""
    while not _fixed(where, position, length):
        position += 1
    ref = where.bases(position, position + length + 1)
    return Variant(where.contig, position, ref, ref[0], genotype)


def _fixed(where: Stretch, position: int, length: int) -> bool:
    first, last = where.base(position + 1), where.base(position + length)
    return where.base(position) != last and where.base(position + length + 1) != first


def other_than(base: str, wanted: str) -> str:
    """The wanted base, or the next in the alphabet where it is `base`."""
    return wanted if wanted != base else BASES[(BASES.index(base) + 1) % len(BASES)]


def structural_variants(where: Stretch, chance: random.Random) -> Iterator[Variant]:
    """Deletions and insertions of 60 to 900 bases, far apart."""
    slots = range(where.start + 4000, where.end - 4000, STRUCTURAL_SPACING)
    for number, slot in enumerate(slots):
        length = chance.randint(60, 900)
        genotype = chance.choice(["0|1", "1|1"])
        if number % 2:
            yield deletion(where, slot, length, genotype)
        else:
            yield insertion(where, slot, length, genotype, chance)
