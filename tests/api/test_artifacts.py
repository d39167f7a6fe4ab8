from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.test import AsyncClient
from django.utils import timezone

from runs.models import ApiToken, Artifact, Run
from tests.api.conftest import Api
from tests.builders import make_run

CONTENT = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


@pytest.fixture
def run(data_dir: Path, db: None) -> Run:
    return make_run()


def make_artifact(run: Run, name: str = "happy/x.vcf.gz", **fields: Any) -> Artifact:
    path = fields.setdefault("path", f"runs/{run.uuid}/{name}")
    artifact = Artifact(run=run, name=name, role="result", stage="happy", size=SIZE)
    artifact.path, artifact.sha256 = path, fields.pop("sha256", DIGEST)
    artifact.removed_at = fields.pop("removed_at", None)
    artifact.save()
    artifact.file.parent.mkdir(parents=True, exist_ok=True)
    artifact.file.write_bytes(CONTENT)
    return artifact


def ask(client: Api, run: Run, name: str = "happy/x.vcf.gz", **headers: str) -> Any:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return client.ask("GET", f"runs/{run.uuid}/artifacts/{name}", headers=named)


def test_a_whole_file(looks: Api, run: Run) -> None:
    make_artifact(run)
    answer = ask(looks, run)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == CONTENT
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="x.vcf.gz"'


def test_a_file_known_by_the_checksum_of_its_store(looks: Api, run: Run) -> None:
    artifact = make_artifact(run, sha256="")
    artifact.crc64nvme = "rosUhgp5mIg="
    artifact.save()
    answer = ask(looks, run)
    assert answer.headers["ETag"] == '"rosUhgp5mIg="'
    told = looks.ask("GET", f"runs/{run.uuid}").json()["artifacts"][0]
    assert (told["sha256"], told["crc64nvme"]) == ("", "rosUhgp5mIg=")


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=-5", SIZE - 5, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=10-{SIZE * 2}", 10, SIZE),
        ("bytes=262140-524300", 262140, 524301),
    ],
)
def test_one_range(looks: Api, run: Run, asked: str, first: int, end: int) -> None:
    make_artifact(run)
    answer = ask(looks, run, range=asked)
    assert answer.status_code == 206
    assert b"".join(answer.streaming_content) == CONTENT[first:end]
    assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}"
    assert answer.headers["Content-Length"] == str(end - first)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=-", "bytes=a-b"]
)
def test_what_is_no_single_range_brings_the_whole(
    looks: Api, run: Run, asked: str
) -> None:
    make_artifact(run)
    answer = ask(looks, run, range=asked)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0"])
def test_a_range_beyond_the_end(looks: Api, run: Run, asked: str) -> None:
    make_artifact(run)
    answer = ask(looks, run, range=asked)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert answer.json()["error"]["code"] == "range_not_satisfiable"


def test_what_the_client_has_is_not_sent_again(looks: Api, run: Run) -> None:
    make_artifact(run)
    answer = ask(looks, run, if_none_match=f'"{DIGEST}"', range="bytes=0-1")
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert ask(looks, run, if_none_match='"other"').status_code == 200
    assert ask(looks, run, if_match='"other"').json()["error"]["code"] == "changed"


def test_a_part_of_another_file_brings_the_whole(looks: Api, run: Run) -> None:
    make_artifact(run)
    same = ask(looks, run, range="bytes=0-1", if_range=f'"{DIGEST}"')
    other = ask(looks, run, range="bytes=0-1", if_range='"other"')
    assert (same.status_code, other.status_code) == (206, 200)


def test_only_the_head(looks: Api, run: Run) -> None:
    make_artifact(run)
    answer = looks.ask("HEAD", f"runs/{run.uuid}/artifacts/happy/x.vcf.gz")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(SIZE)


def test_files_that_are_not_there(looks: Api, run: Run) -> None:
    make_artifact(run, "gone").file.unlink()
    make_artifact(run, "removed", removed_at=timezone.now())
    for name, words in {
        "gone": "not on this server",
        "removed": "was removed on",
        "other": "has no file",
        "../x": "nothing at",
    }.items():
        answer = ask(looks, run, name)
        assert answer.status_code == 404, name
        assert words in answer.json()["error"]["message"] or name == "../x"


def test_files_outside_are_never_read(
    looks: Api, run: Run, tmp_path: Path, configure: Callable[..., None]
) -> None:
    outside = tmp_path / "lab" / "secret"
    make_artifact(run, "a", path=str(outside))
    link = make_artifact(run, "b")
    link.file.unlink()
    link.file.symlink_to(outside)
    assert ask(looks, run, "a").status_code == 404
    assert ask(looks, run, "b").status_code == 404
    configure(data_dir=tmp_path / "data", path_roots=[tmp_path / "lab"])
    assert ask(looks, run, "a").status_code == 200


def test_files_need_a_role_and_get(looks: Api, not_allowed: Api, run: Run) -> None:
    make_artifact(run)
    assert ask(not_allowed, run).status_code == 403
    answer = looks.ask("DELETE", f"runs/{run.uuid}/artifacts/happy/x.vcf.gz")
    assert answer.status_code == 405


@pytest.mark.django_db(transaction=True)
async def test_daphne_gets_a_piece_at_a_time(run: Run, viewer: User) -> None:
    await sync_to_async(make_artifact)(run)
    _token, key = await sync_to_async(ApiToken.issue)(viewer, "t")
    answer = await AsyncClient().get(
        f"/api/v1/runs/{run.uuid}/artifacts/happy/x.vcf.gz",
        headers={"authorization": f"Bearer {key}", "range": "bytes=1-600000"},
    )
    pieces = [piece async for piece in answer]  # type: ignore[attr-defined]
    assert b"".join(pieces) == CONTENT[1:600001]
    assert len(pieces) == 3
    await sync_to_async(connections.close_all)()  # those of the view's thread
