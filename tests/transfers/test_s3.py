"""S3 by moto's server over real HTTP: what is listed, chosen, fetched and explained."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from runs.transfers.base import RemoteFile, TransferError
from runs.transfers.fetch import Job, fetch, fetch_all
from runs.transfers.layout import Layout, Segment
from runs.transfers.s3 import S3Settings, S3Store
from runs.transfers.s3_errors import explain_code
from tests.transfers.conftest import QUICK, gz, md5, noise, sha256
from tests.transfers.servers import Fault, Handler, Site, serving

BUCKET = "lab"
FOLDER = "vcfs/NA24143_Lib3_Rep1/vcf/dragen/{}/varcaller/"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an empty bucket; the account's own configuration is out of sight."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def settings(endpoint: str) -> S3Settings:
    return S3Settings(
        bucket=BUCKET,
        prefix="vcfs",
        endpoint_url=endpoint,
        region="us-east-1",
        access_key_id="key",
        secret_access_key="secret",
    )


def put(s3: Any, key: str, body: bytes = b"x", **more: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def test_finds_the_folders_of_a_sample(s3: Any, settings: S3Settings) -> None:
    for run in ("a1", "b2"):
        put(s3, FOLDER.format(run) + f"{run}.hard-filtered.vcf.gz")
        put(s3, FOLDER.format(run) + "deeper/other.txt")
    put(s3, "vcfs/NA24143_Lib3_Rep10/vcf/dragen/c3/varcaller/x.vcf.gz")
    put(s3, "vcfs/NA24143_Lib3_Rep1/vcf/other/d4/varcaller/x.vcf.gz")
    folders = S3Store(settings).sample_folders("NA24143_Lib3_Rep1")
    assert sorted(folder.id for folder in folders) == ["a1", "b2"]
    newest = next(folder for folder in folders if folder.id == "a1")
    assert newest.address == f"s3://lab/{FOLDER.format('a1')}"
    assert [(f.name, f.size) for f in newest.files] == [("a1.hard-filtered.vcf.gz", 1)]
    assert newest.size == 1


def test_lists_every_sample_of_a_prefix_over_several_pages(
    s3: Any, settings: S3Settings
) -> None:
    for n in range(3):
        put(s3, f"vcfs/S{n}/vcf/dragen/1/varcaller/x.csv")
    put(s3, "vcfs/.hidden/vcf/dragen/1/varcaller/x.csv")
    put(s3, "other/S9/vcf/dragen/1/varcaller/x.csv")
    assert S3Store(settings).samples() == ["S0", "S1", "S2"]


def test_an_unknown_sample_has_no_folder(s3: Any, settings: S3Settings) -> None:
    put(s3, "vcfs/S1/vcf/dragen/1/varcaller/x.csv")
    assert S3Store(settings).sample_folders("S2") == []


@pytest.mark.parametrize(
    ("layout", "key", "expected"),
    [
        ("{prefix}/{sample_id}/{file}", "vcfs/S1/a.vcf.gz", ""),
        ("{prefix}/run_{id}/{sample_id}/{file}", "vcfs/run_7/S1/a.vcf.gz", "7"),
        ("{prefix}/{sample_id}.{file}", "vcfs/S1.vcf.gz", ""),
        ("results/{sample_id}-{id}/{file}", "vcfs/results/S1-x/a.vcf.gz", "x"),
    ],
)
def test_other_layouts(
    s3: Any, settings: S3Settings, layout: str, key: str, expected: str
) -> None:
    put(s3, key)
    put(s3, "vcfs/unrelated")
    store = S3Store(replace(settings, layout=layout))
    assert [folder.id for folder in store.sample_folders("S1")] == [expected]
    assert store.samples() == ["S1"]


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("{prefix}/{file}", "sample_id} is missing"),
        ("{prefix}/{sample}/{file}", "{sample} is unknown"),
        ("{prefix}/{sample_id}/x", "{file} must stand once"),
        ("a/{prefix}/{sample_id}/{file}", "at the beginning"),
        ("{prefix}/{sample_id}/{file", "expected '}'"),
    ],
)
def test_bad_layouts_are_explained(layout: str, words: str) -> None:
    with pytest.raises(TransferError, match=r"The layout .* is not valid") as caught:
        Layout.parse(layout)
    assert words in caught.value.sentence


def test_a_placeholder_that_stands_twice_must_read_the_same() -> None:
    segment = Segment("{id}_{id}")
    assert segment.read("7_7", {}) == {"id": "7"}
    assert segment.read("7_8", {}) is None


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "-x", "a..b", "x" * 200])
def test_sample_ids_that_are_none(s3: Any, settings: S3Settings, name: str) -> None:
    with pytest.raises(TransferError, match="not a sample id"):
        S3Store(settings).sample_folders(name)


def test_fetches_a_sample_verified_by_etag(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    bodies = {f"{n}.vcf.gz": gz(300_000, n) for n in range(3)}
    for name, body in bodies.items():
        put(s3, FOLDER.format(1) + name, body)
    store = S3Store(replace(settings, when_required=True))
    files = store.sample_folders("NA24143_Lib3_Rep1")[0].files
    jobs = [Job(file, tmp_path / file.name) for file in files]
    got = fetch_all(store, jobs, limits=QUICK)
    assert {f.path.name: f.path.read_bytes() for f in got} == bodies
    assert {f.verified_by for f in got} == {"etag"}


def test_checksum_headers_are_stronger_than_the_etag(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    put(s3, "a.csv", b"body", ChecksumAlgorithm="SHA256")
    remote = RemoteFile("a.csv", 4, address="a.csv")
    got = fetch(S3Store(settings), remote, tmp_path / "a")
    assert got.verified_by == "checksum-header"
    assert got.sha256 == sha256(b"body")


CHECK = b"123456789"
CHECK_CRC64NVME = "rosUhgp5mIg="
"""The check value of CRC-64/NVME in its published parameters, AE8B14860A799888."""


def test_what_s3_keeps_of_each_new_object_is_proof_and_record(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    put(s3, "a.csv", CHECK, ChecksumAlgorithm="CRC64NVME")
    remote = RemoteFile("a.csv", len(CHECK), address="a.csv")
    got = fetch(S3Store(settings), remote, tmp_path / "a")
    assert got.verified_by == "checksum-header"
    assert (got.crc64nvme, got.sha256, got.md5) == (CHECK_CRC64NVME, None, None)
    wanting = replace(QUICK, with_sha256=True)
    got = fetch(S3Store(settings), remote, tmp_path / "b", limits=wanting)
    assert (got.crc64nvme, got.sha256) == (CHECK_CRC64NVME, sha256(CHECK))


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1"])
def test_beside_a_shorter_checksum_sha256_is_recorded(
    s3: Any, settings: S3Settings, tmp_path: Path, algorithm: str
) -> None:
    put(s3, "a.csv", CHECK, ChecksumAlgorithm=algorithm)
    remote = RemoteFile("a.csv", len(CHECK), address="a.csv")
    got = fetch(S3Store(settings), remote, tmp_path / "a")
    assert got.verified_by == "checksum-header"
    assert (got.crc64nvme, got.sha256) == (None, sha256(CHECK))


def test_an_object_that_its_crc64nvme_denies(
    s3: Any,
    settings: S3Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    put(s3, "a.csv", CHECK, ChecksumAlgorithm="CRC64NVME")
    probe = S3Store.probe

    def another(store: S3Store, remote: RemoteFile) -> RemoteFile:
        return replace(probe(store, remote), checksums={"crc64nvme": "AAAAAAAAAAA="})

    monkeypatch.setattr(S3Store, "probe", another)
    remote = RemoteFile("a.csv", len(CHECK), address="a.csv")
    with pytest.raises(TransferError, match="x-amz-checksum-crc64nvme should be AAAA"):
        fetch(S3Store(settings), remote, tmp_path / "a", limits=QUICK)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1"])
def test_a_known_md5_is_checked_beside_the_header(
    s3: Any, settings: S3Settings, tmp_path: Path, algorithm: str
) -> None:
    put(s3, "a.csv", b"body", ChecksumAlgorithm=algorithm)
    store = S3Store(settings)
    remote = RemoteFile("a.csv", 4, address="a.csv", md5=md5(b"body"))
    assert store.probe(remote).checksums.keys() == {algorithm.lower()}
    assert fetch(store, remote, tmp_path / "a").verified_by == "md5"
    with pytest.raises(TransferError, match="md5 should be 0"):
        fetch(store, replace(remote, md5="0" * 32), tmp_path / "b", limits=QUICK)


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys that the store was asked about one by one."""
    asked: list[str] = []
    probe = S3Store.probe

    def counted(store: S3Store, remote: RemoteFile) -> RemoteFile:
        asked.append(remote.address)
        return probe(store, remote)

    monkeypatch.setattr(S3Store, "probe", counted)
    return asked


