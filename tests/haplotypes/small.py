"""Small references, call files and jobs for tests of the engine."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysam

from benchmarks.haplotypes.run import Job, Result, benchmark
from tests.cases import case

LENGTH = 3_000
CONTIGS = ("chr1", "chr2")


def sequence(seed: int, length: int = LENGTH) -> str:
    """Random bases without runs, so that no indel can move by chance."""
    rng, bases = random.Random(seed), ["A"]
    while len(bases) < length:
        bases.append(rng.choice([b for b in "ACGT" if b != bases[-1]]))
    return "".join(bases)


GENOME = {name: sequence(seed) for seed, name in enumerate(CONTIGS)}


def run_real(prefix: Path, **options: Any) -> None:
    """The engine's files of HG002's calls of 5 MB of chromosome 20."""
    folder = case("hg38-chr20-5M-HG002")
    truth, query = (folder / f"{name}.vcf.gz" for name in ("truth", "query"))
    reference, confident = folder / "reference.fa.gz", folder / "confident.bed"
    benchmark(Job(truth, query, reference, prefix, confident=confident, **options))


@dataclass(frozen=True)
class Call:
    """One line of a VCF; `pos` is 1-based, `ref` defaults to the genome's base."""

    pos: int
    alt: str = ""
    gt: str = "0/1"
    ref: str = ""
    contig: str = "chr1"
    filter: str = "PASS"
    qual: str = "50"
    info: str = "."

    def line(self, genome: Mapping[str, str] = GENOME) -> str:
        ref = self.ref or genome[self.contig][self.pos - 1]
        alt = self.alt or other_base(ref)
        columns = (self.contig, str(self.pos), ".", ref, alt, self.qual, self.filter,
                   self.info, "GT:GQ", f"{self.gt}:30")  # fmt: skip
        return "\t".join(columns)


def other_base(base: str, step: int = 1) -> str:
    return "ACGT"[("ACGT".index(base) + step) % 4]


def deletion(pos: int, size: int, gt: str = "0/1", **more: Any) -> Call:
    genome = GENOME[more.get("contig", "chr1")]
    return Call(pos, genome[pos - 1], gt, genome[pos - 1 : pos + size], **more)


def insertion(pos: int, bases: str, gt: str = "0/1", **more: Any) -> Call:
    ref = GENOME[more.get("contig", "chr1")][pos - 1]
    return Call(pos, ref + bases, gt, ref, **more)


def write_fasta(path: Path, genome: Mapping[str, str] = GENOME) -> Path:
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    return path


def vcf_text(
    calls: Iterable[Call], genome: Mapping[str, str] = GENOME, sample: str = "S"
) -> str:
    lines = ["##fileformat=VCFv4.2"]
    lines += [f"##contig=<ID={n},length={len(b)}>" for n, b in genome.items()]
    lines += ['##FILTER=<ID=LowQual,Description="low">']
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines += ["\t".join([*columns, sample])]
    lines += [call.line(genome) for call in calls]
    return "\n".join(lines) + "\n"


def write_vcf(path: Path, calls: Iterable[Call], **more: Any) -> Path:
    path.write_text(vcf_text(calls, **more))
    return path


def write_bed(path: Path, *intervals: tuple[str, int, int]) -> Path:
    path.write_text("".join(f"{c}\t{start}\t{end}\n" for c, start, end in intervals))
    return path


@dataclass
class Bench:
    """A finished benchmark with handy views of its files."""

    result: Result
    prefix: Path

    def summary(self, type_: str = "SNP", filter_: str = "ALL") -> dict[str, str]:
        rows = read_csv(self.prefix.with_name("out.summary.csv"))
        return next(r for r in rows if r["Type"] == type_ and r["Filter"] == filter_)

    def extended(self, **wanted: str) -> dict[str, str]:
        """The one row of extended.csv whose columns have these values."""
        wanted = {"Subtype": "*", "Subset": "*", "Filter": "ALL"} | wanted
        rows = read_csv(self.prefix.with_name("out.extended.csv"))
        found = [r for r in rows if all(r[k] == v for k, v in wanted.items())]
        assert len(found) == 1, (wanted, len(found))
        return found[0]

    def records(self) -> list[pysam.VariantRecord]:
        with pysam.VariantFile(str(self.prefix.with_name("out.vcf.gz"))) as calls:
            return list(calls)

    def verdicts(self, sample: str) -> dict[int, tuple[str, str]]:
        """BD and BK by position, of the rows where the sample has a call."""
        return {
            record.pos: (record.samples[sample]["BD"], record.samples[sample]["BK"])
            for record in self.records()
            if record.samples[sample]["BVT"] != "NOCALL"
        }


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def bench(
    folder: Path, truth: Iterable[Call], query: Iterable[Call], **options: Any
) -> Bench:
    """Compare two lists of calls on the small genome."""
    prefix = folder / "results" / "out"
    job = Job(
        truth=write_vcf(folder / "truth.vcf", truth),
        query=write_vcf(folder / "query.vcf", query),
        reference=write_fasta(folder / "ref.fa"),
        out_prefix=prefix,
        **({"threads": 2} | options),
    )
    return Bench(benchmark(job), prefix)
