from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.models import Run, StageName, Status
from tests.api.conftest import Api
from tests.builders import make_run, make_sample


def test_a_run_is_shown_with_its_stages_and_files(looks: Api) -> None:
    run = make_run(StageName.DOWNLOAD, StageName.CSV, bytes_done=10, bytes_total=40)
    run.artifacts.create(
        name="csv/qc.csv", role="result", stage="csv", path="x", size=3
    )
    answer = looks.ask("GET", f"runs/{run.uuid}")
    shown = answer.json()
    assert answer.status_code == 200
    assert (shown["run"], shown["status"]) == (str(run.uuid), "pending")
    assert [stage["name"] for stage in shown["stages"]] == ["download", "csv"]
    [file] = shown["artifacts"]
    assert file["link"] == f"/api/v1/runs/{run.uuid}/artifacts/csv/qc.csv"


def test_unknown_runs(looks: Api, operates: Api) -> None:
    unknown = uuid.uuid4()
    for path in ("", "/logs", "/logs.txt", "/metrics", "/artifacts/a/b"):
        answer = looks.ask("GET", f"runs/{unknown}{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            404,
            "not_found",
        ), path
    for path in ("cancel", "retry"):
        assert operates.ask("POST", f"runs/{unknown}/{path}").status_code == 404
    assert looks.ask("GET", "runs/17").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=running", ["b"]),
        ("status=pending,running", ["b", "a"]),
        ("status=pending&status=running", ["b", "a"]),
        ("sample=HG002_1", ["c"]),
        ("individual=HG004", ["b", "a"]),
        ("created_after=2026-01-02T00:00:00Z", ["c", "b"]),
        ("created_before=2026-01-02T00:00:00Z", ["a"]),
        ("", ["c", "b", "a"]),
    ],
)
def test_the_list_is_filtered(looks: Api, query: str, expected: list[str]) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    other = make_sample("HG002_1", individual="HG002")
    make_run(reason="a", created_at=start)
    make_run(reason="b", created_at=start + timedelta(days=1), status=Status.RUNNING)
    make_run(
        reason="c",
        created_at=start + timedelta(days=2),
        status=Status.ERROR,
        sample=other,
    )
    answer = looks.ask("GET", f"runs?{query}")
    assert [run["reason"] for run in answer.json()["items"]] == expected


def test_pages_follow_each_other_while_runs_are_added(looks: Api) -> None:
    now = timezone.now()
    for number in range(5):
        make_run(reason=str(number), created_at=now)
    seen, cursor = [], ""
    while cursor is not None:
        make_run(reason="new", created_at=now + timedelta(days=1))
        page = looks.ask("GET", f"runs?limit=2&cursor={cursor}").json()
        seen += [run["reason"] for run in page["items"] if run["reason"] != "new"]
        cursor = page["next"]
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status.0"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("sampel=x", "sampel"),
    ],
)
def test_filters_that_cannot_be_used(looks: Api, query: str, field: str) -> None:
    answer = looks.ask("GET", f"runs?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]


def test_the_list_costs_the_same_for_many_runs(
    looks: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(8):
        make_run(StageName.DOWNLOAD, StageName.CSV)
    looks.ask("GET", "runs")  # marks the token as used
    with django_assert_num_queries(5):  # token, 2 permissions, runs, stages
        looks.ask("GET", "runs")


def test_nobody_without_a_role_sees_runs(not_allowed: Api, anonymous: Api) -> None:
    run = make_run()
    for path in ("runs", f"runs/{run.uuid}", f"runs/{run.uuid}/logs"):
        assert not_allowed.ask("GET", path).status_code == 403
        assert anonymous.ask("GET", path).status_code == 401


@pytest.fixture
def root(tmp_path: Path, configure: Callable[..., None]) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    configure(path_roots=[folder], url_hosts=["data.example.org"], s3_bucket="lab")
    return folder


def test_a_run_from_a_server_path(operates: Api, root: Path) -> None:
    (root / "calls.vcf.gz").touch()
    body = {"sample_id": "a", "source": "path", "path": f"{root}/calls.vcf.gz"}
    answer = operates.ask("POST", "runs", body)
    assert answer.status_code == 201
    assert Run.objects.get().location == {"path": f"{root}/calls.vcf.gz"}


def test_a_run_from_urls(operates: Api, root: Path) -> None:
    url = "https://data.example.org/a.vcf.gz"
    body = {"sample_id": "a", "source": "url", "url": [url]}
    assert operates.ask("POST", "runs", body).status_code == 201
    assert Run.objects.get().location == {"urls": [url]}


def test_a_run_from_s3(operates: Api, root: Path) -> None:
    body = {"sample_id": "a", "source": "s3", "id": "0_7"}
    assert operates.ask("POST", "runs", body).status_code == 201
    assert Run.objects.get().location == {"id": "0_7"}


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"source": "path", "path": "/etc/passwd"}, "path", "outside the allowed"),
        ({"source": "path", "path": "{root}/../x"}, "path", "outside the allowed"),
        ({"source": "path", "path": "{root}/none"}, "path", "not there"),
        ({"source": "path", "path": "calls"}, "path", "whole path"),
        ({"source": "path", "path": "{root}/" + "a" * 300}, "path", "not there"),
        ({"source": "path", "path": "{root}/loop"}, "path", "not there"),
        ({"source": "path"}, "path", "required with source path"),
        ({"source": "url", "url": "https://10.0.0.1/a"}, "url", "not among"),
        ({"source": "url", "url": "file:///etc/passwd"}, "url", "no http"),
        ({"source": "url", "url": "http://data.example.org/a"}, "url", "with https"),
        ({"source": "url", "url": "https://data.example.org:0/a"}, "url", "no http"),
        ({"source": "url", "url": "https://data.example.org/a/"}, "url", "name of a"),
        ({"source": "url", "url": "https://data.example.org/%2E%2E"}, "url", "name of"),
        ({"source": "url"}, "url", "required with source url"),
        ({"source": "s3", "url": "https://data.example.org/"}, "url", "belongs to"),
        ({"source": "ftp"}, "source", "Input should be"),
        ({}, "source", "required"),
    ],
)
def test_inputs_that_may_not_be_used(
    operates: Api, root: Path, body: dict[str, Any], field: str, words: str
) -> None:
    if "path" in body:
        body = {**body, "path": body["path"].format(root=root)}
    answer = operates.ask("POST", "runs", {"sample_id": "a", **body})
    assert answer.status_code == 400
    fields = answer.json()["error"]["fields"]
    assert list(fields) == [field]
    assert words in fields[field][0]
    assert not Run.objects.exists()


