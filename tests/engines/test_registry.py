from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks.engines import registry
from benchmarks.engines.base import EngineError


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    values = SimpleNamespace(
        engine="builtin",
        happy_command="/nowhere/hap.py",
        rtg_command="'/no where/rtg' -x",
    )
    monkeypatch.setattr(registry, "settings", SimpleNamespace(VCBENCH=values))
    return values


def test_the_engine_of_the_settings_is_the_default(chosen: SimpleNamespace) -> None:
    assert registry.small_variant_engine().name == "builtin"
    chosen.engine = "vcfeval"
    assert registry.small_variant_engine().name == "vcfeval"
    assert registry.structural_variant_engine().name == "truvari"


def test_unknown_engines_are_named_with_the_known(chosen: SimpleNamespace) -> None:
    with pytest.raises(
        EngineError, match="no engine 'x' for small variants; there are"
    ):
        registry.small_variant_engine("x")
    with pytest.raises(EngineError, match="'y' for structural variants"):
        registry.structural_variant_engine("y")


def test_commands_come_from_the_settings(chosen: SimpleNamespace) -> None:
    assert registry.small_variant_engine("happy").probe().command == (
        "/nowhere/hap.py",
    )
    assert registry.small_variant_engine("vcfeval").probe().command == (
        "/no where/rtg",
        "-x",
    )
    chosen.rtg_command = "rtg 'open"
    with pytest.raises(EngineError, match="VCBENCH_RTG_COMMAND cannot be taken apart"):
        registry.small_variant_engine("vcfeval")


def test_probe_all_never_fails(chosen: SimpleNamespace) -> None:
    found = registry.probe_all()
    assert list(found) == ["builtin", "happy", "vcfeval", "truvari"]
    assert found["builtin"].available
    assert not found["happy"].available
    chosen.rtg_command = "rtg 'open"
    assert "cannot be taken apart" in registry.probe_all()["vcfeval"].reason
