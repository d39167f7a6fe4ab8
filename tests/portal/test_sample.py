"""The page of a sample."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from benchmarks.models import TruthSet
from tests.portal.builders import completed, make_run
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
PAGE = "/samples/NA24143_Lib3_Rep1/"


def test_shows_its_runs_and_newest_numbers(looks: Browser) -> None:
    completed(created_at=timezone.now() - timedelta(days=3))
    newest = completed()
    make_run("NA12878_other")

    page = looks.page(PAGE)

    assert len(page.all("tbody tr")) == 2
    link = page.one("[aria-labelledby=newest-title] .panel-head a")
    assert page.texts(".verdict h3 b") == ["SNP", "INDEL"]
    assert link.attributes["href"] == newest.get_absolute_url()
    assert page.facts(".facts-line")["Truth set"] == "from the GIAB catalogue"


def test_a_sample_of_nobody_known_says_what_is_missing(looks: Browser) -> None:
    make_run("Patient_1")

    page = looks.page("/samples/Patient_1/")

    assert "no truth set of its own" in page.text(".note-warning p")


def test_a_sample_with_its_own_truth_set(looks: Browser) -> None:
    run = make_run("Patient_1")
    run.sample.truth_set = TruthSet.objects.create(key="own-1", build="GRCh38")
    run.sample.save()

    page = looks.page("/samples/Patient_1/")

    assert page.facts(".facts-line")["Truth set"] == "own-1 own"
    assert not page.has(".note-warning")


def test_operators_start_another_run_from_here(
    operates: Browser, looks: Browser
) -> None:
    make_run()
    link = "a[href='/runs/new/?sample=NA24143_Lib3_Rep1']"

    assert operates.page(PAGE).has(link)
    assert not looks.page(PAGE).has(link)


def test_an_unknown_sample(looks: Browser) -> None:
    assert looks.page("/samples/NA1/").status == 404


def test_a_place_that_is_none(looks: Browser) -> None:
    make_run()

    assert looks.page(PAGE, after="x").status == 400


def test_costs_the_same_for_many_runs(
    looks: Browser, operator: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(8):
        completed(user=operator)

    with django_assert_max_num_queries(8):
        looks.get(PAGE)


def test_the_runs_are_taken_away(looks: Browser) -> None:
    completed()

    items = looks.get(PAGE, {"format": "json"}).json()["items"]

    assert [item["individual"] for item in items] == ["HG004"]
