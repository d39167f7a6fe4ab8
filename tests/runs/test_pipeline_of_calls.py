"""Which pipeline made a run's calls, as the download stage keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runs.models import Artifact
from runs.stages.download import _pipeline

HEADER = (
    "##fileformat=VCFv4.2\n{meta}##contig=<ID=chr1,length=1000>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"
)
DRAGEN = '##DRAGENVersion=<ID=dragen,Version="SW: 07.021.639.4.4.6, HW: x">\n'


@pytest.fixture
def files(data_dir: Path) -> dict[str, str]:
    """Texts by name; `kept` writes them."""
    return {
        "s.sv.vcf.gz": HEADER.format(meta="##source=Manta\n"),
        "s.hard-filtered.vcf.gz": HEADER.format(meta=DRAGEN),
        "s.mapping_metrics.csv": "a,b,c,1\n",
    }


def kept(data_dir: Path, texts: dict[str, str]) -> list[Artifact]:
    for name, text in texts.items():
        (data_dir / name).write_text(text)
    kinds = {"s.hard-filtered.vcf.gz": "smvar_vcf", "s.sv.vcf.gz": "sv_vcf"}
    return [
        Artifact(name=f"download/{name}", path=name, kind=kinds.get(name, ""))
        for name in texts
    ]


def test_small_variants_say_it_first(data_dir: Path, files: dict[str, str]) -> None:
    assert _pipeline(kept(data_dir, files)) == "DRAGEN 4.4.6"


def test_calls_that_cannot_be_read_are_passed_over(
    data_dir: Path, files: dict[str, str]
) -> None:
    files["s.hard-filtered.vcf.gz"] = "<html>"

    assert _pipeline(kept(data_dir, files)) == "Manta"


def test_without_calls_nothing_is_said(data_dir: Path) -> None:
    assert _pipeline(kept(data_dir, {"s.mapping_metrics.csv": "a,b,c,1\n"})) == ""
