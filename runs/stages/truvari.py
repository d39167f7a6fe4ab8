"""Structural variants: the calls against the truth set, by Truvari."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings

from benchmarks import metrics, structural, variants
from benchmarks.engines import registry
from benchmarks.engines.base import (
    StructuralVariantJob,
)
from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.truvari import read_bench, read_refined
from benchmarks.parsers.truvari_classes import read_classes
from runs import artifacts
from runs.inputs import Inputs
from runs.models import StageName
from runs.stages import tools
from runs.stages.base import Context, Findings, StageFailed, StageSkipped
from runs.stages.reference import Found

FOLDER = "bench"


class TruvariStage:
    """Skipped where no truth set of that individual and build exists."""

    name: ClassVar[StageName] = StageName.TRUVARI
    needs: ClassVar[tuple[StageName, ...]] = (
        StageName.DOWNLOAD,
        StageName.REFERENCE,
    )
    resumes: ClassVar[bool] = False

    def inputs(self, context: Context) -> dict[str, Any]:
        truth = Found.of(context).structural_truth_set()
        return {
            "query": Inputs.of(context).structural_variants().mark,
            "truth": truth.key,
            "preset": _preset(context),
        }

    def perform(self, context: Context, work: Path) -> None:
        engine = registry.structural_variant_engine("truvari")
        probe = engine.probe()
        if not probe.available:
            raise StageSkipped(f"{probe.reason} {probe.remedy}")
        found = Found.of(context)
        truth = found.structural_truth_set()
        query = Inputs.of(context).structural_variants().path
        job = StructuralVariantJob(
            truth=truth.vcf,
            query=query,
            reference=found.reference_fasta(),
            out_dir=work / FOLDER,
            confident=truth.bed,
            preset=_preset(context),
            threads=settings.VCBENCH.threads,
            memory_bytes=tools.memory_bytes(),
        )
        context.log.info(f"Comparing {query.name} with {truth.key} by Truvari.")
        result = tools.carry_out(context, partial(engine.run, job))
        for note in result.notes:
            context.log.warning(note)
        try:
            structural.extract(work / FOLDER, work / variants.NAME)
        except variants.VariantsError as error:
            raise StageFailed(str(error)) from error
        context.provenance[self.name] = tools.provenance(result, query) | {
            "preset": job.preset,
            "parameters": dict(result.parameters),
        }

    def read(self, context: Context, folder: Path) -> Findings:
        try:
            summaries = {"bench": read_bench(folder / FOLDER)}
            if refined := read_refined(folder / FOLDER):
                summaries["refine"] = refined
            classes = read_classes(folder / FOLDER)
        except ParseError as error:
            raise StageFailed(f"Truvari's result cannot be read: {error}") from error
        preset = context.provenance[self.name]["preset"]
        files = artifacts.results(context.run, self.name, folder)

        def keep() -> None:
            metrics.keep_structural_variants(context.run.pk, preset, summaries, classes)
            artifacts.replace(context.run, self.name, files)

        last = summaries.get("refine", summaries["bench"])
        return Findings(
            f"Structural variants: {last.tp_base:,} of {last.base_count:,} found, "
            f"{last.fp:,} false.",
            keep,
        )


def _preset(context: Context) -> str:
    return str(context.run.options.get("preset") or "default")
