from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runs.models import Run, Status
from tests.api.conftest import Api
from tests.builders import make_run

BODY = {"sample_id": "NA24143_Lib3_Rep1", "stages": ["happy", "csv"]}


@pytest.fixture(autouse=True)
def bucket(configure: Callable[..., None]) -> None:
    configure(s3_bucket="lab")


@pytest.mark.django_db(transaction=True)
def test_an_import_is_queued_once_committed(
    operates: Api, sent: list[tuple[str, int, int]]
) -> None:
    answer = operates.ask(
        "POST", "upload/aws", {**BODY, "id": "0_1", "priority": "high"}
    )
    run = Run.objects.get()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/runs/{run.uuid}"
    assert answer.json()["run"] == str(run.uuid)
    assert answer.json()["joined"] is False
    assert [stage["name"] for stage in answer.json()["stages"]] == [
        "download",
        "reference",
        "happy",
        "csv",
    ]
    assert (run.location, run.created_by_id) == ({"id": "0_1"}, run.created_by_id)
    assert run.created_by is not None
    assert run.created_by.username == "operator"
    assert sent == [("high", run.pk, 1)]


def test_stratified_is_an_option_of_happy(operates: Api) -> None:
    body = {**BODY, "stages": ["stratified"], "engine": "vcfeval", "build": "GRCh38"}
    answer = operates.ask("POST", "upload/aws", body).json()
    assert "happy" in [stage["name"] for stage in answer["stages"]]
    assert answer["options"] == {
        "stratified": True,
        "engine": "vcfeval",
        "build": "GRCh38",
    }


def test_without_automatic_processing_the_files_are_fetched_only(operates: Api) -> None:
    answer = operates.ask("POST", "upload/aws", {**BODY, "auto_process": False})
    assert [stage["name"] for stage in answer.json()["stages"]] == ["download"]


def test_a_second_import_joins_the_first(operates: Api) -> None:
    first = operates.ask("POST", "upload/aws", BODY)
    second = operates.ask("POST", "upload/aws", BODY)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["joined"] is True
    assert second.json()["run"] == first.json()["run"]


def test_a_second_import_queues_behind_the_first_by_choice(operates: Api) -> None:
    first = operates.ask("POST", "upload/aws", BODY)
    second = operates.ask("POST", "upload/aws", {**BODY, "if_active": "queue"})
    assert second.status_code == 201
    assert second.json()["run"] != first.json()["run"]


def test_viewers_may_not_import(looks: Api) -> None:
    answer = looks.ask("POST", "upload/aws", BODY)
    assert answer.status_code == 403
    assert "runs.operate_run" in answer.json()["error"]["message"]
    assert not Run.objects.exists()


def test_an_import_is_posted(operates: Api) -> None:
    answer = operates.ask("GET", "upload/aws")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


def test_every_fault_of_a_body_is_told(operates: Api) -> None:
    body = {
        "sample_id": "../etc",
        "stages": ["happy", "hapy"],
        "engine": "gatk",
        "preset": "strict",
        "stagse": 1,
    }
    answer = operates.ask("POST", "upload/aws", body)
    fields = answer.json()["error"]["fields"]
    assert answer.status_code == 400
    assert set(fields) == {"sample_id", "stages.1", "engine", "preset", "stagse"}
    assert "begins with a letter" in fields["sample_id"][0]
    assert "There are default" in fields["preset"][0]
    assert "Those known are: engine" in fields["stagse"][0]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"sample_id=a", "text/plain", 415),
        (b"", "application/json", 400),
    ],
)
def test_a_body_that_is_no_json_object(
    operates: Api, content: bytes, kind: str, status: int
) -> None:
    answer = operates.generic("POST", "/api/v1/upload/aws", content, kind)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_a_body_that_is_too_large(operates: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = operates.ask("POST", "upload/aws", {**BODY, "note": "x" * 200})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_without_a_bucket_the_setting_is_named(
    operates: Api, configure: Callable[..., None]
) -> None:
    configure(s3_bucket="")
    answer = operates.ask("POST", "upload/aws", BODY)
    assert answer.status_code == 409
    assert "VCBENCH_S3_BUCKET" in answer.json()["error"]["message"]


def test_an_ended_run_is_not_joined(operates: Api) -> None:
    make_run(status=Status.COMPLETED)
    assert operates.ask("POST", "upload/aws", BODY).status_code == 201
