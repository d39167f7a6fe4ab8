"""The engines there are, set up as the settings say, and which of them work here."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

from django.conf import settings

from benchmarks.engines.base import (
    Availability,
    Engine,
    EngineError,
    SmallVariantEngine,
    StructuralVariantEngine,
)
from benchmarks.engines.builtin import BuiltinEngine
from benchmarks.engines.happy import HappyEngine
from benchmarks.engines.truvari import TruvariEngine
from benchmarks.engines.vcfeval import VcfevalEngine

SMALL = ("builtin", "happy", "vcfeval")
STRUCTURAL = ("truvari",)


def small_variant_engine(name: str = "") -> SmallVariantEngine:
    """The engine of that name, by default that of VCBENCH_ENGINE.

    Raises EngineError when there is no such engine; whether it works here is for
    its `probe` to say.
    """
    name = name or str(settings.VCBENCH.engine)
    match name:
        case "builtin":
            return BuiltinEngine()
        case "happy":
            return HappyEngine(_command("happy_command"))
        case "vcfeval":
            return VcfevalEngine(_command("rtg_command"))
    raise _unknown(name, SMALL, "small variants")


def structural_variant_engine(name: str = "truvari") -> StructuralVariantEngine:
    """The engine of that name. Raises EngineError when there is no such engine."""
    if name == "truvari":
        return TruvariEngine()
    raise _unknown(name, STRUCTURAL, "structural variants")


def probe_all() -> Mapping[str, Availability]:
    """What works here, by engine. Starts each tool once, which takes some seconds."""
    return {
        **{name: _probe(small_variant_engine, name) for name in SMALL},
        **{name: _probe(structural_variant_engine, name) for name in STRUCTURAL},
    }


def _probe(find: Callable[[str], Engine], name: str) -> Availability:
    try:
        return find(name).probe()
    except EngineError as error:
        return Availability(
            available=False, reason=str(error), remedy="Correct the setting."
        )


def _command(setting: str) -> tuple[str, ...]:
    text = str(getattr(settings.VCBENCH, setting, ""))
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise EngineError(
            f"The setting VCBENCH_{setting.upper()} cannot be taken apart into words: "
            f"{error}. Its value is {text!r}."
        ) from error


def _unknown(name: str, known: tuple[str, ...], what: str) -> EngineError:
    return EngineError(
        f"There is no engine {name!r} for {what}; there are {', '.join(known)}."
    )
