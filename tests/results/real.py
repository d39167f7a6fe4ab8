"""Runs over the real cases, with the files that hap.py and Truvari themselves wrote."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pysam

from benchmarks import contigs, curves, metrics, structural, variants
from benchmarks.parsers.happy import read_extended
from benchmarks.parsers.truvari import read_bench
from benchmarks.parsers.truvari_classes import read_classes
from runs import artifacts
from runs.models import Artifact, Run, StageName, Status
from tests.cases import case
from tests.portal.builders import make_run


def small(**changes: Any) -> Run:
    """HG002 on 5 Mb of chr20, compared by hap.py with vcfeval."""
    source = case("hg38-chr20-5M-HG002")
    run = make_run("NA24385_Lib1_Rep1", status=Status.COMPLETED, **changes)
    folder = run.folder / StageName.HAPPY
    folder.mkdir(parents=True)
    for path in (source / "hap.py-vcfeval").iterdir():
        shutil.copyfile(path, folder / f"happy.{path.name.removeprefix('output.')}")
    pysam.tabix_index(str(folder / "happy.vcf.gz"), preset="vcf")
    rows = read_extended(folder / "happy.extended.csv")
    metrics.keep_small_variants(run.pk, "happy", rows)
    variants.extract(folder / "happy.vcf.gz", folder / variants.NAME)
    contigs.count(folder / "happy.vcf.gz", folder / contigs.NAME)
    curves.thin(folder / "happy.roc.all.csv.gz", folder / curves.NAME)
    kept = artifacts.results(run, StageName.HAPPY, folder)
    artifacts.replace(run, StageName.HAPPY, kept)
    refer(run, source, "truth.vcf.gz", "confident.bed")
    calls(run, source / "query.vcf.gz", "smvar_vcf")
    return run


def structural_run() -> Run:
    """HG002's Tier 1 on 1 Mb of chr20, compared by Truvari."""
    source = case("sv-hg19-chr20-1M-HG002")
    run = make_run("NA24385_Lib2_Rep1", status=Status.COMPLETED)
    folder = run.folder / StageName.TRUVARI
    shutil.copytree(source / "expected_truvari-5.4.0" / "default", folder / "bench")
    bench = folder / "bench"
    metrics.keep_structural_variants(
        run.pk, "default", {"bench": read_bench(bench)}, read_classes(bench)
    )
    structural.extract(bench, folder / variants.NAME)
    return run


def with_reads() -> Run:
    """NA12878's reference, truth and calls; its reads lie in the case's folder."""
    source = case("hg19-chr20-10kb-NA12878")
    run = make_run("NA12878_Lib1_Rep1", status=Status.COMPLETED)
    refer(run, source, "truth.HG001_v3.3.2.vcf.gz", "truth.bed")
    calls(run, source / "query.deepvariant.vcf.gz", "smvar_vcf")
    return run


def refer(run: Run, source: Path, truth: str, bed: str) -> None:
    """The reference and truth set, where the case has them."""
    fasta = "reference.fa.gz"
    names = {"fasta": fasta, "fai": f"{fasta}.fai", "gzi": f"{fasta}.gzi"}
    names |= {"vcf": truth, "tbi": f"{truth}.tbi", "bed": bed}
    for kind, name in names.items():
        add(run, StageName.REFERENCE, Artifact.Role.REFERENCE, kind, source / name)


def calls(run: Run, path: Path, kind: str) -> None:
    add(run, StageName.DOWNLOAD, Artifact.Role.INPUT, kind, path)
    index = path.with_name(f"{path.name}.tbi")
    add(run, StageName.DOWNLOAD, Artifact.Role.INPUT, "tbi", index)


def add(run: Run, stage: StageName, role: str, kind: str, path: Path) -> None:
    Artifact.objects.create(
        run=run,
        stage=stage,
        role=role,
        kind=kind,
        name=f"{stage}/{path.name}",
        path=str(path),
        size=path.stat().st_size,
        verified_by="md5",
    )
