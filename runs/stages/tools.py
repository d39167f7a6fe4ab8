"""What the stages that run an engine share."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings

from benchmarks.engines.base import (
    EngineCancelledError,
    EngineContext,
    EngineError,
    EngineResult,
    Level,
    StructuralVariantResult,
)
from benchmarks.engines.tools import Limits, ToolRunner
from runs.artifacts import sha256_of
from runs.stages.base import Context, StageFailed

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Progress:
    context: Context

    def __call__(self, done: int, total: int | None) -> None:
        self.context.progress(done, total, None)


@dataclass(frozen=True, slots=True)
class Short:
    """Takes the server's folders out of a text: readers of a log need them not.

    Files are named from the run's folder or from the data folder; the command lines
    in the run's record stay whole.
    """

    context: Context

    def __call__(self, text: str) -> str:
        for path, instead in self._known():
            text = re.sub(rf"(?<![\w./-]){re.escape(path)}", instead, text)
        return text

    def _known(self) -> list[tuple[str, str]]:
        folders = (self.context.folder, settings.VCBENCH.data_dir, settings.BASE_DIR)
        below = [(f"{folder}/", "") for folder in folders]
        return [(f"{sys.executable} ", "python "), *below]

    def log(self, level: Level, text: str) -> None:
        self.context.log.write(level, self(text))


def carry_out(context: Context, call: Callable[[EngineContext], Result]) -> Result:
    """What the engine makes. Raises `StageFailed` with its words."""
    try:
        return call(engine_context(context))
    except EngineCancelledError:
        context.check()
        raise
    except EngineError as error:
        short = Short(context)
        details = "\n".join(map(short, error.details))
        raise StageFailed(short(str(error)), details) from error


def engine_context(context: Context) -> EngineContext:
    """An engine speaks through the run's log and stops when the run should."""
    return EngineContext(
        log=Short(context).log,
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
