"""A synthetic laboratory: samples as DRAGEN leaves them, the GIAB site, the answers.

Everything follows from `SEED`. The individuals are GIAB's by name only: genome,
variants and metrics are made up.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.catalog import lookup
from benchmarks.catalog.builds import LENGTHS
from demo import dragen, metrics
from demo.calls import Call, Region, called
from demo.files import contig_lines, digest_of, write_bed, write_fasta, write_vcf
from demo.genome import (
    SPACING,
    STRUCTURAL_SPACING,
    Stretch,
    Variant,
    deletion,
    small_variants,
    stretch,
    structural_variants,
)

SEED = 20
BUILD = "GRCh38"
CONTIGS = {f"chr{name}": size for name, size in LENGTHS["GRCh38"].items()}
IN_FASTA = {name: CONTIGS[name] for name in ("chr21", "chr22")}
FASTA = "release/references/GRCh38/demo_GRCh38_chr21_chr22.fasta.gz"
TRUTH = [
    "##fileformat=VCFv4.2",
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
]
MISSED_STRUCTURAL = 3


@dataclass(frozen=True, slots=True)
class Person:
    """A sample of the laboratory; `depth` is its mean coverage."""

    sample: str
    individual: str
    folder: str
    bed: str
    depth: float
    sex: str
    structural: bool = False


PEOPLE = (
    Person(
        "NA24143_Lib3_Rep1",
        "HG004",
        "release/AshkenazimTrio/HG004_NA24143_mother/NISTv4.2.1/GRCh38",
        "benchmark_noinconsistent.bed",
        36.4,
        "XX",
    ),
    Person(
        "NA24385_Lib1_Rep1",
        "HG002",
        "release/AshkenazimTrio/HG002_NA24385_son/NISTv4.2.1/GRCh38",
        "benchmark_noinconsistent.bed",
        41.2,
        "XY",
        structural=True,
    ),
)


@dataclass(slots=True)
class Expected:
    """What a run of the sample has to find."""

    small: dict[tuple[str, str], dict[str, int]]
    structural: dict[str, int] | None
    qc: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Lab:
    """`samples` and `site` are folders; `catalog` is for VCBENCH_CATALOG."""

    samples: Path
    site: Path
    catalog: Path
    expected: dict[str, Expected]


def build(folder: Path) -> Lab:
    """Make the whole laboratory below the folder."""
    lab = Lab(folder / "samples", folder / "giab", folder / "catalog.json", {})
    stretches = [
        stretch("chr21", 10_000_000, 240_000, SEED),
        stretch("chr22", 16_000_000, 160_000, SEED),
    ]
    fasta = lab.site / FASTA
    fasta.parent.mkdir(parents=True)
    write_fasta(fasta, IN_FASTA, stretches)
    truth_sets = []
    for person in PEOPLE:
        entries, expected = make_sample(lab, person, stretches)
        truth_sets += entries
        lab.expected[person.sample] = expected
    lab.catalog.write_text(json.dumps(catalog(lab.site, truth_sets), indent=1))
    return lab


def make_sample(
    lab: Lab, person: Person, stretches: Sequence[Stretch]
) -> tuple[list[dict[str, Any]], Expected]:
    """Truth sets on the site and the sample's folder; their catalogue entries."""
    chance = random.Random(f"{person.sample}/{SEED}")
    truth = [v for where in stretches for v in small_variants(where, chance)]
    regions = [region for where in stretches for region in confident(where)]
    calls, counts = called(truth, stretches, regions, chance)
    entries = [small_truth(lab.site, person, truth, regions)]
    known = [v for where in stretches for v in structural_variants(where, chance)]
    if person.structural:
        entries.append(structural_truth(lab.site, person, known, stretches))
    found = known[MISSED_STRUCTURAL:]
    false = [false_structural(where, known) for where in stretches]
    write_sample(lab, person, calls, stretches, sorted_variants([*found, *false]))
    rows = {
        (kind, filter): counts.row(kind, filter)
        for kind in ("SNP", "INDEL")
        for filter in ("ALL", "PASS")
    }
    structural = {
        "tp_base": len(found),
        "tp_comp": len(found),
        "fn": MISSED_STRUCTURAL,
        "fp": len(false),
    }
    return entries, Expected(
        rows,
        structural if person.structural else None,
        {"Autosomal median coverage": person.depth},
    )


def confident(where: Stretch) -> list[Region]:
    """Most of the stretch; the edges lie between sites."""
    last = len(where.sequence) // SPACING - 10
    parts = [(10, 480), (520, 1000), (1040, last)]
    return [
        (where.contig, where.start + SPACING * begin, where.start + SPACING * end)
        for begin, end in parts
        if begin < end <= last
    ]


