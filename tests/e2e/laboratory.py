"""A laboratory made of the real cases: bucket, GIAB site, catalogue, portal."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.catalog import lookup
from demo import giab, s3
from demo.client import Api
from demo.files import digest_of
from demo.lab import described
from tests.cases import case
from tests.e2e.database import own_database
from vcbench_site.embedded.portal import Portal

SMALL = "NA24385_Lib1_Rep1"
STRUCTURAL = "NA24385_Lib2_Rep1"
PASSWORD = "correct horse battery"
PEOPLE = """
import sys
from django.contrib.auth.models import Group, User
from runs.models import ApiToken
from runs.roles import ROLES
for name in ROLES:
    user = User.objects.create_user(name.lower(), password=sys.stdin.readline().strip())
    user.groups.add(Group.objects.get(name=name))
    print(name.lower(), ApiToken.issue(user, "test")[1])
"""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """A running portal; `tokens` by user name."""

    portal: Portal
    bucket: s3.Bucket
    tokens: Mapping[str, str]

    @property
    def address(self) -> str:
        return self.portal.address

    def api(self, user: str = "operators") -> Api:
        return Api(self.address, self.tokens[user])


def fill_bucket(bucket: s3.Bucket, folder: Path) -> None:
    """Small variants and metrics of one sample, structural variants of another."""
    calls, structural = case("hg38-chr20-5M-HG002"), case("sv-hg19-chr20-1M-HG002")
    first, second = folder / SMALL, folder / STRUCTURAL
    first.mkdir(parents=True)
    second.mkdir()
    vcf = first / f"{SMALL}.dragen.hard-filtered.vcf.gz"
    copy_indexed(calls / "query.vcf.gz", vcf)
    side = vcf.with_name(f"{vcf.name}.md5sum")
    side.write_text(f"{digest_of(vcf, 'md5')}  {vcf.name}\n")
    for metrics in case("dragen-metrics-NA12878").glob("*.csv"):
        shutil.copyfile(metrics, first / metrics.name)
    copy_indexed(
        structural / "query.pbsv_2.6.2.vcf.gz",
        second / f"{STRUCTURAL}.dragen.sv.vcf.gz",
    )
    for sample in (first, second):
        bucket.put_folder(sample.name, sample, id="run1")


def copy_indexed(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    index = source.with_name(f"{source.name}.tbi")
    if index.exists():
        shutil.copyfile(index, target.with_name(f"{target.name}.tbi"))


def fill_site(site: Path) -> dict[str, Any]:
    """Truth sets and references of the cases; gives the catalogue."""
    for build in ("GRCh37", "GRCh38"):
        (site / build).mkdir(parents=True)
    small, structural = case("hg38-chr20-5M-HG002"), case("sv-hg19-chr20-1M-HG002")
    copy_indexed(small / "truth.vcf.gz", site / "GRCh38" / "truth.vcf.gz")
    shutil.copyfile(small / "confident.bed", site / "GRCh38" / "truth.bed")
    copy_indexed(
        structural / "truth.HG002_SVs_Tier1_v0.6.vcf.gz", site / "GRCh37/truth.vcf.gz"
    )
    shutil.copyfile(structural / "truth.bed", site / "GRCh37" / "truth.bed")
    references = {
        "GRCh38": small / "reference.fa.gz",
        "GRCh37": structural / "ref.hs37d5_chr20_1_1000000.fa.gz",
    }
    own = json.loads(lookup.OWN.read_text())
    return {
        **{key: own[key] for key in ("schema", "individuals", "no_truth", "bases")},
        "truth_sets": [
            truth_set(site / "GRCh38", "GRCh38", "smvar", "v4.2.1"),
            truth_set(site / "GRCh37", "GRCh37", "stvar", "v0.6"),
        ],
        "references": [
            reference(site, build, source) for build, source in references.items()
        ],
    }


def truth_set(folder: Path, build: str, kind: str, version: str) -> dict[str, Any]:
    site = folder.parent
    return {
        "key": f"HG002-{build}-{kind}-{version}",
        "individual": "HG002",
        "build": build,
        "kind": kind,
        "version": version,
        "default": True,
        "chr_prefix": build == "GRCh38",
        "vcf": described(site, folder / "truth.vcf.gz"),
        "tbi": described(site, folder / "truth.vcf.gz.tbi"),
        "bed": described(site, folder / "truth.bed"),
    }


def reference(site: Path, build: str, source: Path) -> dict[str, Any]:
    files = {}
    for role, ending in (("fasta", ""), ("fai", ".fai"), ("gzi", ".gzi")):
        target = site / build / f"reference.fa.gz{ending}"
        shutil.copyfile(source.with_name(f"{source.name}{ending}"), target)
        files[role] = described(site, target)
    return {"key": f"case-{build}", "build": build, "default": True, **files}


def environment(**more: str) -> dict[str, str]:
    """This process's own, without what names another portal or database."""
    hidden = ("VCBENCH_", "DJANGO_", "PYTEST_", "AWS_")
    own = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    return {**own, **more}


@contextmanager
def running(folder: Path) -> Iterator[Laboratory]:
    """Everything up, with a viewer and an operator."""
    site, catalog = folder / "site", folder / "catalog.json"
    catalog.write_text(json.dumps(fill_site(site)))
    with (
        s3.serving(folder) as bucket,
        giab.serving(site) as base,
        own_database() as database,
    ):
        fill_bucket(bucket, folder / "samples")
        settings = environment(
            **bucket.settings,
            **database,
            VCBENCH_CATALOG=str(catalog),
            VCBENCH_GIAB_URLS=base,
        )
        with Portal(folder / "data", settings, port=18000) as portal:
            portal.manage("migrate", "--noinput")
            written = portal.manage(
                *("shell", "--no-imports", "-c", PEOPLE), stdin=f"{PASSWORD}\n" * 9
            )
            tokens = dict(line.split() for line in written.splitlines())
            portal.serve()
            yield Laboratory(portal, bucket, tokens)