@pytest.mark.parametrize("path", ["runs", "upload/aws"])
def test_reads_to_be_shown_may_be_given(operates: Api, root: Path, path: str) -> None:
    for name in ("a.bam", "a.bai"):
        (root / name).touch()
    body = {"sample_id": "a", "reads": f"{root}/a.bam", "engine": "happy"}
    source = {"source": "s3"} if path == "runs" else {}
    answer = operates.ask("POST", path, {**body, **source})
    assert answer.status_code == 201
    options = {"reads": f"{root}/a.bam", "engine": "happy"}
    assert answer.json()["options"] == Run.objects.get().options == options


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("/etc/passwd", "outside the allowed"),
        ("a.bam", "whole path"),
        ("{root}/none.bam", "not there"),
        ("{root}/a.txt", "no BAM or CRAM"),
        ("{root}/bare.bam", "no index"),
        (7, "valid string"),
    ],
)
def test_reads_that_cannot_be_shown_are_refused(
    operates: Api, root: Path, given: Any, words: str
) -> None:
    for name in ("a.txt", "bare.bam"):
        (root / name).touch()
    reads = given.format(root=root) if isinstance(given, str) else given
    body = {"sample_id": "a", "source": "s3", "reads": reads}
    answer = operates.ask("POST", "runs", body)
    assert answer.status_code == 400
    fields = answer.json()["error"]["fields"]
    assert list(fields) == ["reads"]
    assert words in fields["reads"][0]
    assert not Run.objects.exists()


def test_reads_belong_to_one_sample(operates: Api, root: Path) -> None:
    body = {"starting_with": "a", "reads": f"{root}/a.bam"}
    answer = operates.ask("POST", "upload/prefix", body)
    assert list(answer.json()["error"]["fields"]) == ["reads"]


def test_viewers_may_not_create_runs(looks: Api) -> None:
    assert looks.ask("POST", "runs", {"sample_id": "a"}).status_code == 403


@pytest.mark.parametrize("action", ["cancel", "retry", "benchmarking"])
class TestControl:
    body = {"cancel": None, "retry": None, "benchmarking": {"stages": ["csv"]}}

    def test_works(
        self, operates: Api, action: str, sent: list[tuple[str, int, int]]
    ) -> None:
        before = Status.RUNNING if action == "cancel" else Status.ERROR
        run = make_run(StageName.DOWNLOAD, status=before)
        answer = operates.ask("POST", f"runs/{run.uuid}/{action}", self.body[action])
        run.refresh_from_db()
        assert answer.status_code == 202
        assert answer.json()["run"] == str(run.uuid)
        if action == "cancel":
            assert run.cancel_requested_at is not None
            assert run.reason == "Cancelled by operator."
        else:
            assert (run.status, run.attempt) == (Status.PENDING, 2)

    def test_refused_in_the_wrong_state(self, operates: Api, action: str) -> None:
        before = Status.COMPLETED if action == "cancel" else Status.RUNNING
        run = make_run(StageName.DOWNLOAD, status=before)
        answer = operates.ask("POST", f"runs/{run.uuid}/{action}", self.body[action])
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
        assert before in answer.json()["error"]["message"]

    def test_not_for_viewers(self, looks: Api, action: str) -> None:
        run = make_run()
        answer = looks.ask("POST", f"runs/{run.uuid}/{action}", self.body[action])
        assert answer.status_code == 403

    def test_only_posted(self, operates: Api, action: str) -> None:
        run = make_run()
        answer = operates.ask("GET", f"runs/{run.uuid}/{action}")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")

    def test_bad_input(self, operates: Api, action: str) -> None:
        run = make_run(status=Status.ERROR)
        answer = operates.ask("POST", f"runs/{run.uuid}/{action}", {"stages": "x"})
        assert answer.status_code == 400


def test_launching_keeps_and_adds_options(operates: Api) -> None:
    run = make_run(status=Status.COMPLETED, options={"build": "GRCh38"})
    body = {"stages": ["stratified"], "engine": "happy"}
    answer = operates.ask("POST", f"runs/{run.uuid}/benchmarking", body)
    assert answer.json()["options"] == {
        "build": "GRCh38",
        "stratified": True,
        "engine": "happy",
    }


def test_a_session_needs_its_csrf_token(operator: User) -> None:
    run = make_run()
    client = Api(enforce_csrf_checks=True)
    client.force_login(operator)
    path = f"runs/{run.uuid}/cancel"
    refused = client.ask("POST", path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        403,
        "csrf_failed",
    )
    token = "a" * 32
    client.cookies[settings.CSRF_COOKIE_NAME] = token
    assert client.ask("POST", path, headers={"x-csrftoken": token}).status_code == 202
