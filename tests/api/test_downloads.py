from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs import log
from runs.models import Level, LogEntry, Run, Source, StageName, Status
from tests.api.conftest import Api
from tests.builders import make_run, make_sample

SAMPLE = "NA24143_Lib3_Rep1"


def make_lines(run: Run, count: int) -> None:
    LogEntry.objects.bulk_create(
        LogEntry(
            run=run,
            sequence=number,
            time=timezone.now(),
            level=Level.ERROR if number == 2 else Level.INFO,
            stage="happy",
            message=f"line {number}",
        )
        for number in range(1, count + 1)
    )
    Run.objects.filter(pk=run.pk).update(last_sequence=count)


@pytest.fixture
def run(db: None) -> Run:
    make_run(created_at=timezone.now() - timedelta(days=1), status=Status.ERROR)
    newest = make_run(StageName.DOWNLOAD, status=Status.RUNNING)
    make_lines(newest, 5)
    return newest


def test_status_is_that_of_the_newest_run(looks: Api, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(bytes_done=25, bytes_total=100, rate=15.0)
    answer = looks.ask("GET", f"download/status/{SAMPLE}").json()
    assert (answer["run"], answer["status"]) == (str(run.uuid), "running")
    assert (answer["bytes_done"], answer["bytes_total"]) == (25, 100)
    assert (answer["eta"], answer["last_sequence"]) == (5.0, 5)


def test_the_log_after_a_line(looks: Api, run: Run) -> None:
    answer = looks.ask("GET", f"download/logs/{SAMPLE}?since=3").json()
    assert list(answer) == [
        "sample_id",
        "run",
        "status",
        "logs",
        "next",
        "last_sequence",
    ]
    assert [line["sequence"] for line in answer["logs"]] == [4, 5]
    assert set(answer["logs"][0]) == {"sequence", "time", "level", "stage", "message"}
    assert (answer["next"], answer["last_sequence"]) == (5, 5)
    assert (answer["run"], answer["sample_id"]) == (str(run.uuid), SAMPLE)


def test_the_log_ends_where_nothing_is_new(looks: Api, run: Run) -> None:
    answer = looks.ask("GET", f"runs/{run.uuid}/logs?since=5").json()
    assert (answer["logs"], answer["next"]) == ([], 5)


def test_following_by_next_misses_nothing(looks: Api, run: Run) -> None:
    seen: list[int] = []
    following, last = 0, 1
    while following != last:
        answer = looks.ask("GET", f"runs/{run.uuid}/logs?since={following}&limit=2")
        seen += [line["sequence"] for line in answer.json()["logs"]]
        following, last = answer.json()["next"], answer.json()["last_sequence"]
    assert seen == [1, 2, 3, 4, 5]


def test_the_log_is_searched(looks: Api, run: Run) -> None:
    path = f"runs/{run.uuid}/logs"
    errors = looks.ask("GET", f"{path}?level=error,warning").json()["logs"]
    assert [line["sequence"] for line in errors] == [2]
    found = looks.ask("GET", f"{path}?search=LINE 4").json()["logs"]
    assert [line["sequence"] for line in found] == [4]


def test_a_log_costs_the_same_whatever_its_length(looks: Api) -> None:
    shorter = make_run()
    make_lines(shorter, 1200)
    path = f"runs/{shorter.uuid}/logs"
    looks.ask("GET", path)
    with CaptureQueriesContext(
        connection,
    ) as short:
        looks.ask("GET", path)
    make_more = make_run()
    make_lines(make_more, 3000)
    with CaptureQueriesContext(connection) as long:
        looks.ask("GET", f"runs/{make_more.uuid}/logs")
    assert len(short) == len(long)


def test_the_whole_log_is_a_file(looks: Api) -> None:
    run = make_run()
    make_lines(run, 2500)
    answer = looks.ask("GET", f"runs/{run.uuid}/logs.txt")
    content = b"".join(answer.streaming_content).decode()
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f'filename="{SAMPLE}-' in answer.headers["Content-Disposition"]
    assert len(content.splitlines()) == 2500
    assert content.splitlines()[-1].endswith("line 2500")


@pytest.mark.parametrize("path", ["download/status/none", "download/logs/none"])
def test_unknown_samples(looks: Api, path: str) -> None:
    answer = looks.ask("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "none" in answer.json()["error"]["message"]


def test_a_sample_without_runs(looks: Api) -> None:
    make_sample("empty")
    assert looks.ask("GET", "download/status/empty").status_code == 404


@pytest.mark.parametrize("query", ["since=-1", "since=x", "limit=0", "level=loud"])
def test_cursors_that_cannot_be_used(looks: Api, run: Run, query: str) -> None:
    assert looks.ask("GET", f"download/logs/{SAMPLE}?{query}").status_code == 400


@pytest.mark.parametrize("what", ["status", "logs"])
def test_reading_needs_a_role_and_get(
    looks: Api, not_allowed: Api, run: Run, what: str
) -> None:
    path = f"download/{what}/{SAMPLE}"
    assert not_allowed.ask("GET", path).status_code == 403
    answer = looks.ask("POST", path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


class TestCleanUp:
    @pytest.fixture(autouse=True)
    def files(self, data_dir: Path, db: None) -> None:
        self.data_dir = data_dir
        self.run = make_run(StageName.CSV, status=Status.COMPLETED)
        self.made = self.artifact("download/a.vcf.gz", "runs/{run}/download/a.vcf.gz")
        self.shared = self.artifact("truth/t.bed", "references/t/t.bed")
        log.say(self.run, Level.INFO, "done")

    def artifact(self, name: str, path: str) -> Any:
        path = path.format(run=self.run.uuid)
        file = self.data_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"12345")
        return self.run.artifacts.create(
            name=name, path=path, role="input", stage="download", size=5
        )

    def ask(self, client: Api, **body: Any) -> Any:
        return client.ask("POST", "download/cleanup", {"sample_id": SAMPLE, **body})

    def test_files_go_and_rows_stay(self, operates: Api) -> None:
        make_run(status=Status.RUNNING)  # newer, but it has not ended
        answer = self.ask(operates)
        assert answer.status_code == 200
        assert answer.json() == {
            "sample_id": SAMPLE,
            "run": str(self.run.uuid),
            "files": 1,
            "bytes": 5,
        }
        self.made.refresh_from_db()
        self.shared.refresh_from_db()
        assert self.made.removed_at is not None
        assert self.shared.removed_at is None
        assert [path.name for path in self.data_dir.rglob("*") if path.is_file()] == [
            "t.bed"
        ]
        lines = self.run.log_entries.values_list("message", flat=True)
        assert list(lines)[-1].startswith("operator removed the files of the run: 1 ")

    def test_a_second_time_there_is_nothing(self, operates: Api) -> None:
        self.ask(operates)
        assert self.ask(operates).json()["files"] == 0

    def test_an_uploaded_archive_goes_unless_another_run_needs_it(
        self, operates: Api
    ) -> None:
        archive = self.data_dir / "uploads" / "a.zip"
        archive.parent.mkdir()
        archive.touch()
        location = {"archive": "uploads/a.zip"}
        fields: dict[str, Any] = {
            "source": Source.ZIP,
            "location": location,
            "status": Status.ERROR,
        }
        other = make_run(sample=make_sample("other"), **fields)
        make_run(**fields)
        self.ask(operates)
        assert archive.exists()
        other.delete()
        self.ask(operates)
        assert not archive.exists()

    def test_while_a_run_is_active(self, operates: Api) -> None:
        Run.objects.update(status=Status.PENDING)
        answer = self.ask(operates)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
        assert self.made.file.exists()

    def test_unknown_samples(self, operates: Api) -> None:
        assert self.ask(operates, sample_id="none").status_code == 404

    def test_not_for_viewers(self, looks: Api) -> None:
        assert self.ask(looks).status_code == 403
        assert self.made.file.exists()

    def test_wrong_method(self, operates: Api) -> None:
        assert operates.ask("GET", "download/cleanup").status_code == 405

    def test_bad_input(self, operates: Api) -> None:
        answer = self.ask(operates, sample_id="", all=True)
        assert sorted(answer.json()["error"]["fields"]) == ["all", "sample_id"]
