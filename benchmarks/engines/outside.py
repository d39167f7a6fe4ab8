"""Tools of others for small variants: found, asked for their version, and called."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.engines import containers
from benchmarks.engines.base import (
    Availability,
    EngineContext,
    EngineError,
    EngineUnavailableError,
)
from benchmarks.engines.tools import OnLine, ToolError, ToolRunner

SECONDS = 60.0
"""The first start of a container takes its time."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What is looked for on PATH where the settings give no command.

    `asked` makes it tell its version, which is the first group of `version` that
    matches; `setting` names the command, `remedy` says how to come by it.
    """

    title: str
    program: str
    asked: str
    version: re.Pattern[str]
    setting: str
    remedy: str

    def probe(self, command: tuple[str, ...]) -> Availability:
        template = command or self._on_path()
        if not template:
            return Availability(
                available=False,
                reason=f"{self.program} is not on PATH, and no container command is "
                "set.",
                remedy=self.remedy,
            )
        prepared = containers.prepare(template)
        outcome = ToolRunner().capture([*prepared.argv, self.asked], seconds=SECONDS)
        found = self.version.search("\n".join(outcome.tail))
        if not outcome.ok or found is None:
            return Availability(
                available=False,
                reason=f"{' '.join(template)} does not answer {self.asked} as "
                f"{self.title} does: {outcome.words}",
                remedy=" / ".join(outcome.tail[-3:])
                or f"Try the command of {self.setting} by hand.",
                command=template,
            )
        version = next(group for group in found.groups() if group)
        return Availability(available=True, version=version, command=template)

    def _on_path(self) -> tuple[str, ...]:
        found = shutil.which(self.program)
        return (found,) if found else ()


def must(probed: Availability) -> Availability:
    """Raises EngineUnavailableError with the remedy."""
    if not probed.available:
        raise EngineUnavailableError(f"{probed.reason} {probed.remedy}")
    return probed


def call(
    command: containers.Command,
    argv: tuple[str, ...],
    context: EngineContext,
    on_line: OnLine,
    env: Mapping[str, str],
) -> None:
    """Run a program of Java or with Java in it. Raises ToolError."""
    context.log("info", " ".join(argv))
    # The address space of a JVM says nothing of its memory, so no limit on it.
    limits = replace(context.tools.limits, memory=None)
    context.tools.check(
        argv, on_line=on_line, limits=limits, env=env, after_kill=command.after_kill
    )


def failure(error: ToolError, said: str, name: str = "") -> EngineError:
    """How the tool ended, and its own words: an error that it told, else its last line.

    `name` stands for the program's, which may be that of a container runtime.
    """
    words = str(error)
    if name:
        words = words.replace(Path(error.outcome.argv[0]).name, name, 1)
    cause = said or (error.details[-1] if error.details else "")
    return EngineError(f"{words}{f' It said: {cause}' if cause else ''}", error.details)
