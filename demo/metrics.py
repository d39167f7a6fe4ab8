"""DRAGEN's metrics files with made-up values: the format is DRAGEN's, no value is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from demo.calls import Call

AUTOSOMES = [str(number) for number in range(1, 23)]
DEPTHS = ("100x", "50x", "20x", "15x", "10x", "3x", "1x", "0x")


def write_all(
    folder: Path,
    prefix: str,
    sample: str,
    calls: Sequence[Call],
    depth: float,
    sex: str,
) -> None:
    """Every kind of file of one run; `depth` is the mean coverage."""
    chance = random.Random(f"metrics of {sample}")
    files = {
        "mapping_metrics": mapping(depth, chance),
        "vc_metrics": variant_caller(sample, calls),
        "vc_hethom_ratio_metrics": het_hom(sample, calls),
        "ploidy_estimation_metrics": ploidy(depth, sex, chance),
        "wgs_coverage_metrics": coverage(depth, "genome"),
        "qc-coverage-region-1_coverage_metrics": coverage(depth, "QC coverage region"),
        "wgs_contig_mean_cov": contigs(depth, chance),
        "wgs_overall_mean_cov": [f"Average alignment coverage over wgs, {depth:.2f}"],
        "wgs_hist": histogram(),
        "wgs_fine_hist": fine_histogram(depth),
        "sv_metrics": structural(sample, chance),
        "cnv_metrics": copy_number(sample, depth, sex, chance),
        "roh_metrics": [
            "VARIANT CALLER,,Percent SNVs in large ROH ( >= 3000000),0.084",
            "VARIANT CALLER,,Number of large ROH ( >= 3000000),2",
        ],
        "trimmer_metrics": [
            "TRIMMER STATISTICS,,Total input reads,812000000",
            "TRIMMER STATISTICS,,Average input read length,151",
            "TRIMMER STATISTICS,,Total trimmed reads,4060000,0.50",
        ],
        "time_metrics": [
            "RUN TIME,,Time loading reference,00:01:20.500,80.50",
            "RUN TIME,,Time aligning reads,00:14:10.250,850.25",
            "RUN TIME,,Time variant calling,00:32:05.000,1925.00",
            "RUN TIME,,Total runtime,00:51:40.750,3100.75",
        ],
    }
    for name, lines in files.items():
        (folder / f"{prefix}.{name}.csv").write_text("\n".join(lines) + "\n")


def mapping(depth: float, chance: random.Random) -> list[str]:
    reads = int(depth * 3.1e9 / 151)
    rows = {
        "Total input reads": 100.0,
        "Number of duplicate marked reads": chance.uniform(7, 9),
        "Mapped reads": chance.uniform(99.4, 99.7),
        "Unmapped reads": 0.42,
        "Properly paired reads": chance.uniform(97.0, 98.5),
        "Reads with MAPQ [40:inf)": chance.uniform(90.0, 92.0),
    }
    head = "MAPPING/ALIGNING SUMMARY,,"
    lines = [
        f"{head}{name},{int(reads * share / 100)},{share:.2f}"
        for name, share in rows.items()
    ]
    return [
        *lines,
        f"{head}Number of duplicate marked and mate reads removed,NA",
        f"{head}Insert length: mean,{chance.uniform(410, 440):.1f}",
        f"MAPPING/ALIGNING PER RG,RG1,Total reads in RG,{reads},100.00",
    ]


def _share(count: int, total: int) -> str:
    return f"{count},{100 * count / total:.2f}" if total else f"{count},NA"


def variant_caller(sample: str, calls: Sequence[Call]) -> list[str]:
    passing = [call for call in calls if call.filter == "PASS"]
    snps = sum(call.variant.is_snp for call in passing)
    hets = sum(call.genotype == "0/1" for call in passing)
    homs = len(passing) - hets
    head = f"VARIANT CALLER POSTFILTER,{sample},"
    return [
        "VARIANT CALLER SUMMARY,,Number of samples,1",
        "VARIANT CALLER SUMMARY,,Child Sample,NA",
        f"VARIANT CALLER PREFILTER,{sample},Total,{len(calls)},100.00",
        f"{head}Total,{len(passing)},100.00",
        f"{head}SNPs,{_share(snps, len(passing))}",
        f"{head}Het/Hom ratio,{hets / homs:.2f}",
        f"{head}Percent Callability,96.85",
        f"{head}Percent Autosome Callability,96.93",
    ]


def het_hom(sample: str, calls: Sequence[Call]) -> list[str]:
    counts = Counter(
        (call.variant.contig.removeprefix("chr"), call.genotype) for call in calls
    )
    lines = []
    for name in sorted({contig for contig, _ in counts}):
        hets, homs = counts[name, "0/1"], counts[name, "1/1"]
        head = f"VARIANT CALLER POSTFILTER,{sample},{name}"
        lines += [
            f"{head} Heterozygous,{hets}",
            f"{head} Homozygous,{homs}",
            f"{head} Het/Hom ratio,{hets / homs:.3f}",
        ]
    return lines


def ploidy(depth: float, sex: str, chance: random.Random) -> list[str]:
    head = "PLOIDY ESTIMATION,,"
    x, y = (0.97, 0.0) if sex == "XX" else (0.49, 0.48)
    return [
        f"{head}Autosomal median coverage,{depth:.2f}",
        f"{head}X median coverage,{depth * x:.2f}",
        f"{head}Y median coverage,{depth * y:.2f}",
        *(
            f"{head}{name} median / Autosomal median,{chance.uniform(0.97, 1.02):.2f}"
            for name in AUTOSOMES
        ),
        f"{head}X median / Autosomal median,{x:.2f}",
        f"{head}Y median / Autosomal median,{y:.2f}",
        f"{head}Ploidy estimation,{sex}",
    ]


def coverage(depth: float, region: str) -> list[str]:
    head = "COVERAGE SUMMARY,,"
    return [
        f"{head}Aligned bases,{int(depth * 3.1e9)}",
        f"{head}Aligned bases in {region},{int(depth * 3.0e9)},96.77",
        f"{head}Average alignment coverage over {region},{depth:.2f}",
        f"{head}Uniformity of coverage (PCT > 0.2*mean) over {region},96.40",
        f"{head}PCT of {region} with coverage [ 20x: inf),95.10",
        f"{head}Median autosomal coverage over {region},{depth:.2f}",
        f"{head}Mean/Median autosomal coverage ratio over {region},1.01",
    ]


def contigs(depth: float, chance: random.Random) -> list[str]:
    lines = []
    for name in AUTOSOMES:
        mean = depth * chance.uniform(0.98, 1.02)
        lines.append(f"chr{name},{int(mean * 1e8)},{mean:.4f}")
    return [*lines, f"Autosomal regions ,{int(depth * 2.9e9)},{depth:.4f}"]


def histogram() -> list[str]:
    shares = (0.15, 24.1, 71.2, 1.3, 0.9, 0.8, 0.35, 1.2)
    bounds = ["inf", *DEPTHS[:-1]]
    return [
        f"PCT of bases in wgs with coverage [{low}:{high}), {share:.2f}"
        for low, high, share in zip(DEPTHS, bounds, shares, strict=True)
    ]


def fine_histogram(depth: float) -> list[str]:
    peak = round(depth)
    lines = [
        f"{at},{max(0, 90_000_000 - abs(at - peak) * 2_500_000) + 1000}"
        for at in range(100)
    ]
    return ["Depth,Overall", *lines, "100+,4200"]


def structural(sample: str, chance: random.Random) -> list[str]:
    head = f"SV SUMMARY,{sample},"
    deletions, insertions = chance.randint(5200, 5600), chance.randint(6900, 7300)
    return [
        f"{head}Total number of structural variants (PASS),{deletions + insertions}",
        f"{head}Number of deletions (PASS),{deletions}",
        f"{head}Number of insertions (PASS),{insertions}",
        f"{head}Number of duplications (PASS),{chance.randint(40, 60)}",
        f"{head}Number of breakend pairs (PASS),{chance.randint(1200, 1500)}",
    ]


def copy_number(
    sample: str, depth: float, sex: str, chance: random.Random
) -> list[str]:
    head = "CNV SUMMARY,,"
    return [
        f"SEX GENOTYPER,,{sample},{sex},0.9871",
        f"{head}Average alignment coverage over genome,{depth:.2f}",
        f"{head}Number of filtered records (total),51000000,6.30",
        f"{head}Coverage uniformity,{chance.uniform(0.27, 0.31):.2f}",
        f"{head}Number of segments,{chance.randint(700, 900)}",
        f"{head}Number of amplifications,{chance.randint(60, 90)}",
        f"{head}Number of deletions,{chance.randint(150, 200)}",
    ]
