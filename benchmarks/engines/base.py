"""What every engine offers, so that the portal and the command line know no tool.

An engine is told *what* to compare in a job and *how to speak* in a context. It
raises :class:`EngineError` with a sentence for a person; everything else that it
raises is a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from benchmarks.engines.tools import ToolRunner
    from benchmarks.parsers.happy import SummaryRow
    from benchmarks.parsers.truvari import TruvariSummary

Level = Literal["info", "success", "warning", "error", "progress"]
Sex = Literal["male", "female", "auto"]
LogLine = Callable[[Level, str], None]
Progress = Callable[[int, "int | None"], None]


class EngineError(Exception):
    """The comparison cannot be made: a one-line cause, the rest in `details`."""

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.details = details


class EngineUnavailableError(EngineError):
    """The engine cannot run on this machine; the message holds the remedy."""


class EngineCancelledError(EngineError):
    """`should_stop` said so, and the tool and its children are gone."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an engine can run here. `reason` and `remedy` are sentences, or ''."""

    available: bool
    version: str = ""
    reason: str = ""
    remedy: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineContext:
    """How an engine speaks and starts tools. `progress` takes (done, total or None)."""

    log: LogLine
    progress: Progress
    tools: ToolRunner


@dataclass(frozen=True, slots=True)
class SmallVariantJob:
    """One comparison of small variants.

    `confident` are the truth set's regions (calls outside become UNK); `targets`
    cut both files down by position. `out_prefix` is a path without suffix, its
    folder exists. `memory_bytes` bounds the tool (Java heap, address space); None
    leaves it to the tool. `sdf` is a ready RTG template; without it one is made
    and cached in `cache_dir`.
    """

    truth: Path
    query: Path
    reference: Path
    out_prefix: Path
    confident: Path | None = None
    targets: Path | None = None
    stratification: Path | None = None
    roc: str = "QUAL"
    pass_only: bool = False
    ci_alpha: float = 0.05
    threads: int = 1
    truth_sample: str | None = None
    query_sample: str | None = None
    sex: Sex = "auto"
    is_gvcf: bool = False
    memory_bytes: int | None = None
    sdf: Path | None = None
    cache_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class EngineResult:
    """What was made, and with what, for the record of a run.

    `files` names: summary, extended, roc_all, roc_snp, roc_snp_pass, roc_indel,
    roc_indel_pass, metrics, runinfo, vcf, vcf_index; those absent were not made.
    """

    engine: str
    versions: Mapping[str, str]
    commands: tuple[tuple[str, ...], ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rows: tuple[SummaryRow, ...] = ()


@dataclass(frozen=True, slots=True)
class StructuralVariantJob:
    """One comparison of structural variants; `out_dir` must not exist yet.

    `extra` are arguments of `truvari bench` after those of the preset.
    """

    truth: Path
    query: Path
    reference: Path
    out_dir: Path
    confident: Path | None = None
    preset: str = "default"
    extra: tuple[str, ...] = ()
    threads: int = 1
    truth_sample: str | None = None
    query_sample: str | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StructuralVariantResult:
    """As :class:`EngineResult`; `refined` is there when `truvari refine` ran.

    `parameters` are those that Truvari itself wrote down (params.json).
    """

    engine: str
    versions: Mapping[str, str]
    summary: TruvariSummary
    refined: TruvariSummary | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    commands: tuple[tuple[str, ...], ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Engine(Protocol):
    """What all engines share."""

    @property
    def name(self) -> str: ...

    def probe(self) -> Availability:
        """Look whether the engine works here; never raises."""
        ...


class SmallVariantEngine(Engine, Protocol):
    """Compares small variants and writes hap.py's files."""

    def run(self, job: SmallVariantJob, context: EngineContext) -> EngineResult: ...


class StructuralVariantEngine(Engine, Protocol):
    """Compares structural variants and writes Truvari's files."""

    def run(
        self, job: StructuralVariantJob, context: EngineContext
    ) -> StructuralVariantResult: ...
