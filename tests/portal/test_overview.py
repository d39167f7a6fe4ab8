"""The first page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from runs.views import overview
from runs.views.machine import Disk
from tests.portal.builders import completed, failed, make_run, running
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db


def test_counts(looks: Browser) -> None:
    running()
    make_run()
    completed()
    failed()
    failed(finished_at=timezone.now() - timedelta(days=2))

    found = looks.page("/").facts(".figures")

    assert found["Running"] == "1 1 waiting"
    assert found["Completed in 24 h"] == "1"
    assert found["Failed in 24 h"] == "1"


def test_shows_each_kind_of_run_in_its_place(looks: Browser) -> None:
    running("NA12878_a")
    completed("NA24385_b")
    failed("NA24149_c")

    page = looks.page("/")

    assert page.texts("[aria-labelledby=active-title] tbody th") == ["NA12878_a"]
    assert page.texts("[aria-labelledby=latest-title] tbody th") == ["NA24385_b"]
    failures = "[aria-labelledby=failures-title] tbody"
    assert page.row(f"{failures} tr")[:2] == ["NA24149_c", "Cut off."]


def test_an_empty_portal_says_what_to_do(operates: Browser) -> None:
    page = operates.page("/")

    assert "NA24143_Lib3_Rep1" in page.text(".empty p:first-child")
    assert page.one(".empty a").attributes["href"] == reverse("new-run")


@pytest.mark.parametrize(("free", "low"), [(200, False), (40, True)])
def test_a_disk_that_fills_up_is_said_in_words(
    looks: Browser, monkeypatch: pytest.MonkeyPatch, free: int, low: bool
) -> None:
    giga = 1_000_000_000
    monkeypatch.setattr(overview, "disk", lambda: Disk(500 * giga, free * giga))

    assert looks.page("/").has(".figures .tag-warn") is low


def test_the_part_that_renews_is_without_the_frame(looks: Browser) -> None:
    page = looks.page("/", part="1")

    assert page.one("#overview").attributes["data-renew"] == "15"
    assert not page.has("nav")


def test_costs_the_same_for_many_runs(
    looks: Browser, operator: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        completed(f"NA24143_{number}", operator)
        failed(f"NA24143_{number}")

    with django_assert_max_num_queries(13):
        looks.get("/")
