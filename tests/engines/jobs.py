"""Comparisons of small variants, to be given to any engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.engines.base import SmallVariantJob
from tests.cases import case

JOB = SmallVariantJob(
    truth=Path("t.vcf.gz"),
    query=Path("q.vcf.gz"),
    reference=Path("r.fa"),
    out_prefix=Path("o/p"),
)


def real_job(folder: Path, **fields: Any) -> SmallVariantJob:
    """HG002's calls of 5 MB of chromosome 20 against its truth set."""
    real = case("hg38-chr20-5M-HG002")
    return SmallVariantJob(
        truth=real / "truth.vcf.gz",
        query=real / "query.vcf.gz",
        reference=real / "reference.fa.gz",
        confident=real / "confident.bed",
        out_prefix=folder / "p",
        **fields,
    )
