"""Starting a run of a sample in S3, against moto's server over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from runs.models import Priority, Run, Source, Status
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
NEW = "/runs/new/?source=s3"
SAMPLE = "NA24143_Lib3_Rep1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, configure: Callable[..., None]
) -> Iterator[Callable[[str, str], None]]:
    """An empty bucket of the settings; call it to put a file of a sample there."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="portal")
    configure(
        s3_bucket="portal",
        s3_prefix="vcfs",
        s3_endpoint=endpoint,
        s3_region="us-east-1",
    )

    def put(sample: str, folder: str) -> None:
        key = f"vcfs/{sample}/vcf/dragen/{folder}/varcaller/{sample}.sv.vcf.gz"
        client.put_object(Bucket="portal", Key=key, Body=b"x" * 1500)

    yield put
    for entry in client.list_objects_v2(Bucket="portal").get("Contents", []):
        client.delete_object(Bucket="portal", Key=entry["Key"])
    client.delete_bucket(Bucket="portal")
    client.close()


Bucket = Callable[[str, str], None]
ORDER: dict[str, Any] = {
    "sample_id": SAMPLE,
    "auto_process": "on",
    "stages": ["happy", "csv"],
}


def test_a_sample_with_one_folder_is_started(
    operates: Browser,
    bucket: Bucket,
    sent: list[Any],
    django_capture_on_commit_callbacks: Any,
) -> None:
    bucket(SAMPLE, "run-1")

    with django_capture_on_commit_callbacks(execute=True):
        page = operates.send(NEW, follow=True, **ORDER)

    run = Run.objects.get()
    assert page.text("h1") == SAMPLE
    assert page.text(".note-success p") == f"The run of {SAMPLE} is queued."
    assert (run.source, run.location, run.status) == (Source.S3, {}, Status.PENDING)
    assert [s.name for s in run.stages.all()] == [
        "download", "reference", "happy", "csv",
    ]  # fmt: skip
    assert str(run.created_by) == "operator"
    assert sent == [("default", run.pk, 1)]


def test_all_options(
    operates: Browser, bucket: Bucket, tmp_path: Path, configure: Callable[..., None]
) -> None:
    bucket(SAMPLE, "run-1")
    configure(path_roots=[tmp_path])
    for name in ("a.cram", "a.cram.crai"):
        (tmp_path / name).touch()

    operates.send(
        NEW,
        **{**ORDER, "stages": ["stratified", "truvari"]},
        engine="vcfeval",
        preset="dragen",
        build="GRCh38",
        priority="high",
        reads=str(tmp_path / "a.cram"),
    )

    run = Run.objects.get()
    assert run.options == {
        "stratified": True, "engine": "vcfeval", "preset": "dragen", "build": "GRCh38",
        "reads": str(tmp_path / "a.cram"),
    }  # fmt: skip
    assert run.priority == Priority.HIGH
    assert run.stages.filter(name="happy").exists()


def test_without_processing_only_the_files_are_brought(
    operates: Browser, bucket: Bucket
) -> None:
    bucket(SAMPLE, "run-1")

    operates.send(NEW, sample_id=SAMPLE)

    run = Run.objects.get()
    assert not run.auto_process
    assert [stage.name for stage in run.stages.all()] == ["download"]


def test_several_folders_are_a_choice(operates: Browser, bucket: Bucket) -> None:
    bucket(SAMPLE, "run-1")
    bucket(SAMPLE, "run-2")

    page = operates.send(NEW, **ORDER)

    assert page.status == 422
    assert not Run.objects.exists()
    choices = page.all("input[name=folder]")
    assert {node.attributes["value"] for node in choices} == {"run-1", "run-2"}
    assert all(
        "1 file · 1.50 kB" in text
        for text in page.texts("fieldset:has(input[name=folder]) label")
    )
    assert page.one("#id_sample_id").attributes["value"] == SAMPLE

    operates.send(NEW, **ORDER, folder="run-2")

    assert Run.objects.get().location == {"id": "run-2"}


def test_a_folder_that_is_not_there(operates: Browser, bucket: Bucket) -> None:
    bucket(SAMPLE, "run-1")

    page = operates.send(NEW, **ORDER, folder="run-9")

    assert "run-9" in page.text("#id_sample_id_error")
    assert not Run.objects.exists()


def test_an_unknown_sample_is_told_what_is_there(
    operates: Browser, bucket: Bucket
) -> None:
    bucket("NA12878_Lib1", "run-1")

    page = operates.send(NEW, **ORDER)

    fault = page.text("#id_sample_id_error")
    assert "s3://portal/vcfs" in fault
    assert "NA12878_Lib1" in fault
    assert page.one("#id_sample_id").attributes["aria-invalid"] == "true"


def test_no_bucket_is_set(operates: Browser, configure: Callable[..., None]) -> None:
    configure(s3_bucket="")

    page = operates.send(NEW, **ORDER)

    assert "VCBENCH_S3_BUCKET" in page.text("#id_sample_id_error")


def test_an_endpoint_that_does_not_answer(
    operates: Browser, bucket: Bucket, configure: Callable[..., None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configure(s3_endpoint=f"http://127.0.0.1:{port}")

    page = operates.send(NEW, **ORDER)

    assert page.status == 422
    assert page.has("#id_sample_id_error")


def test_faults_of_all_fields_are_said_at_once(operates: Browser) -> None:
    page = operates.send(NEW, sample_id="a/b", auto_process="on", engine="magic")

    assert page.status == 422
    faults = {"id_sample_id", "id_stages", "id_engine"}
    assert {node.id for node in page.all("[id$=_error]")} == {
        f"{f}_error" for f in faults
    }
    links = [node.attributes["href"] for node in page.all("[role=alert] a")]
    assert set(links) == {f"#{fault}" for fault in faults}
    for link in links:
        assert page.has(link or "")
    assert "open" in page.one("form details.fold").attributes


def test_a_second_import_joins_the_first(operates: Browser, bucket: Bucket) -> None:
    bucket(SAMPLE, "run-1")
    operates.send(NEW, **ORDER)

    page = operates.send(NEW, follow=True, **ORDER)

    assert Run.objects.count() == 1
    assert "imported already" in page.text(".note-info p")


def test_the_sample_page_fills_the_form_in(operates: Browser) -> None:
    page = operates.page("/runs/new/", sample=SAMPLE)

    assert page.one("#id_sample_id").attributes["value"] == SAMPLE


def test_an_unknown_source_is_not_found(operates: Browser) -> None:
    assert operates.page("/runs/new/", source="tape").status == 404
