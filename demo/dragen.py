"""What a DRAGEN run leaves of a sample: VCF files, gVCF, metrics."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from demo.calls import Call, unphased
from demo.files import contig_lines, write_md5sum, write_vcf
from demo.genome import Stretch, Variant

VERSION = "SW: 4.2.4 (synthetic), HW: none"
COMMON = [
    "##fileformat=VCFv4.2",
    f'##DRAGENVersion=<ID=dragen,Version="{VERSION}">',
]
SMALL = [
    '##FILTER=<ID=DRAGENSnpHardQUAL,Description="Set if true:QUAL < 10.41">',
    '##FILTER=<ID=DRAGENIndelHardQUAL,Description="Set if true:QUAL < 7.83">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Approximate read depth">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="Stop position">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allelic depths">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
    '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least depth of a block">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
]
STRUCTURAL = [
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">',
    '##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="Length">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
]
COPIES = [
    '##ALT=<ID=DEL,Description="Loss of copies">',
    '##ALT=<ID=DUP,Description="Gain of copies">',
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">',
    '##INFO=<ID=SVLEN,Number=1,Type=Integer,Description="Length">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=SM,Number=1,Type=Float,Description="Segment mean">',
    '##FORMAT=<ID=CN,Number=1,Type=Integer,Description="Copy number">',
]
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}"


def header(kind: list[str], lengths: Mapping[str, int], sample: str) -> list[str]:
    return [*COMMON, *kind, *contig_lines(lengths), COLUMNS.format(sample=sample)]


def record(call: Call, chance: random.Random) -> str:
    """A line of the VCF of small variants."""
    variant = call.variant
    passes = call.filter == "PASS"
    quality = chance.uniform(30, 80) if passes else chance.uniform(3, 7)
    depth = chance.randint(24, 48)
    alternative = depth if call.genotype == "1/1" else depth // 2
    values = (
        f"{call.genotype}:{depth - alternative},{alternative}:{depth}:"
        f"{chance.randint(40, 99) if passes else chance.randint(2, 8)}"
    )
    return (
        f"{variant.contig}\t{variant.position + 1}\t.\t{variant.ref}\t{variant.alt}\t"
        f"{quality:.2f}\t{call.filter}\tDP={depth}\tGT:AD:DP:GQ\t{values}"
    )


def small_variant_files(
    folder: Path,
    prefix: str,
    sample: str,
    lengths: Mapping[str, int],
    calls: Sequence[Call],
    stretches: Sequence[Stretch],
    chance: random.Random,
) -> None:
    head = header(SMALL, lengths, sample)
    lines = [record(call, chance) for call in calls]
    vcf = folder / f"{prefix}.hard-filtered.vcf.gz"
    write_vcf(vcf, head, lines)
    write_md5sum(vcf)
    gvcf = folder / f"{prefix}.hard-filtered.gvcf.gz"
    write_vcf(gvcf, head, with_blocks(calls, lines, stretches))
    write_md5sum(gvcf)


def with_blocks(
    calls: Sequence[Call], lines: Sequence[str], stretches: Sequence[Stretch]
) -> Iterator[str]:
    """The calls of a gVCF: between them, blocks that equal the reference."""
    for where in stretches:
        at = where.start
        for call, line in zip(calls, lines, strict=True):
            if call.variant.contig != where.contig:
                continue
            if at < call.variant.position:
                yield block(where, at, call.variant.position)
            columns = line.split("\t")
            columns[4] += ",<NON_REF>"
            sample = columns[9].split(":")
            sample[1] += ",0"
            yield "\t".join([*columns[:9], ":".join(sample)])
            at = call.variant.end
        yield block(where, at, where.end)


def block(where: Stretch, start: int, end: int) -> str:
    return (
        f"{where.contig}\t{start + 1}\t.\t{where.base(start)}\t<NON_REF>\t.\tPASS\t"
        f"END={end}\tGT:AD:DP:GQ:MIN_DP\t0/0:34,0:34:90:28"
    )


def structural_line(variant: Variant, genotype: str, number: int) -> str:
    """`genotype` as it is to be written."""
    length = len(variant.alt) - len(variant.ref)
    kind = "INS" if length > 0 else "DEL"
    return (
        f"{variant.contig}\t{variant.position + 1}\tDRAGEN:{kind}:{number}\t"
        f"{variant.ref}\t{variant.alt}\t200\tPASS\t"
        f"SVTYPE={kind};SVLEN={length};END={variant.end}\tGT:GQ\t{genotype}:80"
    )


def structural_file(
    folder: Path,
    prefix: str,
    sample: str,
    lengths: Mapping[str, int],
    variants: Sequence[Variant],
) -> None:
    path = folder / f"{prefix}.sv.vcf.gz"
    lines = [
        structural_line(variant, unphased(variant.genotype), number)
        for number, variant in enumerate(variants)
    ]
    write_vcf(path, header(STRUCTURAL, lengths, sample), lines)
    write_md5sum(path)


def copy_number_file(
    folder: Path,
    prefix: str,
    sample: str,
    lengths: Mapping[str, int],
    stretches: Sequence[Stretch],
) -> None:
    """One loss in each stretch."""
    lines = []
    for where in stretches:
        start, end = where.start + 20_000, where.start + 45_000
        lines.append(
            f"{where.contig}\t{start + 1}\tDRAGEN:LOSS:{where.contig}:{start + 1}-{end}"
            f"\t{where.base(start)}\t<DEL>\t63\tPASS\t"
            f"SVTYPE=DEL;SVLEN={start - end};END={end}\tGT:SM:CN\t0/1:0.52:1"
        )
    path = folder / f"{prefix}.cnv.vcf.gz"
    write_vcf(path, header(COPIES, lengths, sample), lines)
    write_md5sum(path)
