from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from benchmarks.engines import registry
from benchmarks.engines.base import Availability, EngineError
from benchmarks.models import Build, State, TruthSet
from runs.models import Status
from tests.api.conftest import Api
from tests.builders import make_run, make_sample


@pytest.fixture(autouse=True)
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools are an edge: each is started when it is asked for."""
    found = {
        "builtin": Availability(True, "1.0"),
        "truvari": Availability(False, reason="Not there.", remedy="Install it."),
    }
    monkeypatch.setattr(registry, "probe_all", lambda: found)
    cache.clear()


def test_samples_with_their_newest_runs(looks: Api) -> None:
    sample = make_sample("HG002_1", individual="HG002")
    make_run(sample=sample, status=Status.ERROR)
    newest = make_run(sample=sample, created_at=timezone.now() + timedelta(days=1))
    make_sample("HG001_1", individual="HG001")
    items = looks.ask("GET", "samples").json()["items"]
    assert [item["sample_id"] for item in items] == ["HG001_1", "HG002_1"]
    assert items[0]["newest_run"] is None
    assert items[1]["newest_run"] == str(newest.uuid)
    assert (items[1]["runs"], items[1]["newest_status"]) == (2, "pending")


def test_samples_are_filtered_and_paged(looks: Api) -> None:
    for name in ("b_1", "a_1", "a_2"):
        make_sample(name)
    make_sample("a_other", individual="")
    first = looks.ask("GET", "samples?q=a_&individual=HG004&limit=1").json()
    path = f"samples?q=a_&individual=HG004&limit=1&cursor={first['next']}"
    second = looks.ask("GET", path).json()
    names = [page["items"][0]["sample_id"] for page in (first, second)]
    assert (names, second["next"]) == (["a_1", "a_2"], None)


def test_many_samples_cost_the_same(
    looks: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        make_run(sample=make_sample(f"s{number}"))
    looks.ask("GET", "samples")
    with django_assert_num_queries(4):  # token, 2 permissions, samples
        looks.ask("GET", "samples")


def test_references_say_what_is_here(looks: Api) -> None:
    TruthSet.objects.create(
        key="HG002-GRCh38-v4.2.1-smvar",
        build=Build.GRCH38,
        kind="smvar",
        state=State.READY,
    )
    TruthSet.objects.create(
        key="own", build=Build.GRCH37, kind="stvar", origin="uploaded"
    )
    answer = looks.ask("GET", "references").json()
    truth = {row["key"]: row for row in answer["truth_sets"]}
    assert truth["own"]["origin"] == "uploaded"
    assert any(row["individual"] == "HG007" for row in truth.values())
    assert any(row["default"] for row in answer["references"])
    assert {row["state"] for row in answer["references"]} == {"absent"}


def test_a_catalogue_that_cannot_be_read(
    looks: Api, configure: Callable[..., None], tmp_path: Path
) -> None:
    configure(catalog=str(tmp_path / "none.json"))
    answer = looks.ask("GET", "references")
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        503,
        "catalogue_unreadable",
    )


def test_engines_say_what_works_here(looks: Api) -> None:
    answer = looks.ask("GET", "engines").json()
    assert [each["name"] for each in answer["engines"]] == ["builtin", "truvari"]
    assert answer["engines"][1]["remedy"] == "Install it."
    assert [each["kind"] for each in answer["engines"]] == ["smvar", "stvar"]
    assert "default" in [preset["name"] for preset in answer["presets"]]


def test_engines_whose_setting_is_wrong(
    looks: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise EngineError("The setting VCBENCH_RTG_COMMAND cannot be taken apart.")

    monkeypatch.setattr(registry, "probe_all", fail)
    answer = looks.ask("GET", "engines")
    assert answer.status_code == 503
    assert "VCBENCH_RTG_COMMAND" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["samples", "references", "engines"])
class TestEach:
    def test_not_without_a_role(self, not_allowed: Api, name: str) -> None:
        assert not_allowed.ask("GET", name).status_code == 403

    def test_wrong_method(self, operates: Api, name: str) -> None:
        answer = operates.ask("DELETE", name)
        assert (answer.status_code, answer.headers["Allow"]) == (
            405,
            "GET, HEAD, OPTIONS",
        )

    def test_bad_input(self, looks: Api, name: str) -> None:
        assert looks.ask("GET", f"{name}?colour=red").status_code == 400
