from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from benchmarks.engines.base import Availability
from benchmarks.management.commands import doctor

pytestmark = pytest.mark.django_db
WORKS = Availability(available=True, version="1.2")
MISSING = Availability(available=False, reason="It is not here.", remedy="Get it.")


@pytest.fixture
def machine(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> dict[str, Any]:
    """A machine where all works; its parts can be broken by the test."""
    probed = {"builtin": WORKS, "happy": MISSING, "truvari": WORKS}
    monkeypatch.setattr("benchmarks.engines.registry.probe_all", lambda: probed)
    settings.VCBENCH = replace(
        settings.VCBENCH, engine="builtin", data_dir=tmp_path, catalog=""
    )
    monkeypatch.setattr(
        doctor,
        "redis_server",
        lambda: doctor.Finding("Redis", works=True, needed=True, details="here"),
    )
    return probed


def told() -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out, no_color=True)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code or 0)
    return out.getvalue(), 0


@pytest.mark.usefixtures("machine")
def test_a_missing_engine_that_is_not_chosen_is_no_failure() -> None:
    text, code = told()
    assert code == 0
    assert "works  engine builtin (default)" in text
    assert "engine happy           It is not here." in text
    assert "-> Get it." in text
    assert "7 individuals" in text


def test_the_chosen_engine_is_needed(machine: dict[str, Any]) -> None:
    machine["builtin"] = MISSING
    text, code = told()
    assert code == 1
    assert "fails  engine builtin (default)" in text


def test_a_data_folder_that_cannot_be_written(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    text, code = told()
    assert code == 1
    assert "cannot be written" in text
    assert "VCBENCH_DATA_DIR" in text


def test_a_full_disk_is_said(
    machine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**80)
    assert "Make room" in told()[0]


def test_a_broken_catalogue(
    machine: dict[str, Any], settings: Any, tmp_path: Path
) -> None:
    settings.VCBENCH = replace(settings.VCBENCH, catalog=str(tmp_path / "none.json"))
    text, code = told()
    assert code == 1
    assert "none.json cannot be read" in text


def test_a_redis_that_does_not_answer(settings: Any) -> None:
    settings.VCBENCH = replace(
        settings.VCBENCH, redis_url="redis://:secret@127.0.0.1:1/0"
    )
    found = doctor.redis_server()
    assert not found.works
    assert "redis://127.0.0.1:1/0" in found.details
    assert "secret" not in found.details


@pytest.mark.usefixtures("machine")
def test_migrations_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "django.db.migrations.executor.MigrationExecutor.migration_plan",
        lambda *_: [("x", False)],
    )
    text, code = told()
    assert code == 1
    assert "1 migrations to apply" in text
    assert "manage.py migrate" in text


@pytest.mark.usefixtures("machine")
def test_as_json() -> None:
    out = io.StringIO()
    call_command("doctor", "--json", stdout=out)
    names = [found["name"] for found in json.loads(out.getvalue())]
    assert names[-4:] == ["data folder", "catalogue", "database", "Redis"]
