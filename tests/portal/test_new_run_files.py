"""Starting a run from a ZIP, a path on the server, or addresses."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from runs import lifecycle, uploads
from runs.models import Run, Source
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
ORDER: dict[str, Any] = {
    "sample_id": "NA24385_x",
    "auto_process": "on",
    "stages": ["truvari"],
}
ZIP, PATH, URL = (f"/runs/new/?source={source}" for source in ("zip", "path", "url"))
Configure = Callable[..., None]


@pytest.fixture
def data(tmp_path: Path, configure: Configure) -> Path:
    configure(data_dir=tmp_path)
    return tmp_path


def archive() -> SimpleUploadedFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("NA24385.sv.vcf.gz", b"x" * 5000)
    return SimpleUploadedFile("calls.zip", content.getvalue(), "application/zip")


def left(data: Path) -> list[Path]:
    return list((data / "uploads").glob("*"))


def test_a_zip_lies_in_its_place(operates: Browser, data: Path) -> None:
    sent = archive()

    page = operates.send(ZIP, follow=True, **ORDER, file=sent)

    run = Run.objects.get()
    assert page.text("h1") == "NA24385_x"
    assert run.source == Source.ZIP
    [kept] = left(data)
    assert data / run.location["archive"] == kept
    assert zipfile.ZipFile(kept).namelist() == ["NA24385.sv.vcf.gz"]


def test_what_is_no_zip_is_refused_and_not_kept(operates: Browser, data: Path) -> None:
    sent = SimpleUploadedFile("calls.zip", b"PK but no archive")

    page = operates.send(ZIP, **ORDER, file=sent)

    assert page.status == 422
    assert "no ZIP archive" in page.text("#id_file_error")
    assert left(data) == []


def test_an_archive_is_not_kept_when_another_field_is_wrong(
    operates: Browser, data: Path
) -> None:
    page = operates.send(ZIP, **{**ORDER, "sample_id": ""}, file=archive())

    assert page.has("#id_sample_id_error")
    assert not page.has("#id_file_error")
    assert left(data) == []


def test_a_zip_that_is_missing(operates: Browser, data: Path) -> None:
    page = operates.send(ZIP, **ORDER)

    assert page.has("#id_file_error")


def test_a_zip_that_is_too_large_is_refused_before_it_is_read(
    operates: Browser, data: Path, configure: Configure
) -> None:
    configure(upload_max_gb=0.000001)

    page = operates.send(ZIP, **ORDER, file=archive())

    assert page.status == 413
    assert "VCBENCH_UPLOAD_MAX_GB" in page.text(".note-error[role=alert]")
    assert left(data) == []


def test_an_upload_without_its_token_leaves_nothing(
    operates: Browser, data: Path
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operates.cookies

    answer = strict.post(ZIP, {**ORDER, "file": archive()})

    assert answer.status_code == 403
    assert left(data) == []
    assert not Run.objects.exists()


@pytest.mark.parametrize("address", [PATH, URL, "/runs/new/"])
def test_no_source_is_free_of_the_token(operates: Browser, address: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operates.cookies

    assert strict.post(address, ORDER).status_code == 403


def test_an_upload_in_parts_outlives_a_database_that_is_away(
    operates: Browser, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_named: object) -> None:
        raise OperationalError("server closed the connection")

    upload = in_parts(operates, archive().read())
    with monkeypatch.context() as patched:
        patched.setattr(lifecycle, "create", away)
        with pytest.raises(OperationalError):
            operates.send(ZIP, **ORDER, upload=upload)
    assert [path.name for path in left(data)] == ["parts"]
    operates.send(ZIP, **ORDER, upload=upload)
    assert (data / Run.objects.get().location["archive"]).exists()
    assert uploads.in_parts().all() == []


def test_an_archive_with_the_form_is_not_kept_when_the_database_is_away(
    operates: Browser, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_named: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(lifecycle, "create", away)
    with pytest.raises(OperationalError):
        operates.send(ZIP, **ORDER, file=archive())
    assert left(data) == []


def test_an_upload_in_parts_that_is_not_whole(
    operates: Browser, operator: User, data: Path
) -> None:
    upload = uploads.in_parts().create("calls.zip", 10, owner=str(operator.pk))
    page = operates.send(ZIP, **ORDER, upload=upload.id)
    assert page.status == 422
    assert "0 of 10 bytes" in page.text("#id_file_error")


def test_viewers_upload_nothing(looks: Browser, data: Path) -> None:
    assert looks.send(ZIP, **ORDER, file=archive()).status == 403
    assert not (data / "uploads").exists()


def test_a_path(operates: Browser, data: Path, configure: Configure) -> None:
    configure(path_roots=[data])
    folder = data / "calls"
    folder.mkdir()

    operates.send(PATH, **ORDER, path=str(folder))

    run = Run.objects.get()
    assert (run.source, run.location) == (Source.PATH, {"path": str(folder)})


def test_paths_that_are_refused(
    operates: Browser, data: Path, configure: Configure
) -> None:
    (data / "inside").mkdir()
    (data / "inside" / "way-out").symlink_to("/etc")
    configure(path_roots=[data / "inside"])
    for path, words in {
        "inside": "beginning with a slash",
        "/etc/passwd": "outside the allowed folders",
        f"{data}/inside/../x": "outside the allowed folders",
        f"{data}/inside/way-out/passwd": "outside the allowed folders",
        f"{data}/inside/none": "is not there",
    }.items():
        page = operates.send(PATH, **ORDER, path=path)

        assert page.status == 422
        assert words in page.text("#id_path_error"), path
    assert not Run.objects.exists()


def test_paths_may_be_switched_off(operates: Browser, configure: Configure) -> None:
    configure(path_roots=[])

    page = operates.send(PATH, **ORDER, path="/data")

    assert "VCBENCH_PATH_ROOTS" in page.text("#id_path_error")


def test_addresses(operates: Browser, configure: Configure) -> None:
    configure(url_hosts=["lab.example"])
    urls = ["https://lab.example/a.vcf.gz", "https://lab.example/b.csv"]

    operates.send(URL, **ORDER, urls="\n".join(urls))

    run = Run.objects.get()
    assert (run.source, run.location) == (Source.URL, {"urls": urls})


def test_every_address_that_is_refused_is_named(
    operates: Browser, configure: Configure
) -> None:
    configure(url_hosts=["lab.example"])

    page = operates.send(
        URL,
        **ORDER,
        urls="https://evil.example/a ftp://lab.example/b https://me:pw@lab.example/c",
    )

    first, second, third = page.texts("#id_urls_error .fault")
    assert "evil.example is not among the allowed hosts" in first
    assert "no http or https address" in second
    assert "user name or password" in third
    assert not Run.objects.exists()


def test_addresses_may_be_switched_off(operates: Browser, configure: Configure) -> None:
    configure(url_hosts=[])

    page = operates.send(URL, **ORDER, urls="https://lab.example/a")

    assert "VCBENCH_URL_HOSTS" in page.text("#id_urls_error")


def alignment(folder: Path) -> Path:
    """A BAM with its index, as far as its names say."""
    bam = folder / "reads.bam"
    for path in (bam, folder / "reads.bam.bai"):
        path.touch()
    return bam


@pytest.mark.parametrize("address", [ZIP, PATH, URL])
def test_reads_to_be_shown(
    operates: Browser, data: Path, configure: Configure, address: str
) -> None:
    configure(path_roots=[data], url_hosts=["lab.example"])
    bam = alignment(data)
    where: dict[str, dict[str, Any]] = {
        ZIP: {"file": archive()},
        PATH: {"path": str(data)},
        URL: {"urls": "https://lab.example/a.vcf.gz"},
    }

    operates.send(address, **ORDER, **where[address], reads=f" {bam} ")

    assert Run.objects.get().options == {"reads": str(bam)}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/etc/passwd", "outside the allowed folders"),
        ("reads.bam", "beginning with a slash"),
        ("{data}/none.bam", "is not there"),
        ("{data}/reads.bam.bai", "is no BAM or CRAM file"),
        ("{data}/bare.bam", "has no index beside it"),
    ],
)
def test_reads_that_cannot_be_shown_are_refused(
    operates: Browser, data: Path, configure: Configure, path: str, said: str
) -> None:
    configure(path_roots=[data])
    alignment(data)
    (data / "bare.bam").touch()

    page = operates.send(PATH, **ORDER, path=str(data), reads=path.format(data=data))

    assert page.status == 422
    assert said in page.text("#id_reads_error")
    assert page.has("details[open] #id_reads")
    assert not Run.objects.exists()


def in_parts(operates: Browser, content: bytes) -> str:
    """Send an archive by the REST interface; returns the upload's id."""
    begun = operates.post(
        "/api/v1/upload/parts",
        {"name": "calls.zip", "size": len(content)},
        content_type="application/json",
    ).json()
    operates.patch(
        f"/api/v1/upload/parts/{begun['upload']}?offset=0",
        content,
        content_type="application/octet-stream",
    )
    return str(begun["upload"])


