from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import StopUpload
from django.db import OperationalError

from runs import lifecycle, sources
from runs.api import receive
from runs.models import Run, Source, Status
from runs.transfers.base import TransferError
from tests.api.conftest import Api
from tests.builders import make_run, make_sample

SAMPLE = "NA24143_Lib3_Rep1"


def archive(content: bytes = b"calls") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.hard-filtered.vcf", content)
    return buffer.getvalue()


def send(client: Api, content: bytes | None = None, **fields: Any) -> Any:
    data = {"sample_id": SAMPLE, **fields}
    if content is not None:
        data["file"] = SimpleUploadedFile("lab.zip", content)
    return client.post("/api/v1/upload/runs", data)


def away(*_args: object, **_named: object) -> None:
    raise OperationalError("server closed the connection")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_archive_becomes_the_input_of_a_run(operates: Api, data_dir: Path) -> None:
    content = archive(b"x" * 300_000)
    answer = send(operates, content, stages="stratified,csv", auto_process="true")
    assert answer.status_code == 201, answer.content
    run = Run.objects.get()
    assert (run.source, run.options) == (Source.ZIP, {"stratified": True})
    assert (data_dir / run.location["archive"]).read_bytes() == content
    assert run.location["archive"].startswith("uploads/")
    assert [stage["name"] for stage in answer.json()["stages"]] == [
        "download",
        "reference",
        "happy",
        "csv",
    ]


def test_stages_may_be_repeated_fields(operates: Api, data_dir: Path) -> None:
    answer = send(operates, archive(), stages=["truvari", "csv"])
    names = [stage["name"] for stage in answer.json()["stages"]]
    assert names == ["download", "reference", "truvari", "csv"]


@pytest.mark.parametrize(
    ("content", "fields", "named"),
    [
        (b"PK no archive", {}, ["file"]),
        (archive()[:-30], {}, ["file"]),
        (b"", {}, ["file"]),
        (None, {}, ["file"]),
        (archive(), {"sample_id": "../x"}, ["sample_id"]),
        (archive(), {"stages": "hapy", "engine": "gatk"}, ["stages.0", "engine"]),
        (archive(), {"other": SimpleUploadedFile("b.zip", b"x")}, ["other"]),
    ],
)
def test_nothing_is_left_of_what_is_refused(
    operates: Api,
    data_dir: Path,
    content: bytes | None,
    fields: dict[str, Any],
    named: list[str],
) -> None:
    answer = send(operates, content, **fields)
    assert answer.status_code == 400
    assert sorted(answer.json()["error"]["fields"]) == sorted(named)
    assert files_in(data_dir) == []
    assert not Run.objects.exists()


def test_an_archive_over_the_limit(
    operates: Api, data_dir: Path, configure: Callable[..., None]
) -> None:
    configure(data_dir=data_dir, upload_max_gb=0.000_001)
    answer = send(operates, archive(b"x" * 5000))
    assert answer.status_code == 413
    assert "VCBENCH_UPLOAD_MAX_GB" in answer.json()["error"]["message"]
    assert files_in(data_dir) == []


def test_an_archive_that_is_larger_than_was_said(
    operates: Api, data_dir: Path, configure: Callable[..., None]
) -> None:
    configure(data_dir=data_dir, upload_max_gb=0.000_001)
    handler = receive.ArchiveHandler()
    handler.new_file("file", "a.zip", "application/zip", None)
    with pytest.raises(StopUpload):
        handler.receive_data_chunk(b"x" * 2000, 0)
    assert handler.fault is not None
    assert handler.fault.status == 413
    assert files_in(data_dir) == []


def test_a_disk_that_cannot_hold_the_archive(
    operates: Api, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "RESERVE", 1 << 60)
    answer = send(operates, archive())
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no_space")


def test_archives_are_not_for_viewers(looks: Api, data_dir: Path) -> None:
    assert send(looks, archive()).status_code == 403
    assert files_in(data_dir) == []


def test_archives_are_posted_as_forms(operates: Api, data_dir: Path) -> None:
    assert operates.ask("GET", "upload/runs").status_code == 405
    assert operates.ask("POST", "upload/runs", {"sample_id": "a"}).status_code == 415


def test_a_session_sends_its_csrf_token_with_a_form(
    operator: User, data_dir: Path
) -> None:
    client = Api(enforce_csrf_checks=True)
    client.force_login(operator)
    assert send(client, archive()).json()["error"]["code"] == "csrf_failed"
    assert files_in(data_dir) == []
    client.cookies["csrftoken"] = "a" * 32
    assert send(client, archive(), csrfmiddlewaretoken="a" * 32).status_code == 201


