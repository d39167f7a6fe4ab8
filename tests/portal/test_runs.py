"""The list of runs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from runs.models import Run, Status
from runs.views import runs
from tests.portal.builders import completed, make_run
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
LIST = "/runs/"


def samples(browser: Browser, **query: str) -> list[str]:
    return browser.page(LIST, **query).texts("tbody th a")


def test_shows_what_a_run_is_judged_by(looks: Browser, operator: User) -> None:
    completed(user=operator)

    [cells] = [looks.page(LIST).row("tbody tr")]

    assert cells[:6] == [
        "Choose for comparing NA24143_Lib3_Rep1",
        "completed", "HG004", "0.9913", "0.9913", "0.9095",
    ]  # fmt: skip
    assert cells[7:] == ["operator", "1 min 30 s"]


def test_a_run_without_results_has_dashes(looks: Browser) -> None:
    make_run()

    assert looks.page(LIST).row("tbody tr")[3:6] == ["–", "–", "–"]


def test_newest_first(looks: Browser) -> None:
    make_run("NA24143_old", created_at=timezone.now() - timedelta(days=1))
    make_run("NA24143_new")

    assert samples(looks) == ["NA24143_new", "NA24143_old"]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({"status": "error"}, ["NA12878_failed"]),
        ({"individual": "HG001"}, ["NA12878_failed"]),
        ({"sample": "LIB3"}, ["NA24143_Lib3_Rep1"]),
        ({"person": "operator"}, ["NA24143_Lib3_Rep1"]),
        ({"until": "2026-01-01"}, ["NA12878_failed"]),
        ({"since": "2026-01-02"}, ["NA24143_Lib3_Rep1"]),
        ({"status": "error", "individual": "HG004"}, []),
    ],
)
def test_filters(
    looks: Browser, operator: User, query: dict[str, str], left: list[str]
) -> None:
    early = datetime(2026, 1, 1, 23, 59, tzinfo=UTC)
    make_run("NA12878_failed", status=Status.ERROR, created_at=early)
    make_run(user=operator)

    assert samples(looks, **query) == left


def test_faults_of_all_filters_are_said_at_once(looks: Browser) -> None:
    page = looks.page(LIST, status="odd", since="yesterday", person="nobody")

    assert page.status == 400
    assert len(page.texts("form.filters .fault")) == 3
    assert page.one("#id_since").attributes["aria-invalid"] == "true"


def test_pages_hold_every_run_once(
    looks: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PAGE", 2)
    now = timezone.now()
    names = [f"NA24143_{number}" for number in range(5)]
    for name in names:
        make_run(name, created_at=now)  # one time: the key decides

    page = looks.page(LIST)
    seen = [page.texts("tbody th a")]
    while page.has("a[rel=next]"):
        link = page.one("a[rel=next]").attributes["href"] or ""
        page = looks.page(LIST + link)
        seen.append(page.texts("tbody th a"))

    assert [len(part) for part in seen] == [2, 2, 1]
    assert list(chain(*seen)) == names[::-1]
    back = looks.page(LIST + (page.one("a[rel=prev]").attributes["href"] or ""))
    assert back.texts("tbody th a") == seen[1]


def test_filters_stay_while_paging(
    looks: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PAGE", 1)
    for _ in range(2):
        make_run(status=Status.ERROR)

    link = looks.page(LIST, status="error").one("a[rel=next]").attributes["href"]

    assert "status=error" in (link or "")


@pytest.mark.parametrize("place", ["x", "2026-01-01~1", "2026-01-01T00:00:00+00:00~x"])
def test_a_place_that_is_none_is_refused(looks: Browser, place: str) -> None:
    make_run()

    page = looks.page(LIST, before=place)

    assert page.status == 400
    assert page.text(".empty a") == "Show all runs"


def test_costs_the_same_for_many_runs(
    looks: Browser, operator: User, django_assert_max_num_queries: object
) -> None:
    for number in range(8):
        completed(f"NA24143_{number}", operator)

    with django_assert_max_num_queries(8):  # type: ignore[operator]
        looks.get(LIST)


def test_says_what_to_do_first(operates: Browser, looks: Browser) -> None:
    assert operates.page(LIST).text(".empty a") == "Start the first run"
    assert not looks.page(LIST).has(".empty a")


def test_viewers_are_not_offered_what_they_may_not(
    looks: Browser, operates: Browser
) -> None:
    make_run()
    new = f"a[href='{reverse('new-run')}']"

    assert not looks.page(LIST).has(new)
    assert operates.page(LIST).has(new)
    assert Run.objects.count() == 1


def test_runs_are_chosen_for_comparing(looks: Browser) -> None:
    run = make_run()
    page = looks.page(LIST)

    box = page.one("tbody input")

    assert box.attributes["value"] == str(run.uuid)
    form = page.one(f"form#{box.attributes['form']}")
    assert form.attributes["action"] == "/compare/"


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_the_list_is_taken_away_as_it_is_filtered(
    looks: Browser, operator: User, form: str
) -> None:
    completed("NA24143_a", operator, pipeline="=DRAGEN")
    make_run("NA12878_b")

    answer = looks.get(LIST, {"individual": "HG004", "format": form})

    text = answer.getvalue().decode()
    [row] = csv.DictReader(io.StringIO(text), delimiter="," if form == "csv" else "\t")
    assert row["sample"] == "NA24143_a"
    assert row["pipeline"] == "'=DRAGEN"
    assert row["snp_f1"] == "0.991304"
    assert row["sv_recall"] == "0.9"
    assert row["seconds"] == "90"


def test_the_list_as_json(looks: Browser) -> None:
    make_run()

    items = looks.get(LIST, {"format": "json"}).json()["items"]

    assert [item["status"] for item in items] == ["pending"]
    assert items[0]["snp_f1"] is None
