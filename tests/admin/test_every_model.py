"""The quartet of every admin page: works, not allowed, wrong method, bad input."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from benchmarks.models import (
    Build,
    QCMetric,
    Reference,
    SmallVariantMetric,
    StructuralVariantMetric,
    TruthSet,
)
from runs.models import (
    Annotation,
    ApiToken,
    Artifact,
    LogEntry,
    Run,
    Sample,
    Stage,
    StageName,
)
from tests.builders import make_run, make_sample

MODELS: list[type[Model]] = [
    Run,
    Stage,
    Sample,
    LogEntry,
    Artifact,
    Annotation,
    ApiToken,
    Reference,
    TruthSet,
    SmallVariantMetric,
    StructuralVariantMetric,
    QCMetric,
]
KEPT = (Sample, Annotation, ApiToken, TruthSet)
READ_ONLY = [model for model in MODELS if model not in KEPT]


def name(model: type[Model], what: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}"


def make_rows(number: int) -> dict[type[Model], Model]:
    """One row of each model, and all that it hangs on."""
    sample = make_sample(f"s{number}")
    run = make_run(StageName.CSV, sample=sample)
    user = User.objects.create(username=f"user{number}")
    counts = {"truth_total": 1, "truth_tp": 1, "truth_fn": 0, "query_total": 1}
    return {
        Run: run,
        Sample: sample,
        Stage: run.stages.get(),
        LogEntry: LogEntry.objects.create(
            run=run, sequence=1, time=timezone.now(), level="info", message="hello"
        ),
        Artifact: Artifact.objects.create(
            run=run, name="a", role="input", stage="csv", path="a", size=1
        ),
        Annotation: Annotation.objects.create(text="a new lot"),
        ApiToken: ApiToken.issue(user, f"t{number}")[0],
        Reference: Reference.objects.create(key=f"r{number}", build=Build.GRCH38),
        TruthSet: TruthSet.objects.create(
            key=f"t{number}", build=Build.GRCH38, kind="smvar"
        ),
        SmallVariantMetric: SmallVariantMetric.objects.create(
            run=run,
            engine="builtin",
            type="SNP",
            filter="ALL",
            query_fp=0,
            query_unk=0,
            **counts,
        ),
        StructuralVariantMetric: StructuralVariantMetric.objects.create(
            run=run, source="bench", preset="default", tp_base=1, tp_comp=1, fp=0, fn=0
        ),
        QCMetric: QCMetric.objects.create(
            run=run, category="c", file="f", kind="k", line=1, metric="m", text="1"
        ),
    }


@pytest.fixture
def rows(db: None) -> dict[type[Model], Model]:
    return make_rows(1)


def test_every_model_has_its_page() -> None:
    ours = {
        model
        for app in ("runs", "benchmarks")
        for model in apps.get_app_config(app).get_models()
    }
    assert ours == set(MODELS)
    assert ours <= set(admin.site._registry)


@pytest.mark.parametrize("model", MODELS)
class TestEach:
    def test_the_list_and_a_row(
        self,
        administrator_client: Client,
        rows: dict[type[Model], Model],
        model: type[Model],
    ) -> None:
        listed = administrator_client.get(reverse(name(model, "changelist")))
        row = reverse(name(model, "change"), args=[rows[model].pk])
        shown = administrator_client.get(row)
        assert (listed.status_code, shown.status_code) == (200, 200)
        assert listed.context["cl"].result_count == 1

    def test_the_list_costs_the_same_for_many_rows(
        self,
        administrator_client: Client,
        rows: dict[type[Model], Model],
        model: type[Model],
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(2, 12):
            make_rows(number)
        with django_assert_max_num_queries(12):
            administrator_client.get(reverse(name(model, "changelist")))

    def test_only_for_administrators(
        self, viewer: User, operator_client: Client, model: type[Model], db: None
    ) -> None:
        address = reverse(name(model, "changelist"))
        assert operator_client.get(address).status_code == 302
        staff = Client()
        User.objects.filter(pk=viewer.pk).update(is_staff=True)
        viewer.groups.clear()
        staff.force_login(viewer)
        assert staff.get(address).status_code == 403

    def test_odd_questions_are_answered(
        self, administrator_client: Client, model: type[Model], rows: Any
    ) -> None:
        address = reverse(name(model, "changelist"))
        for query in ("q=%00x", "q=a'b", "p=999", "run=abc", "nothing__is=1"):
            answer = administrator_client.get(f"{address}?{query}")
            assert answer.status_code in (200, 302), query
        missing = reverse(name(model, "change"), args=[999_999])
        assert administrator_client.get(missing).status_code == 302


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_the_portal_writes_is_only_read(
    administrator_client: Client, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    key = rows[model].pk
    assert administrator_client.get(reverse(name(model, "add"))).status_code == 403
    change = reverse(name(model, "change"), args=[key])
    assert administrator_client.post(change, {}).status_code == 403
    delete = reverse(name(model, "delete"), args=[key])
    assert administrator_client.post(delete, {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=key).exists()


def test_a_keeper_with_one_permission_sees_that_alone(
    viewer: User, rows: dict[type[Model], Model]
) -> None:
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    viewer.groups.clear()
    viewer.user_permissions.add(Permission.objects.get(codename="view_run"))
    client = Client()
    client.force_login(viewer)
    assert client.get(reverse(name(Run, "changelist"))).status_code == 200
    assert client.get(reverse(name(Sample, "changelist"))).status_code == 403
