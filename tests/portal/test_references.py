"""The page of truth sets and reference genomes."""

from __future__ import annotations

import pytest
from django.urls import reverse
from redis.exceptions import ConnectionError as NoRedis

from benchmarks import catalog
from benchmarks.catalog import CatalogError
from benchmarks.models import State, TruthSet
from runs import queue
from tests.portal.conftest import Browser
from tests.portal.page import words

pytestmark = pytest.mark.django_db
PAGE = "/references/"
KEY = "HG004-GRCh38-smvar-v4.2.1"


def truth_set(state: State, **changes: object) -> TruthSet:
    return TruthSet.objects.create(
        key=KEY, build="GRCh38", kind="smvar", state=state, **changes
    )


def test_lists_the_catalogue_with_its_state(looks: Browser) -> None:
    truth_set(State.READY, size=2_000_000)

    page = looks.page(PAGE)

    rows = page.all("[aria-labelledby=truth-title] tbody tr")
    assert len(rows) == len(catalog.current().truth_sets)
    cells = [[words(cell) for cell in row.css("th, td")] for row in rows]
    [ready] = [row for row in cells if row[4] == "ready"]
    assert ready[:4] == ["HG004", "GRCh38", "small variants", "v4.2.1 default"]
    assert ready[5] == "2.00 MB"


def test_lists_the_genomes(looks: Browser) -> None:
    page = looks.page(PAGE)

    rows = page.all("[aria-labelledby=genomes-title] tbody tr")
    assert len(rows) == len(catalog.current().references)


def test_uploaded_truth_sets_are_apart(looks: Browser) -> None:
    TruthSet.objects.create(
        key="own-1", build="GRCh38", kind="smvar", origin=TruthSet.Origin.UPLOADED
    )

    page = looks.page(PAGE)

    assert page.texts("[aria-labelledby=own-title] tbody th") == ["own-1"]


def test_a_failed_fetch_shows_its_cause(looks: Browser) -> None:
    truth_set(State.ERROR, message="No answer.")

    page = looks.page(PAGE)

    assert page.text("[aria-labelledby=truth-title] td .sub") == "No answer."


def test_renews_itself_while_something_is_fetched(looks: Browser) -> None:
    assert "data-renew" not in looks.page(PAGE).one("#references").attributes

    truth_set(State.FETCHING)

    assert "data-renew" in looks.page(PAGE).one("#references").attributes


def test_operators_fetch_ahead(
    operates: Browser, looks: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(queue, "enqueue_fetch", fetched.append)
    address = reverse("reference-fetch", args=[KEY])

    page = operates.send(address, follow=True)

    assert fetched == [KEY]
    assert KEY in page.text(".note-success p")
    assert page.has(f"form[action='{address}']")
    assert not looks.page(PAGE).has(f"form[action='{address}']")


def test_fetching_without_a_queue_says_so(
    operates: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_key: str) -> None:
        raise NoRedis

    monkeypatch.setattr(queue, "enqueue_fetch", gone)

    page = operates.send(reverse("reference-fetch", args=[KEY]), follow=True)

    assert "does not answer" in page.text(".note-error p")


def test_an_unknown_reference_is_not_found(operates: Browser) -> None:
    assert operates.send(reverse("reference-fetch", args=["x"])).status == 404


def test_a_broken_catalogue_is_explained(
    looks: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise CatalogError("The catalogue x.json is not JSON.")

    monkeypatch.setattr(catalog, "current", broken)

    page = looks.page(PAGE)

    assert page.text(".note-error pre") == "The catalogue x.json is not JSON."