def test_an_archive_that_came_in_parts(operates: Browser, data: Path) -> None:
    upload = in_parts(operates, archive().read())

    operates.send(ZIP, **ORDER, upload=upload)

    run = Run.objects.get()
    assert zipfile.ZipFile(data / run.location["archive"]).namelist() == [
        "NA24385.sv.vcf.gz"
    ]


def test_an_upload_outlives_a_fault_of_the_form(operates: Browser, data: Path) -> None:
    upload = in_parts(operates, archive().read())

    page = operates.send(ZIP, **{**ORDER, "sample_id": ""}, upload=upload)

    assert page.status == 422
    assert page.one("input[name=upload]").attributes["value"] == upload
    assert page.text("form .note-success p").startswith("calls.zip (")
    operates.send(ZIP, **ORDER, upload=upload)
    assert Run.objects.exists()


def test_parts_that_make_no_zip(operates: Browser, data: Path) -> None:
    upload = in_parts(operates, b"no archive")

    page = operates.send(ZIP, **ORDER, upload=upload)

    assert "no ZIP archive" in page.text("#id_file_error")
    assert [path.name for path in left(data)] == ["parts"]
    assert not Run.objects.exists()


def test_the_upload_of_another_person_is_unknown(
    operates: Browser, operator: User, data: Path
) -> None:
    upload = in_parts(operates, archive().read())
    thief = User.objects.create_user("theo")
    thief.groups.set(operator.groups.all())
    browser = Browser()
    browser.force_login(thief)

    page = browser.send(ZIP, **ORDER, upload=upload)

    assert page.has("#id_file_error")
    assert not page.has("form .note-success")
    assert not Run.objects.exists()