def listed(s3: Any, settings: S3Settings, body: bytes) -> tuple[S3Store, RemoteFile]:
    put(s3, "vcfs/a.vcf.gz", body)
    store = S3Store(settings)
    [found] = store.objects("vcfs/")
    return store, found


def test_what_a_listing_said_is_not_asked_again_where_a_checksum_is_known(
    s3: Any, settings: S3Settings, probes: list[str], tmp_path: Path
) -> None:
    body = gz(600_000)
    store, found = listed(s3, settings, body)
    known = replace(found, md5=md5(body))
    got = fetch(store, known, tmp_path / "a.vcf.gz", limits=QUICK)
    assert (got.verified_by, probes) == ("md5", [])
    fetch(store, found, tmp_path / "b.vcf.gz", limits=QUICK)
    assert probes == [found.address]


def test_what_changed_since_it_was_listed_is_asked_about(
    s3: Any, settings: S3Settings, probes: list[str], tmp_path: Path
) -> None:
    store, found = listed(s3, settings, gz(600_000))
    body = gz(500_000, seed=8)
    put(s3, found.address, body)
    target = tmp_path / "a.vcf.gz"
    got = fetch(store, replace(found, sha256=sha256(body)), target, limits=QUICK)
    assert (got.size, target.read_bytes()) == (len(body), body)
    assert probes == [found.address]


