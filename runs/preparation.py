"""What is done to fetched files before they are used, each step in a child process.

pysam keeps the interpreter to itself while it works, which takes minutes for a genome:
in the worker's own process neither a beat nor a cancel would come through. A child
goes on beside them, and ends with the run or with the worker.
"""

from __future__ import annotations

import errno
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.engines.tools import Stream, ToolOutcome, ToolRunner
from runs.transfers.base import Progress, TransferCancelled, human_bytes
from runs.transfers.part import full_disk

SCRIPT = Path(__file__).with_name("indexing.py")
LITTLE_SPACE = 1_000_000
"""Bytes; with less left on a disk, a step has failed because it is full."""


class PreparationError(Exception):
    """A file was fetched, but cannot be used; a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes fetched files ready. Paths are by role, as in a row's `files`.

    Every method raises `PreparationError`, `SpaceError`, or `TransferCancelled` soon
    after `should_stop`; then nothing that it would have made is in place.
    """

    say: Callable[[str], None]
    progress: Progress
    should_stop: Callable[[], bool]

    def fasta(self, paths: dict[str, Path]) -> dict[str, Path]:
        """Give a FASTA its indexes; plain gzip is compressed anew as bgzip first."""
        fasta = paths["fasta"]
        is_packed = fasta.suffix == ".gz"
        is_new = is_packed and not _is_bgzip(fasta)
        if is_new:
            fasta = self._as_bgzip(fasta)
        roles = ("fai", "gzi") if is_packed else ("fai",)
        index = {role: fasta.with_name(f"{fasta.name}.{role}") for role in roles}
        if is_new or not all(path.is_file() for path in index.values()):
            fault = f"The reference {fasta.name} cannot be indexed: {{}}"
            self._make("fasta", fasta, list(index.values()), fault)
        return {"fasta": fasta} | index

    def truth_set(self, paths: dict[str, Path]) -> dict[str, Path]:
        """Give a VCF its index, where none was fetched."""
        vcf = paths["vcf"]
        tbi = vcf.with_name(f"{vcf.name}.tbi")
        if "tbi" not in paths:
            fault = (
                f"The truth set {vcf.name} cannot be indexed: {{}}. It must be "
                "compressed by bgzip and sorted by position."
            )
            self._make("vcf", vcf, [tbi], fault)
        return paths | {"tbi": tbi}

    def _as_bgzip(self, fasta: Path) -> Path:
        target = fasta.with_name(f"{fasta.name.removesuffix('.gz')}.bgz.fa.gz")
        size = human_bytes(fasta.stat().st_size)
        self.say(f"Compressing {fasta.name} ({size}) anew as bgzip.")
        fault = f"The reference {fasta.name} cannot be compressed anew as bgzip: {{}}"
        self._make("compress", fasta, [target], fault)
        return target

    def _make(
        self, task: str, source: Path, results: Sequence[Path], fault: str
    ) -> None:
        """All results or none, whole: what is not is removed, or else overwritten.

        `fault` is a sentence with a place for the cause.
        """
        parts = [path.with_name(f"{path.name}.part") for path in results]
        _remove(parts)
        try:
            cause = self._run([task, str(source), *map(str, parts)])
            if cause is not None:
                _check_disk(source.parent)
                raise PreparationError(fault.format(cause))
            for part, path in zip(parts, results, strict=True):
                part.replace(path)
        finally:
            _remove(parts)

    def _run(self, words: list[str]) -> str | None:
        """Carry out the script; returns why it failed, None where it did not."""
        said = _Said(self.progress)
        # -P: the folder of the script has modules named as those of the library
        command = [sys.executable, "-P", str(SCRIPT), *words]
        outcome = ToolRunner(self.should_stop).run(command, on_line=said)
        if outcome.ending == "cancelled":
            raise TransferCancelled
        return None if outcome.ok else said.fault or _crash(outcome)


@dataclass(slots=True)
class _Said:
    """What the child says, taken as it comes."""

    progress: Progress
    fault: str = ""
    started: float = field(default_factory=time.monotonic)

    def __call__(self, stream: Stream, line: str) -> None:
        if stream != "stdout":
            return
        try:
            said = json.loads(line)
        except ValueError:
            return
        match said:
            case {"progress": [int() as done, int() as total]}:
                passed = max(time.monotonic() - self.started, 0.001)
                self.progress(done, total, done / passed)
            case {"fault": str() as fault}:
                self.fault = fault


def _crash(outcome: ToolOutcome) -> str:
    """How the child ended without a word of its own, without a full stop."""
    last = f" It said: {outcome.tail[-1]}" if outcome.tail else ""
    return f"{outcome.words}{last}".rstrip(".")


def _check_disk(folder: Path) -> None:
    """Raises SpaceError where next to nothing is left. htslib does not say so."""
    if shutil.disk_usage(folder).free < LITTLE_SPACE:
        raise full_disk(folder, OSError(errno.ENOSPC, "No space left"))


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _is_bgzip(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    return head[:4] == b"\x1f\x8b\x08\x04" and head[12:14] == b"BC"
