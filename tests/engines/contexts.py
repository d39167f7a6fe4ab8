"""An engine's context that remembers what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.engines.base import EngineContext, Level
from benchmarks.engines.tools import ToolRunner


@dataclass
class Heard:
    lines: list[tuple[Level, str]] = field(default_factory=list)
    progress: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(f"{level}: {line}" for level, line in self.lines)

    def context(self, tools: ToolRunner | None = None) -> EngineContext:
        return EngineContext(
            log=lambda level, line: self.lines.append((level, line)),
            progress=lambda done, total: self.progress.append((done, total)),
            tools=tools or ToolRunner(),
        )
