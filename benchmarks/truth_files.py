"""Truth sets that people bring: checked, and kept as engines want them."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysam

from benchmarks.catalog import detect
from benchmarks.haplotypes.records import Contigs, HaplotypesError
from benchmarks.haplotypes.regions import read_bed
from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.vcf_header import VcfHeader, check_whole, sniff

BLOCK = 1 << 20


class TruthFilesError(Exception):
    """What is wrong with the files, by role (`vcf`, `bed`), each a sentence."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = dict(faults)


@dataclass(frozen=True, slots=True)
class TruthFiles:
    """A checked truth set: bgzipped VCF, its index, and the confident regions."""

    vcf: Path
    tbi: Path
    bed: Path

    def described(self, data_dir: Path) -> dict[str, dict[str, Any]]:
        """`TruthSet.files`, for files that will lie where these lie."""
        paths = {"vcf": self.vcf, "tbi": self.tbi, "bed": self.bed}
        return {
            role: {
                "path": str(path.relative_to(data_dir)),
                "size": path.stat().st_size,
                "sha256": _sha256(path),
                "verified_by": "upload",
            }
            for role, path in paths.items()
        }


def prepare(vcf: Path, bed: Path, *, build: str, genotypes: bool) -> TruthFiles:
    """Check both files and bring them into shape, beside where they lie.

    `genotypes`: whether the VCF must have them (small variants). Raises
    `TruthFilesError` with the faults of both files at once.
    """
    faults: dict[str, str] = {}
    ready: tuple[Path, Path] | None = None
    try:
        header = check_vcf(vcf, build=build, genotypes=genotypes)
        ready = _indexed(vcf, header)
    except ParseError as error:
        faults["vcf"] = f"{error.path.name}: {error.fault}"
    try:
        check_bed(bed, ready[0] if ready else None)
    except ParseError as error:
        faults["bed"] = f"{error.path.name}: {error.fault}"
    if faults or ready is None:
        raise TruthFilesError(faults)
    return TruthFiles(*ready, bed)


def check_vcf(path: Path, *, build: str, genotypes: bool) -> VcfHeader:
    """Raises `ParseError` unless this can be the truth of one sample on that build."""
    header = sniff(path, need_genotypes=genotypes)
    if header.container == "bcf":
        raise ParseError(path, "is BCF; write it as VCF with bcftools view -Oz.")
    if not header.has_records:
        raise ParseError(path, "has no records.")
    if header.is_gvcf:
        raise ParseError(path, "is a gVCF; a truth set has variants only.")
    if len(header.samples) > 1:
        raise ParseError(
            path,
            f"holds {len(header.samples)} samples ({', '.join(header.samples[:5])}). "
            "Keep one, with bcftools view -s.",
        )
    guess = detect(header.contigs)
    if guess.build is not None and guess.build != build:
        raise ParseError(
            path,
            f"is on {guess.build} by the lengths of its contigs, but {build} was "
            "chosen.",
        )
    check_whole(path)
    return header


def check_bed(path: Path, vcf: Path | None) -> None:
    """Raises `ParseError` unless these are regions on contigs of the indexed VCF."""
    names = _contigs(vcf) if vcf is not None else _names(path)
    try:
        regions = read_bed(path, Contigs(tuple(names), np.zeros(len(names), np.int64)))
    except HaplotypesError as error:
        sentence = str(error).removeprefix(str(path)).lstrip(",: ")
        raise ParseError(path, sentence) from error
    except (OSError, EOFError) as error:
        raise ParseError(path, f"cannot be read: {error}.") from error
    if not regions.size():
        raise ParseError(path, "has no regions.")


def _contigs(vcf: Path) -> list[str]:
    with pysam.TabixFile(str(vcf)) as file:
        return list(file.contigs)


def _names(bed: Path) -> list[str]:
    """The contigs that a BED itself names: nothing to hold it against."""
    opened = gzip.open if _is_gzip(bed) else open
    try:
        with opened(bed, "rt", errors="replace") as lines:
            return list(dict.fromkeys(line.split("\t")[0].strip() for line in lines))
    except (OSError, EOFError) as error:
        raise ParseError(bed, f"cannot be read: {error}.") from error


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _indexed(vcf: Path, header: VcfHeader) -> tuple[Path, Path]:
    """The VCF as bgzip with its index."""
    if header.container != "bgzip":
        vcf = _as_bgzip(vcf, is_gzip=header.container == "gzip")
    try:
        pysam.tabix_index(str(vcf), preset="vcf", force=True)
    except OSError as error:
        raise ParseError(
            vcf, "cannot be indexed: it is not sorted by position. Use bcftools sort."
        ) from error
    return vcf, vcf.with_name(f"{vcf.name}.tbi")


def _as_bgzip(vcf: Path, *, is_gzip: bool) -> Path:
    target = vcf.with_name(
        f"{vcf.name.removesuffix('.gz').removesuffix('.vcf')}.vcf.gz"
    )
    partial = target.with_name(f"{target.name}.part")
    with (
        gzip.open(vcf) if is_gzip else vcf.open("rb") as source,
        pysam.BGZFile(str(partial), "wb", None) as sink,
    ):
        shutil.copyfileobj(source, sink, BLOCK)
    vcf.unlink()
    return partial.replace(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