def test_what_changed_into_something_else_is_not_kept(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    body = gz(600_000)
    store, found = listed(s3, settings, body)
    put(s3, found.address, gz(600_000, seed=8))
    with pytest.raises(TransferError, match="did not arrive as it was sent"):
        fetch(store, replace(found, md5=md5(body)), tmp_path / "a", limits=QUICK)
    assert not (tmp_path / "a").exists()


def test_what_was_removed_since_it_was_listed(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    body = gz()
    store, found = listed(s3, settings, body)
    s3.delete_object(Bucket=BUCKET, Key=found.address)
    with pytest.raises(TransferError, match=r"a\.vcf\.gz does not exist"):
        fetch(store, replace(found, md5=md5(body)), tmp_path / "a", limits=QUICK)


def test_multipart_objects_are_verified_by_their_parts(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    body = noise(11 << 20)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    parts = []
    for number, at in enumerate(range(0, len(body), 5 << 20), 1):
        etag = s3.upload_part(
            Bucket=BUCKET,
            Key="big",
            UploadId=upload,
            PartNumber=number,
            Body=body[at : at + (5 << 20)],
        )["ETag"]
        parts.append({"ETag": etag, "PartNumber": number})
    s3.complete_multipart_upload(
        Bucket=BUCKET, Key="big", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    store = S3Store(replace(settings, when_required=True))
    found = store.probe(RemoteFile("big", None, address="big"))
    assert found.etag.strip('"').endswith("-3")
    got = fetch(store, RemoteFile("big", None, address="big"), tmp_path / "big")
    assert got.path.read_bytes() == body
    assert found.part_size == 5 << 20
    assert got.verified_by == "etag"


def test_an_encrypted_object_has_no_md5_in_its_etag(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    put(s3, "k.csv", b"body", ServerSideEncryption="aws:kms")
    store = S3Store(replace(settings, when_required=True))
    assert not store.probe(RemoteFile("k.csv", 4, address="k.csv")).etag_is_md5


def test_names_and_keys_with_odd_characters(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    key = "vcfs/Ünï code/a+b&c=d %41#.csv"
    put(s3, key, b"body")
    store = S3Store(settings)
    [file] = store.objects("vcfs/")
    assert file.address == key
    got = fetch(store, file, tmp_path / "x", limits=QUICK)
    assert got.sha256 == sha256(b"body")


# -- faults, each in words -------------------------------------------------------------


def refuse_checksums(request: Handler, _data: bytes) -> bool:
    """A store that does not know what it is asked for."""
    refused = "x-amz-checksum-mode" in request.headers
    if refused:
        request.answer(501, b"")
    return refused


def test_a_store_that_refuses_to_be_asked_for_checksums(
    settings: S3Settings, tmp_path: Path
) -> None:
    path = f"/{BUCKET}/a.csv"
    site = Site({path: CHECK}, {path: refuse_checksums}, etags=False)
    remote = RemoteFile("a.csv", len(CHECK), address="a.csv")
    with serving(site) as url:
        here = replace(settings, endpoint_url=url)
        with pytest.raises(TransferError, match="set them to when_required") as told:
            fetch(S3Store(here), remote, tmp_path / "a", limits=QUICK)
        assert not told.value.transient
        got = fetch(S3Store(replace(here, when_required=True)), remote, tmp_path / "a")
    assert (got.verified_by, got.sha256) == ("size", sha256(CHECK))


def broken_refusal(code: int, *, stalls: bool) -> Fault:
    """An error answer whose document does not come to its end."""

    def refuse(request: Handler, _data: bytes) -> bool:
        if request.command != "GET":
            return False
        request.close_connection = True
        request.send_response(code)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.push(b"<Error><Code>")
        if stalls:
            request.connection.recv(1)  # until the client has had enough
        return True

    return refuse


@pytest.mark.parametrize("stalls", [False, True])
@pytest.mark.parametrize(
    ("code", "words", "transient"),
    [(403, "is denied", False), (500, "status 500", True)],
)
def test_a_refusal_that_breaks_off_is_told_by_its_status(
    settings: S3Settings,
    tmp_path: Path,
    code: int,
    words: str,
    transient: bool,
    stalls: bool,
) -> None:
    path = f"/{BUCKET}/a.csv"
    site = Site({path: CHECK}, {path: broken_refusal(code, stalls=stalls)})
    remote = RemoteFile("a.csv", len(CHECK), address="a.csv")
    limits = replace(QUICK, read_timeout=0.2, attempts=2)
    with serving(site) as url:
        store = S3Store(replace(settings, endpoint_url=url))
        with pytest.raises(TransferError, match=words) as told:
            fetch(store, remote, tmp_path / "a", limits=limits)
    assert told.value.transient is transient


def test_missing_bucket_and_key(s3: Any, settings: S3Settings, tmp_path: Path) -> None:
    with pytest.raises(
        TransferError, match="bucket of s3://nobody/vcfs does not exist"
    ):
        S3Store(replace(settings, bucket="nobody")).check()
    with pytest.raises(TransferError, match="s3://lab/no does not exist") as caught:
        fetch(S3Store(settings), RemoteFile("no", 1, address="no"), tmp_path / "no")
    assert not caught.value.transient


def test_no_credentials(s3: Any, settings: S3Settings) -> None:
    bare = replace(settings, access_key_id=None, secret_access_key=None)
    with pytest.raises(TransferError, match="no credentials for s3://lab/vcfs"):
        S3Store(bare).check()


def test_anonymous_needs_none(s3: Any, settings: S3Settings, tmp_path: Path) -> None:
    put(s3, "a.csv", b"body", ACL="public-read")
    bare = replace(
        settings, access_key_id=None, secret_access_key=None, anonymous=True, prefix=""
    )
    store = S3Store(bare)
    got = fetch(store, RemoteFile("a.csv", 4, address="a.csv"), tmp_path / "a")
    assert got.size == 4


def test_unknown_profile(s3: Any, settings: S3Settings) -> None:
    with pytest.raises(TransferError, match=r"profile \(nobody\).*S3 settings"):
        S3Store(replace(settings, profile="nobody"))


def test_unreachable_endpoint(s3: Any, settings: S3Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = S3Store(
        replace(settings, endpoint_url=f"http://127.0.0.1:{port}"),
        replace(QUICK, connect_timeout=0.5),
    )
    with pytest.raises(TransferError, match=r"endpoint .* cannot be reached") as caught:
        store.check()
    assert caught.value.transient


def test_endpoint_without_tls(s3: Any, settings: S3Settings) -> None:
    endpoint = (settings.endpoint_url or "").replace("http:", "https:")
    with pytest.raises(TransferError, match=r"not trusted, or it does not\s+speak TLS"):
        S3Store(replace(settings, endpoint_url=endpoint)).check()


@pytest.mark.parametrize("url", ["not a url", "ftp://x", ""])
def test_endpoint_that_is_no_address(settings: S3Settings, url: str) -> None:
    with pytest.raises(TransferError):
        S3Store(replace(settings, endpoint_url=url or "http://"), QUICK).check()


@pytest.mark.parametrize(
    ("code", "status", "words", "transient"),
    [
        ("AccessDenied", 403, "s3:ListBucket", False),
        ("InvalidAccessKeyId", 403, "refuses the credentials", False),
        ("SignatureDoesNotMatch", 403, "refuses the credentials", False),
        ("ExpiredToken", 400, "have expired", False),
        ("RequestTimeTooSkewed", 403, "clock of this machine", False),
        ("PermanentRedirect", 301, "another region", False),
        ("AuthorizationHeaderMalformed", 400, "eu-west-3", False),
        ("InvalidObjectState", 403, "Glacier", False),
        ("SlowDown", 503, "is busy", True),
        ("InternalError", 500, "fault of the store", True),
        ("SomethingNew", 500, "SomethingNew", True),
        ("SomethingNew", 400, "SomethingNew", False),
    ],
)
def test_codes_in_words(code: str, status: int, words: str, transient: bool) -> None:
    fault = explain_code(code, status, "s3://lab/x", region="eu-west-3")
    assert words in fault.sentence
    assert "s3://lab/x" in fault.sentence
    assert fault.transient is transient


def test_settings_show_no_secret(settings: S3Settings) -> None:
    assert "secret" not in repr(settings).replace("secret_access", "")
    assert "key" not in repr(settings)


def test_no_thread_outlives_a_fetch(
    s3: Any, settings: S3Settings, tmp_path: Path
) -> None:
    put(s3, "a.csv", b"body")
    before = {t.name for t in threading.enumerate()}
    fetch(S3Store(settings), RemoteFile("a.csv", 4, address="a.csv"), tmp_path / "a")
    after = {
        t.name for t in threading.enumerate() if t.name.startswith(("file", "range"))
    }
    assert after <= before


def test_connections_are_kept_between_ranges(
    site: Site, url: str, tmp_path: Path
) -> None:
    data = site.files["/lab/a.bin"] = noise(3_000_000)
    store = S3Store(S3Settings("lab", endpoint_url=url, anonymous=True))
    remote = RemoteFile("a.bin", None, address="a.bin")
    fetch(store, remote, tmp_path / "a.bin", limits=QUICK)
    assert (tmp_path / "a.bin").read_bytes() == data
    assert site.gets("/lab/a.bin") == 12
    assert site.connections <= 4 + 1  # boto3 has one of its own