class TestParts:
    """Uploads in parts; the store itself has its own tests."""

    content = archive(b"y" * 5000)

    @pytest.fixture(autouse=True)
    def folder(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def begin(self, client: Api, **fields: Any) -> Any:
        body = {"name": "lab.zip", "size": len(self.content), **fields}
        return client.ask("POST", "upload/parts", body)

    def append(self, client: Api, where: str, at: int, data: bytes) -> Any:
        return client.patch(
            f"{where}?offset={at}", data, content_type="application/octet-stream"
        )

    def test_a_run_from_parts(self, operates: Api) -> None:
        digest = hashlib.sha256(self.content).hexdigest()
        begun = self.begin(operates, sha256=digest)
        where = begun.headers["Location"]
        half = len(self.content) // 2
        self.append(operates, where, 0, self.content[:half])
        assert operates.get(where).json()["offset"] == half
        repeated = self.append(operates, where, 0, self.content[:half])
        assert repeated.status_code == 409
        assert repeated.headers["Upload-Offset"] == str(half)
        early = operates.post(
            f"{where}/complete", {"sample_id": SAMPLE}, content_type="application/json"
        )
        assert (early.status_code, early.json()["error"]["fields"]) == (
            409,
            {"offset": [str(half)]},
        )
        self.append(operates, where, half, self.content[half:])
        answer = operates.post(
            f"{where}/complete",
            {"sample_id": SAMPLE, "stages": ["csv"]},
            content_type="application/json",
        )
        assert answer.status_code == 201, answer.content
        run = Run.objects.get()
        archive_file = self.data_dir / run.location["archive"]
        assert archive_file.read_bytes() == self.content
        assert operates.get(where).status_code == 404

    def test_an_upload_outlives_a_database_that_is_away(
        self, operates: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        where = self.begin(operates).headers["Location"]
        self.append(operates, where, 0, self.content)
        path = where.removeprefix("/api/v1/") + "/complete"
        with monkeypatch.context() as patched:
            patched.setattr(lifecycle, "create", away)
            answer = operates.ask("POST", path, {"sample_id": SAMPLE})
        assert answer.status_code == 503
        assert operates.get(where).json()["offset"] == len(self.content)
        answer = operates.ask("POST", path, {"sample_id": SAMPLE})
        assert answer.status_code == 201
        [run] = Run.objects.all()
        assert (self.data_dir / run.location["archive"]).read_bytes() == self.content
        assert len(files_in(self.data_dir / "uploads")) == 1

    def test_an_upload_is_given_up(self, operates: Api) -> None:
        where = self.begin(operates).headers["Location"]
        assert operates.delete(where).status_code == 204
        assert files_in(self.data_dir) == []
        assert self.append(operates, where, 0, b"x").status_code == 404

    def test_uploads_of_others_are_not_there(
        self, operates: Api, administrator: User, as_user: Callable[[User], Api]
    ) -> None:
        where = self.begin(operates).headers["Location"]
        assert as_user(administrator).get(where).status_code == 404

    def test_not_for_viewers(self, looks: Api) -> None:
        assert self.begin(looks).status_code == 403

    def test_wrong_method(self, operates: Api) -> None:
        where = self.begin(operates).headers["Location"]
        answer = operates.put(where, b"")
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"size": 0}, 400),
            ({"name": "a/b.zip"}, 400),
            ({"sha256": "abc"}, 400),
            ({"size": 10**15}, 413),
        ],
    )
    def test_bad_input(
        self, operates: Api, fields: dict[str, Any], status: int
    ) -> None:
        assert self.begin(operates, **fields).status_code == status
        assert files_in(self.data_dir) == []

    def test_more_bytes_than_were_announced(self, operates: Api) -> None:
        where = self.begin(operates, size=3).headers["Location"]
        answer = self.append(operates, where, 0, b"four")
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            400,
            "bad_upload",
        )
        assert operates.patch(where, b"x").status_code == 400

    def test_what_is_no_archive_is_not_kept(self, operates: Api) -> None:
        where = self.begin(operates, size=4).headers["Location"]
        self.append(operates, where, 0, b"text")
        answer = operates.post(
            f"{where}/complete", {"sample_id": SAMPLE}, content_type="application/json"
        )
        assert list(answer.json()["error"]["fields"]) == ["file"]
        assert files_in(self.data_dir) == []


class Store:
    """Stands for the bucket, an edge; `runs.transfers.s3` has tests with a real one."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def samples(self) -> list[str]:
        if not self.names:
            raise TransferError("The bucket lab does not answer.")
        return list(self.names)


class TestPrefix:
    @pytest.fixture(autouse=True)
    def bucket(
        self, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configure(s3_bucket="lab")
        self.patch = monkeypatch
        self.holds("HG001_1", "HG002_1", "HG002_2", "HG003_1")

    def holds(self, *names: str) -> None:
        self.patch.setattr(sources, "s3_store", lambda: Store(*names))

    def test_every_sample_that_was_not_imported(self, operates: Api) -> None:
        make_run(sample=make_sample("HG001_1"), status=Status.COMPLETED)
        make_run(sample=make_sample("HG002_1"), status=Status.ERROR)
        answer = operates.ask("POST", "upload/prefix", {"stages": ["csv"]})
        told = answer.json()
        assert answer.status_code == 201
        names = [run["sample_id"] for run in told["runs"]]
        assert names == ["HG002_1", "HG002_2", "HG003_1"]
        assert (told["found"], told["imported_before"]) == (4, 1)
        again = operates.ask("POST", "upload/prefix", {})
        assert (again.status_code, again.json()["runs"]) == (200, [])

    def test_some_of_them(self, operates: Api) -> None:
        body = {"starting_with": "HG002", "limit": 1}
        told = operates.ask("POST", "upload/prefix", body).json()
        assert [run["sample_id"] for run in told["runs"]] == ["HG002_1"]
        assert told["left_for_later"] == 1

    def test_a_store_that_fails(self, operates: Api) -> None:
        self.holds()
        answer = operates.ask("POST", "upload/prefix", {})
        assert answer.status_code == 502
        assert "does not answer" in answer.json()["error"]["message"]

    def test_not_for_viewers(self, looks: Api) -> None:
        assert looks.ask("POST", "upload/prefix", {}).status_code == 403

    def test_wrong_method(self, operates: Api) -> None:
        assert operates.ask("GET", "upload/prefix").status_code == 405

    def test_bad_input(self, operates: Api) -> None:
        answer = operates.ask("POST", "upload/prefix", {"limit": 0, "prefix": "x"})
        assert sorted(answer.json()["error"]["fields"]) == ["limit", "prefix"]
