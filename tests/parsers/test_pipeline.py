from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parsers.pipeline import pipeline_of
from benchmarks.parsers.vcf_header import VcfHeader, sniff
from tests.cases import case


def header(*meta: str, source: str = "") -> VcfHeader:
    return VcfHeader(
        path=Path("a.vcf"),
        container="plain",
        version="VCFv4.2",
        samples=("a",),
        contigs={},
        is_gvcf=False,
        has_genotypes=True,
        has_records=True,
        source=source,
        meta=meta,
    )


@pytest.mark.parametrize(
    ("line", "pipeline"),
    [
        (
            '##DRAGENVersion=<ID=dragen,Version="SW: 07.021.639.4.1.0-183-g83d6ed0a, '
            'HW: 07.021.639">',
            "DRAGEN 4.1.0",
        ),
        (
            '##DRAGENVersion=<ID=dragen,Version="SW: 4.2.4, HW: Unknown">',
            "DRAGEN 4.2.4",
        ),
        (
            '##DRAGENCommandLine=<ID=dragen,Version="SW: 05.021.408.3.4.12, HW: x">',
            "DRAGEN 3.4.12",
        ),
        (
            '##DRAGENCommandLine=<ID=HashTableBuild,Version="SW: 00.000.000.4.4.6">',
            "it",
        ),
        ("##DeepVariant_version=1.4.0", "DeepVariant 1.4.0"),
        (
            '##GATKCommandLine=<ID=HaplotypeCaller,CommandLine="a",Version="4.1.0.0">',
            "GATK 4.1.0.0",
        ),
        ("##contig=<ID=chr1>", "it"),
    ],
)
def test_the_pipeline_by_the_lines_of_the_header(line: str, pipeline: str) -> None:
    assert pipeline_of(header("##fileformat=VCFv4.2", line, source="it")) == pipeline


def test_a_header_that_says_nothing() -> None:
    assert pipeline_of(header("##fileformat=VCFv4.2")) == ""


def test_real_calls() -> None:
    path = case("dragen-vcf") / "ngs-bits.VcfFilter_in04.vcf"

    assert pipeline_of(sniff(path)) == "DRAGEN 4.4.6"
