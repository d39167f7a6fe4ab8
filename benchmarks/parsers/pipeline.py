"""Which pipeline made a call file, with its version, as the header says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.parsers.vcf_header import VcfHeader

LONGEST = 100
# DRAGEN writes `SW: 07.031.779.4.4.6`: build of the software, then its version.
SOFTWARE = re.compile(r"SW: (?P<numbers>\d+(?:\.\d+)+)")
DRAGEN = ("##DRAGENVersion=<ID=dragen,", "##DRAGENCommandLine=<ID=dragen,")
DEEPVARIANT = re.compile(r"##DeepVariant_version=(?P<version>\S+)")
GATK = re.compile(
    r'##GATKCommandLine.*ID=(?:HaplotypeCaller|GenotypeGVCFs)\b.*Version="?'
    r"(?P<version>[\w.-]+)"
)
BUILD_NUMBERS = 3


def pipeline_of(header: VcfHeader) -> str:
    """`DRAGEN 4.4.6`, `DeepVariant 1.8.0`; else the header's source, or nothing."""
    return next(_named(header), header.source)[:LONGEST]


def _named(header: VcfHeader) -> Iterator[str]:
    for line in header.meta:
        if line.startswith(DRAGEN) and (found := SOFTWARE.search(line)):
            yield f"DRAGEN {_version(found['numbers'])}"
        elif found := DEEPVARIANT.match(line):
            yield f"DeepVariant {found['version']}"
        elif found := GATK.match(line):
            yield f"GATK {found['version']}"


def _version(numbers: str) -> str:
    parts = numbers.split(".")
    return ".".join(parts[BUILD_NUMBERS:] if len(parts) > BUILD_NUMBERS + 1 else parts)
