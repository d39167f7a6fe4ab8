"""Reading a log: from rows, from its file, from both, with one interface."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs import cleanup, compaction, lifecycle, logfile, logstore
from runs.logfile import LogFile, LogFileError
from runs.models import LogEntry, Run, Status
from tests.builders import make_run

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_dir")]

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


def add(run: Run, lines: int) -> None:
    first = run.last_sequence + 1
    LogEntry.objects.bulk_create(
        LogEntry(
            run=run,
            sequence=number,
            time=NOON,
            level="error" if number % 700 == 0 else "info",
            stage="happy",
            message=f"line {number} é",
        )
        for number in range(first, first + lines)
    )
    run.last_sequence += lines
    Run.objects.filter(pk=run.pk).update(last_sequence=run.last_sequence)


def add_messages(run: Run, *messages: str) -> None:
    LogEntry.objects.bulk_create(
        LogEntry(run=run, sequence=number, time=NOON, level="info", message=message)
        for number, message in enumerate(messages, run.last_sequence + 1)
    )
    run.last_sequence += len(messages)
    Run.objects.filter(pk=run.pk).update(last_sequence=run.last_sequence)


def ended_run(lines: int, **fields: Any) -> Run:
    run = make_run(status=Status.COMPLETED, finished_at=NOON, **fields)
    add(run, lines)
    return run


@pytest.fixture(params=["rows", "file", "both"])
def run(request: pytest.FixtureRequest) -> Run:
    """2,500 lines; errors at 700, 1400 and 2100."""
    run = ended_run(1_200 if request.param == "both" else 2_500)
    if request.param != "rows":
        assert compaction.compact(run) is not None
    if request.param == "both":
        add(run, 1_300)
    return run


@pytest.mark.parametrize(
    ("since", "limit", "expected"),
    [
        (0, 10, range(1, 11)),
        (999, 2, range(1_000, 1_002)),
        (1_195, 10, range(1_196, 1_206)),
        (0, 5_000, range(1, 2_501)),
        (2_490, 100, range(2_491, 2_501)),
        (2_500, 10, range(0)),
        (9_999, 10, range(0)),
    ],
)
def test_read_gives_the_lines_after_since(
    run: Run, since: int, limit: int, expected: range
) -> None:
    found = logstore.read(run, since, limit)
    assert [entry.sequence for entry in found] == list(expected)


def test_every_field_is_read(run: Run) -> None:
    [entry] = logstore.read(run, 699, 1)
    assert entry == (700, NOON, "error", "happy", "line 700 é")


def test_tail_count_and_first_error(run: Run) -> None:
    assert [entry.sequence for entry in logstore.tail(run, 3)] == [2498, 2499, 2500]
    assert logstore.count(run) == 2_500
    assert logstore.first_error(run) == 700


def test_export_as_text_and_as_json_lines(run: Run) -> None:
    text = b"".join(logstore.text(run)).decode().splitlines()
    assert len(text) == 2_500
    assert text[699] == "2026-01-02 12:00:00.123 error    happy     line 700 é"
    lines = b"".join(logstore.json_lines(run)).decode().splitlines()
    assert json.loads(lines[0]) == {
        "sequence": 1,
        "time": "2026-01-02T12:00:00.123456Z",
        "level": "info",
        "stage": "happy",
        "message": "line 1 é",
    }
    assert len(lines) == 2_500


def test_the_json_of_the_socket_is_that_of_the_export(run: Run) -> None:
    found = logstore.read(run, 698, 3)
    same = [entry.as_dict() for entry in found]
    assert json.loads(logstore.to_json(found)) == same


def test_poll_answers_by_the_contract(run: Run) -> None:
    answer = logstore.poll(run, since=2_400, limit=50)
    assert list(answer) == [
        "sample_id",
        "run",
        "status",
        "logs",
        "next",
        "last_sequence",
    ]
    assert answer["sample_id"] == run.sample.name
    assert answer["run"] == str(run.uuid)
    assert answer["status"] == "completed"
    assert [line["sequence"] for line in answer["logs"]] == list(range(2401, 2451))
    assert (answer["next"], answer["last_sequence"]) == (2_450, 2_500)
    rest = logstore.poll(run, since=2_500)
    assert (rest["logs"], rest["next"]) == ([], 2_500)


def all_matching(run: Run, **filters: Any) -> list[int]:
    found: list[int] = []
    since = 0
    while since < run.last_sequence:
        answer = logstore.poll(run, since=since, limit=2, **filters)
        assert answer["next"] > since
        since = answer["next"]
        found += [line["sequence"] for line in answer["logs"]]
    return found


def test_poll_filters_by_level_and_text(run: Run) -> None:
    assert all_matching(run, levels=["error"]) == [700, 1400, 2100]
    assert all_matching(run, search="LINE 140") == [140, *range(1400, 1410)]
    assert all_matching(run, levels=["error"], search="21") == [2100]


def test_one_answer_looks_at_a_bounded_number_of_lines(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logstore, "SCAN_LIMIT", 600)
    answer = logstore.poll(run, levels=["error"])
    assert (answer["logs"], answer["next"]) == ([], 600)
    assert all_matching(run, levels=["error"]) == [700, 1400, 2100]


@pytest.mark.parametrize("filters", [{"search": "x"}, {"levels": ["info"]}])
@pytest.mark.parametrize("compacted", [False, True])
def test_a_filtered_answer_has_a_bounded_size(
    filters: dict[str, Any], compacted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logstore, "SIZE", 5_000)
    monkeypatch.setattr(logstore, "STEP", 3)
    run = ended_run(0)
    add_messages(run, *["x" * 1_000] * 9, "x" * 9_000, "é", "x")
    if compacted:
        compaction.compact(run)
    sizes, sequences, since = list[int](), list[int](), 0
    while since < run.last_sequence:
        answer = logstore.poll(run, since=since, **filters)
        assert answer["next"] > since
        since = answer["next"]
        sizes.append(sum(len(line["message"]) for line in answer["logs"]))
        sequences += [line["sequence"] for line in answer["logs"]]
    assert sizes[:3] == [4_000, 4_000, 1_000]
    assert sizes[3] == 9_000  # one line at least
    assert [each for each in sequences if each != 11] == [*range(1, 11), 12]


def test_a_filtered_answer_goes_on_after_what_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logstore, "SIZE", 1_500)
    run = ended_run(0)
    add_messages(run, "x" * 1_000, "é", "é", "x" * 1_000)
    assert logstore.poll(run, search="x")["next"] == 3


@pytest.mark.parametrize("compacted", [False, True])
def test_case_does_not_matter_beyond_ascii(compacted: bool) -> None:
    run = ended_run(0)
    add_messages(run, "Échec du calcul", "fini")
    if compacted:
        compaction.compact(run)
    assert all_matching(run, search="échec") == [1]
    assert all_matching(run, search="ÉCHEC DU", levels=["info"]) == [1]
    assert all_matching(run, search="échec", levels=["error"]) == []


def test_a_window_is_one_query_by_the_index() -> None:
    run = ended_run(3_000)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        logstore.read(run, 1_500, 100)
    assert len(queries) == 1
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {queries[0]['sql']}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "log_sequence_once_per_run" in plan or "autoindex" in plan
        assert "TEMP B-TREE" not in plan


def test_lines_have_no_index_that_a_planner_could_take_instead() -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "runs_logentry")
    indexed = [each["columns"] for each in found.values() if each["index"]]
    unique = [each["columns"] for each in found.values() if each["unique"]]
    assert ["run_id"] not in indexed
    assert ["run_id", "sequence"] in unique


def test_the_file_is_plain_gzip_of_json_lines() -> None:
    run = ended_run(2_500)
    compaction.compact(run)
    with gzip.open(logstore.path_of(run), "rt") as file:
        lines = [json.loads(line) for line in file]
    assert [line["sequence"] for line in lines] == list(range(1, 2_501))


def test_compacting_removes_rows_and_marks_the_run() -> None:
    run = ended_run(10)
    done = compaction.compact(run)
    assert done is not None
    assert done.lines == 10
    assert not LogEntry.objects.filter(run=run).exists()
    run.refresh_from_db()
    assert run.log_compacted_at is not None
    assert compaction.compact(run) is None


def test_compacting_again_appends_what_a_retry_wrote() -> None:
    run = ended_run(1_500)
    compaction.compact(run)
    add(run, 1_000)
    compaction.compact(run)
    found = logstore.read(run, 0, 5_000)
    assert [entry.sequence for entry in found] == list(range(1, 2_501))
    assert not LogEntry.objects.filter(run=run).exists()


def test_a_compaction_that_died_before_removing_rows_is_finished() -> None:
    run = ended_run(1_500)
    rows = list(LogEntry.objects.filter(run=run))
    compaction.compact(run)
    LogEntry.objects.bulk_create(rows[500:])
    found = logstore.read(run, 0, 5_000)
    assert [entry.sequence for entry in found] == list(range(1, 1_501))
    compaction.compact(run)
    assert not LogEntry.objects.filter(run=run).exists()
    assert logstore.count(run) == 1_500


def test_a_running_run_is_left_alone() -> None:
    run = make_run(status=Status.RUNNING)
    add(run, 10)
    assert compaction.compact(run) is None
    assert LogEntry.objects.filter(run=run).count() == 10


def test_rows_with_a_gap_stay() -> None:
    run = ended_run(10)
    LogEntry.objects.filter(run=run, sequence=5).delete()
    with pytest.raises(LogFileError, match="no line 5"):
        compaction.compact(run)
    assert LogEntry.objects.filter(run=run).count() == 9
    assert not logstore.path_of(run).exists()


def test_a_file_that_was_cut_says_so(tmp_path: Path) -> None:
    run = ended_run(10)
    compaction.compact(run)
    path = logstore.path_of(run)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(LogFileError, match="no index at its end"):
        logstore.read(run)


def test_no_half_file_is_left_by_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runs.logfile.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        logfile.write(tmp_path / "x.jsonl.gz", [], None)
    assert list(tmp_path.iterdir()) == [tmp_path / "data"]


def test_a_block_is_found_without_reading_the_others(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    records = (
        {"sequence": number, "level": "info", "message": "x" * 100}
        for number in range(1, 20_001)
    )
    logfile.write(path, records, None)
    with LogFile.open(path) as file:
        assert file is not None
        monitored = Counting(file._file)
        file._file = monitored  # type: ignore[assignment]
        assert file.read(15_999, 1)[0]["sequence"] == 16_000
    assert monitored.bytes < path.stat().st_size / 10


class Counting:
    def __init__(self, file: Any) -> None:
        self.file = file
        self.bytes = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.file.read(size)
        self.bytes += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def command(*args: str) -> str:
    out = StringIO()
    call_command("compact_logs", *args, stdout=out)
    return out.getvalue()


def test_the_command_compacts_what_ended_long_ago() -> None:
    old = ended_run(10)
    new = ended_run(10)
    Run.objects.filter(pk=new.pk).update(finished_at=timezone.now())
    assert "1 logs compacted, 0 removed" in command("--after", "1")
    assert not LogEntry.objects.filter(run=old).exists()
    assert LogEntry.objects.filter(run=new).count() == 10


def test_the_command_tells_of_logs_that_it_cannot_compact() -> None:
    broken, whole = ended_run(10), ended_run(10)
    LogEntry.objects.filter(run=broken, sequence=5).delete()
    with pytest.raises(CommandError, match=str(broken.uuid)):
        command()
    assert not LogEntry.objects.filter(run=whole).exists()


@pytest.mark.parametrize("compacted", [False, True])
def test_logs_older_than_the_retention_go(settings: Settings, compacted: bool) -> None:
    run, kept = ended_run(10), ended_run(10)
    fresh = timezone.now() - timedelta(days=29)
    Run.objects.filter(pk=kept.pk).update(finished_at=fresh)
    if compacted:
        compaction.compact(run)
    settings.VCBENCH = replace(settings.VCBENCH, retention_days=30)
    assert "1 removed" in command("--after", "1000")
    assert (logstore.read(run), logstore.count(run)) == ([], 0)
    assert logstore.count(kept) == 10
    answer = logstore.poll(run)
    assert (answer["logs"], answer["next"], answer["last_sequence"]) == ([], 10, 10)


def failed_run(lines: int) -> Run:
    """One that ended long ago and can be retried."""
    run = ended_run(lines)
    Run.objects.filter(pk=run.pk).update(status=Status.ERROR)
    return run


@pytest.fixture
def retention(settings: Settings) -> None:
    """A month; the runs of `ended_run` are older."""
    settings.VCBENCH = replace(settings.VCBENCH, retention_days=30)


@pytest.mark.usefixtures("retention")
def test_a_run_that_is_retried_while_its_files_go_keeps_its_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = failed_run(10)

    def slowly(run: Run, *, by: str) -> cleanup.Freed:
        lifecycle.retry(run, by="ana")
        return cleanup.Freed(0, 0)

    monkeypatch.setattr(cleanup, "clean_up", slowly)
    assert "0 removed" in command("--after", "1000")
    assert logstore.count(run) == 11  # with the line of the retry


@pytest.mark.usefixtures("retention")
def test_a_run_that_is_retried_before_its_files_go_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = failed_run(10)
    listed = compaction.to_remove(timezone.now())
    monkeypatch.setattr(compaction, "to_remove", lambda _before: listed)
    lifecycle.retry(run, by="ana")
    assert "0 removed" in command("--after", "1000")
    assert logstore.count(run) == 11


@pytest.mark.usefixtures("retention")
def test_what_a_retry_writes_after_retention_waits_for_the_next() -> None:
    """A file begins with the first line, which is gone."""
    run = ended_run(10)
    command("--after", "1000")
    run.refresh_from_db()
    add(run, 5)
    Run.objects.update(finished_at=timezone.now() - timedelta(days=20))
    assert "0 logs compacted, 0 removed" in command("--after", "1")
    assert logstore.count(run) == 5
    assert [entry.sequence for entry in logstore.read(run)] == [11, 12, 13, 14, 15]


@pytest.mark.usefixtures("retention")
def test_a_damaged_log_stops_no_other() -> None:
    """Retention needs not to read what it removes."""
    broken, other = ended_run(10), ended_run(10)
    compaction.compact(broken)
    path = logstore.path_of(broken)
    path.write_bytes(path.read_bytes()[:-9])
    assert "2 removed" in command("--after", "1000")
    assert logstore.count(other) == 0
    assert not path.exists()


def test_without_a_retention_logs_stay() -> None:
    run = ended_run(10)
    assert "0 removed" in command("--after", "100000")
    assert logstore.count(run) == 10
