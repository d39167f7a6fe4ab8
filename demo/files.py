"""Writing the files of a laboratory: FASTA, VCF, BED, checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pysam

from demo.genome import Stretch

LINE = 80


def write_fasta(
    path: Path, lengths: Mapping[str, int], stretches: Sequence[Stretch]
) -> None:
    """A bgzipped FASTA with its indexes: N where no stretch lies."""
    with pysam.BGZFile(str(path), "wb", index=None) as file:
        for contig, length in lengths.items():
            sequence = bytearray(b"N" * length)
            for part in stretches:
                if part.contig == contig:
                    sequence[part.start : part.end] = part.sequence.encode()
            file.write(f">{contig}\n".encode())
            file.write(_wrapped(bytes(sequence)))
    pysam.faidx(str(path))


def _wrapped(sequence: bytes) -> bytes:
    whole = len(sequence) // LINE
    lines = [sequence[at : at + LINE] for at in range(0, whole * LINE, LINE)]
    rest = sequence[whole * LINE :]
    return b"\n".join([*lines, rest] if rest else lines) + b"\n"


def write_vcf(path: Path, header: Sequence[str], lines: Iterable[str]) -> None:
    """A bgzipped VCF with its index; the lines are sorted already."""
    text = "".join(f"{line}\n" for line in (*header, *lines))
    with pysam.BGZFile(str(path), "wb", index=None) as file:
        file.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)


def write_bed(path: Path, regions: Iterable[tuple[str, int, int]]) -> None:
    path.write_text("".join(f"{c}\t{start}\t{end}\n" for c, start, end in regions))


def write_md5sum(path: Path) -> None:
    """As DRAGEN does: the digest, two spaces, the name."""
    digest = digest_of(path, "md5")
    path.with_name(f"{path.name}.md5sum").write_text(f"{digest}  {path.name}\n")


def digest_of(path: Path, name: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, name).hexdigest()


def contig_lines(lengths: Mapping[str, int]) -> list[str]:
    return [f"##contig=<ID={name},length={size}>" for name, size in lengths.items()]
