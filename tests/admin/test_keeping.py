"""Samples and API tokens, which keepers write."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from benchmarks.models import Build, State, TruthSet
from runs.models import ApiToken, Sample
from tests.builders import make_run, make_sample

SAMPLES = reverse("admin:runs_sample_add")
TOKENS = reverse("admin:runs_apitoken_add")


def faults(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200, "the form was accepted"
    return dict(answer.context["adminform"].form.errors)


def make_truth(key: str, **fields: Any) -> TruthSet:
    fields = {"origin": "uploaded", "state": State.READY, **fields}
    return TruthSet.objects.create(key=key, build=Build.GRCH38, kind="smvar", **fields)


def test_a_sample_with_its_own_truth_set(
    administrator_client: Client, db: None
) -> None:
    truth = make_truth("own")
    body = {"name": "LAB-7", "truth_set": truth.pk}
    assert administrator_client.post(SAMPLES, body).status_code == 302
    sample = Sample.objects.get()
    assert (sample.truth_set, sample.individual) == (truth, "")


def test_the_individual_is_read_from_the_name(
    administrator_client: Client, db: None
) -> None:
    administrator_client.post(SAMPLES, {"name": "NA24143_Lib1_Rep1"})
    assert Sample.objects.get().individual == "HG004"


def test_only_ready_uploaded_truth_sets_are_offered(
    administrator_client: Client, db: None
) -> None:
    make_truth("ready")
    make_truth("catalogue", origin="catalog")
    make_truth("absent", state=State.ABSENT)
    form = administrator_client.get(SAMPLES).context["adminform"].form
    assert [row.key for row in form.fields["truth_set"].queryset] == ["ready"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "../etc"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "taken"}, "name"),
        ({"name": "a", "truth_set": 999}, "truth_set"),
    ],
)
def test_samples_that_cannot_be(
    administrator_client: Client, db: None, body: dict[str, Any], field: str
) -> None:
    make_sample("taken")
    assert list(faults(administrator_client.post(SAMPLES, body))) == [field]


def test_a_sample_keeps_its_name(administrator_client: Client, db: None) -> None:
    sample = make_sample("HG002_1")
    page = reverse("admin:runs_sample_change", args=[sample.pk])
    administrator_client.post(page, {"name": "other", "individual": "HG003"})
    sample.refresh_from_db()
    assert (sample.name, sample.individual) == ("HG002_1", "HG003")


def test_a_sample_with_runs_is_not_removed(
    administrator_client: Client, db: None
) -> None:
    sample = make_run().sample
    page = reverse("admin:runs_sample_delete", args=[sample.pk])
    administrator_client.post(page, {"post": "yes"})
    assert Sample.objects.exists()


def test_the_key_of_a_token_is_shown_once(
    administrator_client: Client, viewer: User
) -> None:
    body = {"user": viewer.pk, "name": "LIMS"}
    answer = administrator_client.post(TOKENS, body)
    key = answer.context["key"]
    token = ApiToken.holder(key)
    assert token is not None
    assert (token.user, token.name) == (viewer, "LIMS")
    assert "no-store" in answer.headers["Cache-Control"]
    assert key in answer.content.decode()
    page = reverse("admin:runs_apitoken_change", args=[token.pk])
    for shown in (page, reverse("admin:runs_apitoken_changelist")):
        content = administrator_client.get(shown).content.decode()
        assert key not in content
        assert token.digest not in content


def test_a_token_keeps_its_user_and_key(
    administrator_client: Client, viewer: User, administrator: User
) -> None:
    token, key = ApiToken.issue(viewer, "LIMS")
    page = reverse("admin:runs_apitoken_change", args=[token.pk])
    body = {"name": "robot", "user": administrator.pk}
    assert administrator_client.post(page, body).status_code == 302
    held = ApiToken.holder(key)
    assert held is not None
    assert (held.user, held.name) == (viewer, "robot")


def test_a_token_is_revoked(administrator_client: Client, viewer: User) -> None:
    token, key = ApiToken.issue(viewer, "LIMS")
    page = reverse("admin:runs_apitoken_delete", args=[token.pk])
    administrator_client.post(page, {"post": "yes"})
    assert ApiToken.holder(key) is None


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "x"}, "user"), ({"name": "x", "user": 999}, "user"), ({}, "name")],
)
def test_tokens_that_cannot_be(
    administrator_client: Client, db: None, body: dict[str, Any], field: str
) -> None:
    assert field in faults(administrator_client.post(TOKENS, body))
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("page", [SAMPLES, TOKENS])
def test_keeping_is_for_administrators(
    operator: User, operator_client: Client, page: str
) -> None:
    assert operator_client.post(page, {"name": "x"}).status_code == 302
    User.objects.filter(pk=operator.pk).update(is_staff=True)
    assert operator_client.post(page, {"name": "x"}).status_code == 403
    assert not Sample.objects.exists()
