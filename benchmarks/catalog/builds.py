"""Which genome build a file is of, by the names and lengths of its contigs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.catalog.entries import BUILDS, Build

CHROMOSOMES = (*map(str, range(1, 23)), "X", "Y")
# Lengths in bases of chromosomes 1-22, X and Y, in that order.
_TABLE: dict[Build, str] = {
    "GRCh37": (
        "249250621 243199373 198022430 191154276 180915260 171115067 159138663 "
        "146364022 141213431 135534747 135006516 133851895 115169878 107349540 "
        "102531392 90354753 81195210 78077248 59128983 63025520 48129895 51304566 "
        "155270560 59373566"
    ),
    "GRCh38": (
        "248956422 242193529 198295559 190214555 181538259 170805979 159345973 "
        "145138636 138394717 133797422 135086622 133275309 114364328 107043718 "
        "101991189 90338345 83257441 80373285 58617616 64444167 46709983 50818468 "
        "156040895 57227415"
    ),
    "CHM13v2.0": (
        "248387328 242696752 201105948 193574945 182045439 172126628 160567428 "
        "146259331 150617247 134758134 135127769 133324548 113566686 101161492 "
        "99753195 96330374 84276897 80542538 61707364 66210255 45090682 51324926 "
        "154259566 62460029"
    ),
}
LENGTHS: dict[Build, dict[str, int]] = {
    build: dict(zip(CHROMOSOMES, map(int, lengths.split()), strict=True))
    for build, lengths in _TABLE.items()
}


@dataclass(frozen=True, slots=True)
class BuildGuess:
    """A build, or None and a sentence that says why it cannot be told.

    `chr_prefix`: the contigs are called chr1, not 1. `odd` are chromosomes whose
    length is that of no known build (a slice of a genome, say).
    """

    build: Build | None
    chr_prefix: bool | None = None
    matched: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    reason: str = ""


def detect(contigs: Mapping[str, int | None]) -> BuildGuess:
    """The build whose chromosome lengths the contigs have; lengths in bases."""
    known = {
        name: (bare, length)
        for name, length in contigs.items()
        if (bare := _bare(name)) in CHROMOSOMES and length is not None
    }
    if not known:
        return BuildGuess(
            None,
            reason="The header names no chromosome with its length (##contig lines), "
            "so the genome build cannot be told. Say which build it is.",
        )
    matches: dict[Build, list[str]] = {build: [] for build in BUILDS}
    odd = []
    for name, (bare, length) in known.items():
        fitting = [build for build in BUILDS if LENGTHS[build][bare] == length]
        odd += [] if fitting else [name]
        for build in fitting:
            matches[build].append(name)
    return _judge({build: names for build, names in matches.items() if names}, odd)


def _judge(matches: dict[Build, list[str]], odd: list[str]) -> BuildGuess:
    if len(matches) > 1:
        parts = "; ".join(
            f"{build}: {', '.join(names[:5])}" for build, names in matches.items()
        )
        return BuildGuess(
            None,
            odd=tuple(odd),
            reason="The chromosome lengths in the header are of more than one genome "
            f"build ({parts}). A file of mixed builds cannot be benchmarked.",
        )
    if not matches:
        return BuildGuess(
            None,
            odd=tuple(odd),
            reason=f"The lengths of {', '.join(odd[:5])} are those of none of the "
            f"known genome builds ({', '.join(BUILDS)}).",
        )
    [(build, names)] = matches.items()
    prefixed = {name.startswith("chr") for name in names}
    return BuildGuess(
        build,
        chr_prefix=prefixed.pop() if len(prefixed) == 1 else None,
        matched=tuple(names),
        odd=tuple(odd),
    )


def _bare(name: str) -> str:
    return name[3:] if name.startswith("chr") else name
