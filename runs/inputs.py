"""What a run was given: the files of its download stage, by what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parsers.vcf_header import VcfError, VcfHeader, sniff
from runs.models import Artifact, StageName
from runs.stages.base import Context, StageFailed

SMALL_VARIANTS = (
    "smvar_vcf",
    "smvar_gvcf",
    "smvar_vcf_unfiltered",
    "smvar_gvcf_unfiltered",
)
"""Kinds of small-variant calls, the best first."""
STRUCTURAL_VARIANTS = ("sv_vcf", "sv_vcf_dedup", "cnv_sv_vcf")


@dataclass(frozen=True, slots=True)
class Calls:
    """A call file and what its header says."""

    path: Path
    header: VcfHeader
    mark: str
    """Size and MD5, which tell this file from any other."""

    @property
    def is_gvcf(self) -> bool:
        return self.header.is_gvcf


@dataclass(frozen=True, slots=True)
class Inputs:
    """The input files of a run."""

    files: Sequence[Artifact]

    @classmethod
    def of(cls, context: Context) -> Inputs:
        rows = Artifact.objects.filter(
            run=context.run, role=Artifact.Role.INPUT, stage=StageName.DOWNLOAD
        )
        return cls(list(rows))

    def small_variants(self) -> Calls:
        return self._calls("small-variant calls", SMALL_VARIANTS)

    def structural_variants(self) -> Calls:
        return self._calls("structural-variant calls", STRUCTURAL_VARIANTS)

    def metrics(self) -> list[Artifact]:
        return [file for file in self.files if file.path.endswith(".csv")]

    def any_calls(self) -> Calls:
        """Calls of whatever kind, for what their header says of the genome."""
        kinds = SMALL_VARIANTS + STRUCTURAL_VARIANTS
        return self._calls("call file", kinds)

    def _calls(self, what: str, kinds: Sequence[str]) -> Calls:
        by_kind = {file.kind: file for file in reversed(self.files)}
        found = next((by_kind[kind] for kind in kinds if kind in by_kind), None)
        if found is None:
            names = ", ".join(file.name for file in self.files) or "none"
            raise StageFailed(f"There are no {what} among the inputs: {names}.")
        try:
            header = sniff(found.file)
        except VcfError as error:
            raise StageFailed(str(error)) from error
        return Calls(found.file, header, f"{found.size}:{found.checksum}")
