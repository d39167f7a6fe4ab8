"""Truth sets that keepers upload."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from benchmarks import catalog
from benchmarks.models import State, TruthSet
from tests.builders import make_sample

ADD = reverse("admin:benchmarks_truthset_add")
LENGTH = 64_444_167
HEADER = (
    "##fileformat=VCFv4.2\n"
    f"##contig=<ID=chr20,length={LENGTH}>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
RECORDS = (
    "chr20\t100\t.\tA\tC\t50\tPASS\t.\tGT\t0/1\n"
    "chr20\t200\t.\tG\tT\t50\tPASS\t.\tGT\t1/1\n"
)
VCF = f"{HEADER}{COLUMNS}LAB7\n{RECORDS}"
BED = "chr20\t50\t300\n"


def send(
    client: Client,
    vcf: str | bytes = VCF,
    bed: str | bytes = BED,
    names: tuple[str, str] = ("truth.vcf", "regions.bed"),
    **fields: Any,
) -> Any:
    def packed(name: str, content: str | bytes) -> SimpleUploadedFile:
        data = content.encode() if isinstance(content, str) else content
        return SimpleUploadedFile(name, data)

    body = {
        "key": "lab7",
        "build": "GRCh38",
        "kind": "smvar",
        "vcf": packed(names[0], vcf),
        "bed": packed(names[1], bed),
        **fields,
    }
    return client.post(ADD, body)


def faults(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200, "the form was accepted"
    errors = answer.context["adminform"].form.errors
    return {name: " ".join(texts) for name, texts in errors.items()}


def files_in(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in found)


def test_a_truth_set_is_checked_and_made_ready(
    administrator_client: Client, data_dir: Path
) -> None:
    answer = send(administrator_client)
    assert answer.status_code == 302, faults(answer)
    row = TruthSet.objects.get()
    assert (row.origin, row.state) == (TruthSet.Origin.UPLOADED, State.READY)
    assert row.path("vcf") == data_dir / "truth" / "lab7" / "truth.vcf.gz"
    with pysam.VariantFile(str(row.path("vcf"))) as file:
        assert [record.pos for record in file.fetch("chr20", 150, 300)] == [200]
    assert row.path("bed").read_text() == BED
    digest = hashlib.sha256(row.path("bed").read_bytes()).hexdigest()
    assert row.files["bed"]["sha256"] == digest
    assert row.size == sum(
        path.stat().st_size for path in row.path("vcf").parent.iterdir()
    )
    assert files_in(data_dir) == [
        "truth/lab7/regions.bed",
        "truth/lab7/truth.vcf.gz",
        "truth/lab7/truth.vcf.gz.tbi",
    ]


def test_plain_gzip_is_packed_anew(
    administrator_client: Client, data_dir: Path
) -> None:
    vcf, bed = (gzip.compress(text.encode()) for text in (VCF, BED))
    names = ("../same.gz", "../same.gz")
    assert send(administrator_client, vcf, bed, names).status_code == 302
    row = TruthSet.objects.get()
    assert row.path("vcf").name == "truth.vcf.gz"
    assert gzip.decompress(row.path("bed").read_bytes()).decode() == BED
    assert gzip.decompress(row.path("vcf").read_bytes()).decode() == VCF


@pytest.mark.parametrize(
    ("vcf", "words"),
    [
        ("", "empty"),
        ("<html>404</html>", "truth.vcf"),
        (VCF[: len(HEADER)], "#CHROM"),
        (f"{HEADER}{COLUMNS}LAB7\n", "no records"),
        (VCF.replace("GT\t", "DP\t"), "no genotypes"),
        (
            VCF.replace("LAB7", "A\tB")
            .replace("0/1", "0/1\t0/0")
            .replace("1/1", "1/1\t0/0"),
            "holds 2 samples",
        ),
        (VCF.replace(str(LENGTH), "63025520"), "is on GRCh37"),
        (
            HEADER
            + COLUMNS
            + "LAB7\n"
            + "".join(reversed(RECORDS.splitlines(keepends=True))),
            "not sorted",
        ),
        (gzip.compress(VCF.encode(), mtime=0)[:-12], "cut off"),
    ],
)
def test_calls_that_cannot_be_a_truth(
    administrator_client: Client, data_dir: Path, vcf: str | bytes, words: str
) -> None:
    found = faults(send(administrator_client, vcf))
    assert list(found) == ["vcf"]
    assert words in found["vcf"]
    assert files_in(data_dir) == []
    assert not TruthSet.objects.exists()


def test_damage_deep_in_the_file_is_found(
    administrator_client: Client, data_dir: Path
) -> None:
    lines = (
        f"chr20\t{at}\t.\tA\tC\t{at % 97}\tPASS\tN={at * 7919 % 9973}\tGT\t0/1\n"
        for at in range(1, 20_000)
    )
    whole = gzip.compress(f"{HEADER}{COLUMNS}LAB7\n{''.join(lines)}".encode(), mtime=0)
    names = ("truth.vcf.gz", "regions.bed")
    found = faults(send(administrator_client, whole[: len(whole) // 2], names=names))
    assert "cut off" in found["vcf"]


@pytest.mark.parametrize(
    ("bed", "words"),
    [
        ("", "empty"),
        ("20\t50\t300\n", "no region on a contig"),
        ("chr20\t300\t50\n", "line 1"),
        ("chr20\t50\n", "line 1"),
        ("chr20\t50\t50\n", "no regions"),
        (gzip.compress(BED.encode(), mtime=0)[:-6], "cannot be read"),
    ],
)
def test_regions_that_cannot_be_used(
    administrator_client: Client, data_dir: Path, bed: str | bytes, words: str
) -> None:
    found = faults(send(administrator_client, bed=bed))
    assert list(found) == ["bed"]
    assert words in found["bed"]
    assert files_in(data_dir) == []


def test_the_faults_of_both_files_are_told(
    administrator_client: Client, data_dir: Path
) -> None:
    found = faults(send(administrator_client, "x", "chr20\tx\ty\n"))
    assert sorted(found) == ["bed", "vcf"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"key": "../x"}, "key"),
        ({"key": "a b"}, "key"),
        ({"key": ""}, "key"),
        ({"build": "hg38"}, "build"),
        ({"kind": "other"}, "kind"),
        ({"vcf": ""}, "vcf"),
        ({"bed": ""}, "bed"),
        ({"names": ("calls.txt", "regions.bed")}, "vcf"),
    ],
)
def test_forms_that_cannot_be_used(
    administrator_client: Client, data_dir: Path, fields: dict[str, Any], field: str
) -> None:
    assert list(faults(send(administrator_client, **fields))) == [field]
    assert files_in(data_dir) == []


def test_keys_of_the_catalogue_are_taken(
    administrator_client: Client, data_dir: Path
) -> None:
    key = catalog.current().truth_sets[0].key
    assert "GIAB catalogue" in faults(send(administrator_client, key=key))["key"]


def test_a_key_is_taken_once(administrator_client: Client, data_dir: Path) -> None:
    send(administrator_client)
    before = files_in(data_dir)
    assert "key" in faults(send(administrator_client, VCF.replace("0/1", "1/1")))
    assert files_in(data_dir) == before


def test_structural_truth_needs_no_genotypes(
    administrator_client: Client, data_dir: Path
) -> None:
    plain = VCF.replace("\tFORMAT\tLAB7", "").replace("\tGT\t0/1", "")
    plain = plain.replace("\tGT\t1/1", "")
    assert send(administrator_client, plain, kind="stvar").status_code == 302


def test_files_are_not_exchanged(administrator_client: Client, data_dir: Path) -> None:
    send(administrator_client)
    row = TruthSet.objects.get()
    page = reverse("admin:benchmarks_truthset_change", args=[row.pk])
    assert administrator_client.get(page).status_code == 200
    assert administrator_client.post(page, {"key": "other"}).status_code == 403


def test_an_own_truth_set_is_removed_unless_a_sample_needs_it(
    administrator_client: Client,
    data_dir: Path,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    send(administrator_client)
    row = TruthSet.objects.get()
    page = reverse("admin:benchmarks_truthset_delete", args=[row.pk])
    sample = make_sample("lab", truth_set=row)
    administrator_client.post(page, {"post": "yes"})
    assert TruthSet.objects.exists()
    sample.delete()
    with django_capture_on_commit_callbacks(execute=True):
        administrator_client.post(page, {"post": "yes"})
    assert not TruthSet.objects.exists()
    assert files_in(data_dir) == []


def test_those_of_the_catalogue_stay(administrator_client: Client, db: None) -> None:
    row = TruthSet.objects.create(key="HG001", build="GRCh38", kind="smvar")
    page = reverse("admin:benchmarks_truthset_delete", args=[row.pk])
    assert administrator_client.post(page, {"post": "yes"}).status_code == 403


def test_only_for_administrators(operator: User, operator_client: Client) -> None:
    assert send(operator_client).status_code == 302
    User.objects.filter(pk=operator.pk).update(is_staff=True)
    assert send(operator_client).status_code == 403
