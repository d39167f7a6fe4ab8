"""docs/settings.md against the code: every variable, and every default."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from vcbench_site import environment
from vcbench_site.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `(\w+)` \| (?:`([^`]*)`)? ?\| \S", re.MULTILINE)
NAME = re.compile(r"\bVCBENCH_[A-Z0-9_]*[A-Z0-9]\b")
MADE = {"VCBENCH_DATA_DIR", "VCBENCH_SECRET_KEY"}
"""Settings whose value is made from the default."""


@pytest.fixture(scope="module")
def page() -> dict[str, str]:
    """Documented variables with their defaults."""
    return dict(ROW.findall((ROOT / "docs" / "settings.md").read_text()))


@pytest.fixture
def defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    import os

    for name in [name for name in os.environ if name.startswith("VCBENCH_")]:
        monkeypatch.delenv(name)
    return environment.read(tmp_path)


def mentioned() -> set[str]:
    """Every variable that a source file names."""
    folders = ("vcbench_site", "runs", "benchmarks", "demo", "tests", "benches")
    files = [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
    ]
    files += [ROOT / "Makefile", ROOT / ".ci" / "run", *ROOT.glob("README.md")]
    return {name for path in files for name in NAME.findall(path.read_text())}


def written(value: object) -> str:
    match value:
        case bool():
            return str(int(value))
        case list():
            return ",".join(map(str, value))
    return str(value)


def test_every_setting_is_documented(page: dict[str, str]) -> None:
    known = {f"VCBENCH_{field.name.upper()}" for field in fields(Environment)}
    assert known <= page.keys()


def test_every_variable_that_code_names_is_documented(page: dict[str, str]) -> None:
    assert mentioned() - page.keys() == set()


def test_nothing_is_documented_that_no_code_names(page: dict[str, str]) -> None:
    known = {f"VCBENCH_{field.name.upper()}" for field in fields(Environment)}
    ours = {name for name in page if name.startswith("VCBENCH_")}
    assert ours - known - mentioned() == set()


def test_defaults_are_those_of_the_code(
    page: dict[str, str], defaults: Environment
) -> None:
    for field in fields(Environment):
        name = f"VCBENCH_{field.name.upper()}"
        if name not in MADE:
            assert page[name] == written(getattr(defaults, field.name)), name
