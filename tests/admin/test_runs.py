from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from runs.models import LogEntry, Run, StageName, Status
from tests.builders import make_run, make_sample

LIST = "admin:runs_run_changelist"


def act(client: Client, action: str, *runs: Run) -> list[str]:
    """Carry out an action on the runs; what is told about it."""
    data: dict[str, Any] = {
        "action": action,
        "_selected_action": [run.pk for run in runs],
    }
    answer = client.post(reverse(LIST), data)
    return [str(message) for message in get_messages(answer.wsgi_request)]


def statuses() -> list[str]:
    return list(Run.objects.order_by("pk").values_list("status", flat=True))


def test_cancel(administrator_client: Client, db: None) -> None:
    pending, ended = make_run(), make_run(status=Status.COMPLETED)
    told = act(administrator_client, "cancel", pending, ended)
    assert statuses() == [Status.CANCELLED, Status.COMPLETED]
    assert len(told) == 2
    assert "cannot be cancelled: it is completed" in told[0]
    assert told[1] == "1 run was cancelled."
    pending.refresh_from_db()
    assert pending.reason == "Cancelled by administrator."


@pytest.mark.django_db(transaction=True)
def test_retry(administrator_client: Client, sent: list[tuple[str, int, int]]) -> None:
    failed, other = make_run(status=Status.ERROR), make_run(status=Status.CANCELLED)
    told = act(administrator_client, "retry", failed, other)
    assert told == ["2 runs were queued again."]
    assert sorted(sent) == [("default", failed.pk, 2), ("default", other.pk, 2)]


def test_clean_up(administrator_client: Client, data_dir: Path) -> None:
    ended, running = make_run(status=Status.ERROR), make_run(status=Status.RUNNING)
    for run in (ended, running):
        file = run.folder / "download" / "a"
        file.parent.mkdir(parents=True)
        file.touch()
    told = act(administrator_client, "clean_up", ended, running)
    assert not (ended.folder / "download").exists()
    assert (running.folder / "download" / "a").exists()
    assert "the run is running" in told[0]
    assert told[1] == "The files of 1 run were removed."


def test_many_refusals_are_summed_up(administrator_client: Client, db: None) -> None:
    runs = [make_run(status=Status.COMPLETED) for _number in range(8)]
    told = act(administrator_client, "retry", *runs)
    assert len(told) == 6
    assert told[-1] == "3 more were refused."


@pytest.mark.parametrize("action", ["cancel", "retry", "clean_up"])
def test_actions_need_the_permission_to_operate(viewer: User, action: str) -> None:
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    client = Client()
    client.force_login(viewer)
    run = make_run(status=Status.PENDING)
    assert act(client, action, run) == []
    assert statuses() == [Status.PENDING]
    operate = Permission.objects.get(codename="operate_run")
    viewer.user_permissions.add(operate)
    assert len(act(client, action, run)) == 1


def test_an_unknown_action(administrator_client: Client, db: None) -> None:
    act(administrator_client, "delete_selected", make_run())
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=HG002", 1),
        ("q={uuid}", 1),
        ("q={short}", 1),
        ("q=broken", 1),
        ("q=nothing", 0),
        ("status__exact=error", 1),
        ("sample__individual=HG002", 1),
        ("source__exact=s3", 2),
        ("created_at__year=2020", 0),
    ],
)
def test_runs_are_found(
    administrator_client: Client, db: None, query: str, count: int
) -> None:
    make_run(status=Status.ERROR, reason="The file is broken.")
    run = make_run(sample=make_sample("HG002_1", individual="HG002"))
    query = query.format(uuid=run.uuid, short=str(run.uuid)[:8])
    answer = administrator_client.get(f"{reverse(LIST)}?{query}")
    assert answer.context["cl"].result_count == count


class TestLog:
    @pytest.fixture(autouse=True)
    def lines(self, data_dir: Path, db: None) -> None:
        self.run = make_run(StageName.CSV)
        LogEntry.objects.bulk_create(
            LogEntry(
                run=self.run,
                sequence=number,
                time=timezone.now(),
                level="info",
                message=f"<b>line {number}</b>",
            )
            for number in range(1, 451)
        )
        Run.objects.update(last_sequence=450)
        self.address = reverse("admin:runs_run_log", args=[self.run.pk])

    def numbers(self, client: Client, query: str = "") -> list[int]:
        answer = client.get(self.address + query)
        return [line.sequence for line in answer.context["lines"]]

    def test_a_page_at_a_time(self, administrator_client: Client) -> None:
        assert self.numbers(administrator_client) == list(range(1, 201))
        assert self.numbers(administrator_client, "?since=400") == list(range(401, 451))
        first = administrator_client.get(self.address)
        assert (first.context["before"], first.context["after"]) == (None, 200)
        last = administrator_client.get(f"{self.address}?since=250")
        assert (last.context["before"], last.context["last"]) == (50, 250)

    def test_lines_are_text(self, administrator_client: Client) -> None:
        content = administrator_client.get(self.address).content.decode()
        assert "&lt;b&gt;line 1&lt;/b&gt;" in content
        assert "<b>line" not in content

    def test_the_page_of_a_run_loads_no_lines(
        self, administrator_client: Client
    ) -> None:
        page = reverse("admin:runs_run_change", args=[self.run.pk])
        with CaptureQueriesContext(connection) as queries:
            answer = administrator_client.get(page)
        assert self.address in answer.content.decode()
        assert "450 lines" in answer.content.decode()
        assert not any("runs_logentry" in query["sql"] for query in queries)

    @pytest.mark.parametrize("query", ["?since=x", "?since=-1", f"?since={'9' * 30}"])
    def test_bad_input(self, administrator_client: Client, query: str) -> None:
        assert self.numbers(administrator_client, query)[:1] == [1]

    def test_beyond_the_end(self, administrator_client: Client) -> None:
        assert self.numbers(administrator_client, "?since=450") == []

    def test_unknown_runs(self, administrator_client: Client) -> None:
        missing = reverse("admin:runs_run_log", args=[999_999])
        assert administrator_client.get(missing).status_code == 404

    def test_not_allowed(self, operator_client: Client, operator: User) -> None:
        assert operator_client.get(self.address).status_code == 302
        User.objects.update(is_staff=True)
        operator.groups.clear()
        assert operator_client.get(self.address).status_code == 403

    def test_wrong_method(self, administrator_client: Client) -> None:
        assert administrator_client.post(self.address).status_code == 405

    def test_all_logs_together_are_not_searched(
        self, administrator_client: Client
    ) -> None:
        address = reverse("admin:runs_logentry_changelist")
        everywhere = administrator_client.get(f"{address}?q=line")
        assert everywhere.context["cl"].result_count == 0
        one = administrator_client.get(f"{address}?q=line+450&run={self.run.pk}")
        assert one.context["cl"].result_count == 1

    def test_long_tables_are_not_counted_to_their_end(
        self, administrator_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vcbench_site.admin.MOST_ROWS", 120)
        answer = administrator_client.get(reverse("admin:runs_logentry_changelist"))
        assert answer.context["cl"].result_count == 120
