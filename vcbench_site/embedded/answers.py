"""What `make run` asks once, and keeps in a file that the environment overrules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values, set_key


@dataclass(frozen=True, slots=True)
class Question:
    variable: str
    text: str
    default: str = ""


QUESTIONS = (
    Question("VCBENCH_DATA_DIR", "Folder for all data of the portal", "data"),
    Question("VCBENCH_S3_BUCKET", "S3 bucket with the DRAGEN calls (empty: none)"),
    Question("VCBENCH_S3_PREFIX", "Prefix in that bucket"),
    Question("VCBENCH_S3_ENDPOINT", "S3 endpoint (empty: Amazon's)"),
    Question("VCBENCH_S3_REGION", "S3 region"),
    Question("VCBENCH_S3_PROFILE", "Profile of ~/.aws (empty: the default)"),
)
LATER = ("PREFIX", "ENDPOINT", "REGION", "PROFILE")
"""Not asked where there is no bucket."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers kept in `path`; new ones are asked for where `ask` is set."""

    path: Path
    ask: bool
    read: Callable[[str], str] = input

    def complete(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment with the kept and the new answers beneath it."""
        kept = {
            name: value
            for name, value in dotenv_values(self.path, interpolate=False).items()
            if value is not None
        }
        if self.ask:
            kept |= self._ask_for({**kept, **given})
        return {**kept, **given}

    def _ask_for(self, known: Mapping[str, str]) -> dict[str, str]:
        fresh: dict[str, str] = {}
        for question in QUESTIONS:
            bucket = {**known, **fresh}.get("VCBENCH_S3_BUCKET")
            needless = question.variable.endswith(LATER) and not bucket
            if question.variable in known or needless:
                continue
            default = f" [{question.default}]" if question.default else ""
            answer = self.read(f"{question.text}{default}: ").strip()
            fresh[question.variable] = answer or question.default
            self._keep(question.variable, fresh[question.variable])
        return fresh

    def _keep(self, name: str, value: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        set_key(self.path, name, value)
