"""FASTA files of every kind give the same bases."""

from __future__ import annotations

import gzip
from pathlib import Path

import pysam
import pytest

from benchmarks.haplotypes.records import HaplotypesError
from benchmarks.haplotypes.reference import open_reference
from tests.haplotypes.build import random_sequence

FIRST, SECOND = random_sequence(1, 1234), random_sequence(2, 70_001)


def fasta(folder: Path, width: int = 60, end: str = "\n") -> Path:
    path = folder / "ref.fa"
    text = ""
    for name, bases in (("chr1 a note", FIRST), ("chr2", SECOND.lower())):
        lines = [bases[i : i + width] for i in range(0, len(bases), width)]
        text += f">{name}{end}" + end.join(lines) + end
    path.write_bytes(text.encode())
    return path


def check(path: Path) -> None:
    reference = open_reference(path)
    assert reference.contigs.names == ("chr1", "chr2")
    assert reference.contigs.lengths.tolist() == [1234, 70_001]
    assert reference.sequence(0).bases(0, 1234) == FIRST
    assert reference.sequence(1).bases(69_900, 80_000) == SECOND[69_900:]
    assert reference.sequence(1).bases(59, 62) == SECOND[59:62]


@pytest.mark.parametrize("width", [1, 60, 61, 100_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_plain(tmp_path: Path, width: int, end: str) -> None:
    check(fasta(tmp_path, width, end))


def test_with_an_index(tmp_path: Path) -> None:
    path = fasta(tmp_path)
    pysam.faidx(str(path))
    check(path)


def test_bgzip_and_gzip(tmp_path: Path) -> None:
    path = fasta(tmp_path)
    packed = tmp_path / "packed.fa.gz"
    pysam.tabix_compress(str(path), str(packed))
    check(packed)
    pysam.faidx(str(packed))
    check(packed)
    zipped = tmp_path / "zipped.fa.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    check(zipped)


def test_without_a_last_line_end(tmp_path: Path) -> None:
    path = fasta(tmp_path)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    check(path)


def test_a_damaged_index_is_not_believed(tmp_path: Path) -> None:
    path = fasta(tmp_path)
    path.with_name("ref.fa.fai").write_text("chr1\tmany\n")
    check(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ACGT\n", "no FASTA file"),
        (b"", "no FASTA file"),
        (b">chr1\nACGT\nAC\nACGT\n", "different lengths within chr1"),
    ],
)
def test_what_is_no_fasta(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "ref.fa"
    path.write_bytes(content)
    with pytest.raises(HaplotypesError, match=message):
        open_reference(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(HaplotypesError, match="does not exist"):
        open_reference(tmp_path / "ref.fa")
