from __future__ import annotations

import pytest

from benchmarks.catalog.builds import LENGTHS, detect


def contigs(build: str, prefix: str = "") -> dict[str, int | None]:
    return {prefix + name: size for name, size in LENGTHS[build].items()}  # type: ignore[index]


# Sums of 1-22, X and Y: the assemblies' published sizes.
@pytest.mark.parametrize(
    ("build", "bases"),
    [
        ("GRCh37", 3_095_677_412),
        ("GRCh38", 3_088_269_832),
        ("CHM13v2.0", 3_117_275_501),
    ],
)
def test_the_lengths_add_up(build: str, bases: int) -> None:
    assert sum(filter(None, contigs(build).values())) == bases


@pytest.mark.parametrize("build", ["GRCh37", "GRCh38", "CHM13v2.0"])
@pytest.mark.parametrize("prefix", ["", "chr"])
def test_whole_genomes(build: str, prefix: str) -> None:
    guess = detect(contigs(build, prefix) | {"GL000192.1": 547496, "chrM": 16569})
    assert guess.build == build
    assert guess.chr_prefix == (prefix == "chr")
    assert len(guess.matched) == 24


def test_one_chromosome_is_enough() -> None:
    assert detect({"chr20": 63025520}).build == "GRCh37"


def test_a_slice_among_whole_chromosomes_is_odd_but_no_obstacle() -> None:
    guess = detect(contigs("GRCh38", "chr") | {"chr20": 5_000_000})
    assert guess.build == "GRCh38"
    assert guess.odd == ("chr20",)


def test_mixed_builds_are_refused() -> None:
    guess = detect({"chr1": 248956422, "chr2": 243199373})
    assert guess.build is None
    assert "GRCh37: chr2; GRCh38: chr1" in guess.reason


def test_unknown_lengths() -> None:
    guess = detect({"chr20": 5_000_000})
    assert guess.build is None
    assert "chr20 are those of none" in guess.reason


def test_no_lengths() -> None:
    guess = detect({"chr1": None, "phix": 5386})
    assert guess.build is None
    assert "##contig" in guess.reason
