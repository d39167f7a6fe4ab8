"""The loopback servers of the laboratory, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from demo import giab, s3

pytestmark = pytest.mark.services


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"0123456789")
    with giab.serving(tmp_path) as base:
        yield f"{base}deep/file"


def test_a_range_is_answered(site: str) -> None:
    answer = urllib3.request("GET", site, headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.data) == (206, b"234")
    assert answer.headers["Content-Range"] == "bytes 2-4/10"


def test_head_tells_the_size(site: str) -> None:
    answer = urllib3.request("HEAD", site)
    assert (answer.status, answer.headers["Content-Length"]) == (200, "10")


def test_what_is_not_there_is_404(site: str) -> None:
    assert urllib3.request("GET", f"{site}-other").status == 404


def test_nothing_above_the_folder_is_served(site: str) -> None:
    base = site.removesuffix("deep/file")
    assert urllib3.request("GET", f"{base}..%2f..%2fetc/passwd").status == 404


def test_the_bucket_has_the_default_layout(tmp_path: Path) -> None:
    (tmp_path / "S").mkdir()
    (tmp_path / "S" / "S.dragen.sv.vcf.gz").write_bytes(b"calls")
    with s3.serving(tmp_path) as bucket:
        bucket.put_folder("S", tmp_path / "S", id="run1")
        listed = bucket.client.list_objects_v2(Bucket=s3.BUCKET)["Contents"]
    assert [item["Key"] for item in listed] == [
        "demo/S/vcf/dragen/run1/varcaller/S.dragen.sv.vcf.gz"
    ]
