"""What the stages that run an engine share."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from benchmarks.engines.base import (
    EngineContext,
    EngineResult,
    StructuralVariantResult,
)
from benchmarks.engines.tools import Limits, ToolRunner
from runs.artifacts import sha256_of
from runs.stages.base import Context


@dataclass(frozen=True, slots=True)
class _Progress:
    context: Context

    def __call__(self, done: int, total: int | None) -> None:
        self.context.progress(done, total, None)


def engine_context(context: Context) -> EngineContext:
    """An engine speaks through the run's log and stops when the run should."""
    return EngineContext(
        log=context.log.write,
        progress=_Progress(context),
        tools=ToolRunner(
            context.should_stop,
            Limits(
                seconds=settings.VCBENCH.tool_hours * 3600,
                silence=settings.VCBENCH.tool_silence_minutes * 60,
                memory=memory_bytes(),
            ),
        ),
    )


def memory_bytes() -> int | None:
    """What a tool may use, or None where the settings leave it to the tool."""
    return settings.VCBENCH.tool_memory_mb * 2**20 or None


def provenance(
    result: EngineResult | StructuralVariantResult, query: Path
) -> dict[str, Any]:
    """How the result was made, for the run's record."""
    return {
        "engine": result.engine,
        "versions": dict(result.versions),
        "commands": [shlex.join(command) for command in result.commands],
        "query": {"name": query.name, "sha256": sha256_of(query)},
    }
