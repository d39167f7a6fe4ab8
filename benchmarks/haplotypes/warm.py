"""Compile the engine ahead of its first run: `python -m benchmarks.haplotypes.warm`.

A small comparison goes through every compiled function; the machine code is kept in the
folder that `benchmarks.haplotypes` names.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import pysam

from benchmarks.haplotypes.compiled import freeze
from benchmarks.haplotypes.run import Job, benchmark

LENGTH = 4_000
HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=4000>\n"
    '##FILTER=<ID=Low,Description="low">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
)


def warm() -> float:
    """Compile what is not compiled yet; returns the seconds it took."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="vcbench-warm-") as folder:
        _run_all(Path(folder))
    freeze()
    return time.perf_counter() - started


def _run_all(folder: Path) -> None:
    genome = _genome()
    plain, packed = folder / "ref.fa", folder / "ref.fa.gz"
    lines = "\n".join(genome[i : i + 60] for i in range(0, LENGTH, 60))
    plain.write_text(f">chr1\n{lines}\n")
    pysam.tabix_compress(str(plain), str(packed))
    bed, strata = folder / "all.bed", folder / "strata.tsv"
    bed.write_text("chr1\t100\t3900\tall\n")
    strata.write_text("all\tall.bed\n")
    truth = _write(folder / "truth.vcf", _truth(genome))
    query = _write(folder / "query.vcf", _query(genome))
    for reference, roc, alpha in (
        (plain, "QUAL", 0.0),
        (plain, "GQ", 0.05),
        (packed, "INFO.DP", 0.05),
    ):
        benchmark(
            Job(
                truth=truth,
                query=query,
                reference=reference,
                out_prefix=folder / "out" / roc,
                confident=bed,
                targets=bed if alpha else None,
                stratification=strata if alpha else None,
                roc=roc,
                ci_alpha=alpha,
            )
        )


def _genome() -> str:
    bases = random.Random(1).choices("ACGT", k=LENGTH)  # noqa: S311 (no secret)
    bases[1000:1060] = "AC" * 30
    return "".join(bases)


def _write(path: Path, rows: list[str]) -> Path:
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    packed = path.with_suffix(".vcf.gz")
    pysam.tabix_compress(str(path), str(packed))
    return packed


def _row(pos: int, ref: str, alt: str, gt: str, filters: str = "PASS") -> str:
    return f"chr1\t{pos}\t.\t{ref}\t{alt}\t50\t{filters}\tDP=9\tGT:GQ\t{gt}:40"


def _other(base: str, step: int = 1) -> str:
    return "ACGT"[("ACGT".index(base) + step) % 4]


def _truth(genome: str) -> list[str]:
    def snp(pos: int, gt: str) -> str:
        return _row(pos, genome[pos - 1], _other(genome[pos - 1]), gt)

    two = f"{_other(genome[299])},{_other(genome[299], 2)}"
    return [
        *(snp(pos, "0/1") for pos in (150, 200, 202)),
        _row(300, genome[299], two, "1/2"),
        snp(400, "1/1"),
        _row(1001, genome[1000:1003], genome[1000], "0/1"),
        _row(1021, genome[1020], genome[1020:1023], "0/1"),
        _row(1500, genome[1499:1503], genome[1499], "1|1"),
    ]


def _query(genome: str) -> list[str]:
    rows = [_row(100, "A", ".", "0/0"), _row(120, "A", "<NON_REF>", "./.")]
    joined = _other(genome[199]) + genome[200] + _other(genome[201])
    rows += [
        _row(150, genome[149], _other(genome[149]), "0/1"),
        _row(200, genome[199:202], joined, "0/1"),
        _row(300, genome[299], _other(genome[299]), "0/1"),
        _row(300, genome[299], _other(genome[299], 2), "0/1"),
        _row(400, genome[399], _other(genome[399]), "0/1"),
        _row(700, genome[699], _other(genome[699]), "0/1", "Low"),
        _row(1011, genome[1010:1013], genome[1010], "0/1"),
        _row(1031, genome[1030], genome[1030:1033], "0/1"),
        _row(1041, genome[1040:1045], genome[1040], "0/1"),
        _row(1500, genome[1499:1503], genome[1499], "1/1"),
    ]
    return rows


if __name__ == "__main__":
    sys.stdout.write(f"The engine is compiled ({warm():.1f} s).\n")
