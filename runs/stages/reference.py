"""The matching truth sets and reference genome, out of the shared cache."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings

from benchmarks import catalog
from benchmarks.models import Reference, TruthSet
from runs import artifacts
from runs.inputs import Inputs
from runs.models import Artifact, StageName
from runs.preparation import PreparationError
from runs.references import Fetcher
from runs.stages.base import Context, Findings, StageFailed, StageSkipped
from runs.transfers.base import TransferCancelled, TransferError

NOTE = "found.json"


@dataclass(frozen=True, slots=True)
class Truth:
    """The files of a truth set."""

    key: str
    vcf: Path
    bed: Path


@dataclass(frozen=True, slots=True)
class Found:
    """What belongs to a sample: keys of rows, and why something is missing."""

    build: str
    reference: str
    small: str | None
    structural: str | None
    no_small: str = ""
    no_structural: str = ""
    strata: str | None = None

    @classmethod
    def of(cls, context: Context) -> Found:
        note = context.published(StageName.REFERENCE) / NOTE
        return cls(**json.loads(note.read_text()))

    def reference_fasta(self) -> Path:
        return Reference.objects.get(key=self.reference).path("fasta")

    def small_truth_set(self) -> Truth:
        if self.small is None:
            raise StageFailed(self.no_small)
        return _truth(self.small)

    def structural_truth_set(self) -> Truth:
        if self.structural is None:
            raise StageSkipped(self.no_structural)
        return _truth(self.structural)

    def strata_list(self) -> Path | None:
        return Path(settings.VCBENCH.data_dir, self.strata) if self.strata else None


def _truth(key: str) -> Truth:
    row = TruthSet.objects.get(key=key)
    return Truth(key, row.path("vcf"), row.path("bed"))


class ReferenceStage:
    """Finds individual and build, and fetches what is not here yet."""

    name: ClassVar[StageName] = StageName.REFERENCE
    needs: ClassVar[tuple[StageName, ...]] = (StageName.DOWNLOAD,)
    resumes: ClassVar[bool] = False

    def inputs(self, context: Context) -> dict[str, Any]:
        options = context.run.options
        return {
            "individual": _individual(context),
            "own": context.run.sample.truth_set_id,
            "build": _build(context),
            "version": options.get("truth_version"),
            "stratified": options.get("stratified", False),
            "structural": _wants(context, StageName.TRUVARI),
            "catalog": str(settings.VCBENCH.catalog),
        }

    def perform(self, context: Context, work: Path) -> None:
        try:
            found = self._find(context)
        except TransferCancelled:
            context.check()
            raise
        except TransferError as error:
            raise StageFailed.of_transfer(error) from error
        except (PreparationError, catalog.CatalogError) as error:
            raise StageFailed(str(error)) from error
        (work / NOTE).write_text(json.dumps(asdict(found), indent=1))
        context.provenance[self.name] = asdict(found)

    def _find(self, context: Context) -> Found:
        build = _build(context)
        fetcher = Fetcher(
            context.log.info, context.progress, context.should_stop, context.check
        )
        own = context.run.sample.truth_set
        if own is not None:
            return self._own(own, build, fetcher)
        person = _individual(context)
        known = catalog.current()
        small = known.truth_set(
            person, build, "smvar", context.run.options.get("truth_version")
        )
        if small.entry is None and _wants(context, StageName.HAPPY):
            raise StageFailed(small.reason)
        structural = known.truth_set(person, build, "stvar")
        wants_structural = _wants(context, StageName.TRUVARI)
        if wants_structural and structural.entry is None:
            context.log.warning(structural.reason)
        context.log.info(f"The sample is of {person}, its calls are on {build}.")
        return Found(
            build=build,
            reference=fetcher.reference(known.reference(build)).key,
            small=fetcher.truth_set(small.entry).key if small.entry else None,
            structural=(
                fetcher.truth_set(structural.entry).key
                if structural.entry and wants_structural
                else None
            ),
            no_small=small.reason,
            no_structural=structural.reason,
            strata=self._strata(context, known, build, fetcher),
        )

    def _own(self, own: TruthSet, build: str, fetcher: Fetcher) -> Found:
        if own.build != build:
            raise StageFailed(
                f"The sample's own truth set {own.key} is on {own.build}, but its "
                f"calls are on {build}. Upload a truth set on {build}."
            )
        key = own.key
        small = own.kind == TruthSet.Kind.SMALL
        return Found(
            build=build,
            reference=fetcher.reference(catalog.current().reference(build)).key,
            small=key if small else None,
            structural=None if small else key,
            no_small="The sample's own truth set has structural variants only.",
            no_structural="The sample's own truth set has small variants only.",
        )

    def _strata(
        self, context: Context, known: catalog.Catalog, build: str, fetcher: Fetcher
    ) -> str | None:
        if not context.run.options.get("stratified"):
            return None
        entry = known.stratifications(build)
        if entry is None or not entry.strata:
            raise StageFailed(
                f"The catalogue has no stratifications of {build}. Start the run "
                "without the option “stratified”."
            )
        folder = Path(settings.VCBENCH.data_dir, "references", f"strata-{build}")
        beds = {stratum.label: stratum.bed for stratum in entry.strata}
        return artifacts.relative(fetcher.strata(entry.version, beds, folder))

    def read(self, context: Context, folder: Path) -> Findings:
        found = Found(**json.loads((folder / NOTE).read_text()))
        rows = [
            Artifact(
                run=context.run,
                stage=self.name,
                role=Artifact.Role.REFERENCE,
                kind=role,
                name=f"{self.name}/{Path(file['path']).name}",
                path=file["path"],
                size=file["size"],
                md5=file.get("md5", ""),
                sha256=file.get("sha256", ""),
                verified_by=file.get("verified_by", ""),
                origin=file.get("origin", ""),
            )
            for cached in _cached(found)
            for role, file in cached.files.items()
        ]
        truth = " and ".join(key for key in (found.small, found.structural) if key)
        return Findings(
            f"Ready: {truth or 'no truth set'} on {found.reference}.",
            lambda: artifacts.replace(context.run, self.name, rows),
        )


def _cached(found: Found) -> list[Reference | TruthSet]:
    keys = [key for key in (found.small, found.structural) if key]
    return [
        Reference.objects.get(key=found.reference),
        *TruthSet.objects.filter(key__in=keys),
    ]


def _individual(context: Context) -> str:
    sample = context.run.sample
    if sample.individual or sample.truth_set_id:
        return sample.individual
    try:
        return catalog.current().identify(sample.name).id
    except catalog.CatalogError as error:
        raise StageFailed(str(error)) from error


def _build(context: Context) -> str:
    """The build that was asked for, else the one that the calls are on."""
    if asked := context.run.options.get("build"):
        return str(asked)
    calls = Inputs.of(context).any_calls()
    guess = catalog.detect(calls.header.contigs)
    if guess.build is None:
        raise StageFailed(f"{calls.path.name}: {guess.reason}")
    return guess.build


def _wants(context: Context, stage: StageName) -> bool:
    return context.run.stages.filter(name=stage).exists()