def false_structural(where: Stretch, known: Sequence[Variant]) -> Variant:
    """One that no truth set holds, half-way between two that it holds."""
    here = [variant for variant in known if variant.contig == where.contig]
    middle = here[len(here) // 2].position + STRUCTURAL_SPACING // 2
    return deletion(where, middle, 300, "0|1")


def sorted_variants(variants: Sequence[Variant]) -> list[Variant]:
    return sorted(variants, key=lambda v: (v.contig, v.position))


def small_truth(
    site: Path, person: Person, truth: Sequence[Variant], regions: Sequence[Region]
) -> dict[str, Any]:
    folder = site / person.folder
    folder.mkdir(parents=True)
    stem = f"{person.individual}_GRCh38_1_22_v4.2.1"
    vcf, bed = folder / f"{stem}_benchmark.vcf.gz", folder / f"{stem}_{person.bed}"
    write_vcf(vcf, truth_header(person), [truth_line(v) for v in truth])
    write_bed(bed, regions)
    return entry(site, person.individual, "smvar", "v4.2.1", vcf, bed)


def structural_truth(
    site: Path,
    person: Person,
    known: Sequence[Variant],
    stretches: Sequence[Stretch],
) -> dict[str, Any]:
    folder = site / "release/AshkenazimTrio/HG002_NA24385_son/v5.0q"
    folder.mkdir(parents=True)
    stem = "GRCh38_HG2-T2TQ100-V1.1_stvar"
    vcf, bed = folder / f"{stem}.vcf.gz", folder / f"{stem}.benchmark.bed"
    lines = [
        dragen.structural_line(v, v.genotype, number) for number, v in enumerate(known)
    ]
    head = dragen.header(dragen.STRUCTURAL, CONTIGS, person.individual)
    write_vcf(vcf, [line for line in head if "DRAGEN" not in line], lines)
    write_bed(bed, [(where.contig, where.start, where.end) for where in stretches])
    return entry(site, person.individual, "stvar", "v5.0q", vcf, bed)


def truth_header(person: Person) -> list[str]:
    columns = dragen.COLUMNS.format(sample=person.individual)
    return [*TRUTH, *contig_lines(CONTIGS), columns]


def truth_line(v: Variant) -> str:
    place = f"{v.contig}\t{v.position + 1}"
    return f"{place}\t.\t{v.ref}\t{v.alt}\t50\tPASS\t.\tGT\t{v.genotype}"


def write_sample(
    lab: Lab,
    person: Person,
    calls: Sequence[Call],
    stretches: Sequence[Stretch],
    structural: Sequence[Variant],
) -> None:
    folder = lab.samples / person.sample
    folder.mkdir(parents=True)
    name, prefix = person.sample, f"{person.sample}.dragen"
    chance = random.Random(f"qualities of {name}")
    dragen.small_variant_files(folder, prefix, name, CONTIGS, calls, stretches, chance)
    dragen.structural_file(folder, prefix, name, CONTIGS, structural)
    dragen.copy_number_file(folder, prefix, name, CONTIGS, stretches)
    metrics.write_all(folder, prefix, name, calls, person.depth, person.sex)


def entry(
    site: Path, individual: str, kind: str, version: str, vcf: Path, bed: Path
) -> dict[str, Any]:
    return {
        "key": f"demo-{individual}-{BUILD}-{kind}-{version}",
        "individual": individual,
        "build": BUILD,
        "kind": kind,
        "version": version,
        "title": f"{version} (synthetic)",
        "default": True,
        "chr_prefix": True,
        "vcf": described(site, vcf),
        "tbi": described(site, vcf.with_name(f"{vcf.name}.tbi")),
        "bed": described(site, bed),
    }


def described(site: Path, file: Path) -> dict[str, Any]:
    return {
        "path": str(file.relative_to(site)),
        "bytes": file.stat().st_size,
        "sha256": digest_of(file, "sha256"),
    }


def strata(site: Path) -> dict[str, Any]:
    """One stratum a chromosome."""
    folder = site / "release/genome-stratifications/demo"
    folder.mkdir(parents=True)
    beds = {name: folder / f"GRCh38_{name}.bed.gz" for name in IN_FASTA}
    for name, path in beds.items():
        text = f"{name}\t0\t{CONTIGS[name]}\n"
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return {
        "build": BUILD,
        "version": "demo",
        "default": True,
        "strata": [
            {"label": name, "bed": described(site, path)} for name, path in beds.items()
        ],
    }


def catalog(site: Path, truth_sets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """GIAB's individuals with the truth sets of this laboratory."""
    own = json.loads(lookup.OWN.read_text())
    fasta = site / FASTA
    return {
        **{key: own[key] for key in ("schema", "individuals", "no_truth", "bases")},
        "title": "Synthetic data of the demo",
        "truth_sets": list(truth_sets),
        "references": [
            {
                "key": "demo-GRCh38",
                "build": BUILD,
                "default": True,
                "compression": "bgzip",
                "fasta": described(site, fasta),
                "fai": described(site, fasta.with_name(f"{fasta.name}.fai")),
                "gzi": described(site, fasta.with_name(f"{fasta.name}.gzi")),
                "use": "Two stretches of made-up sequence, N elsewhere.",
            }
        ],
        "stratifications": [strata(site)],
    }
