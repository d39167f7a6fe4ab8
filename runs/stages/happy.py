"""Small variants: the calls against the truth set, by the chosen engine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings

from benchmarks import catalog, contigs, curves, metrics, variants
from benchmarks.engines import registry
from benchmarks.engines.base import (
    EngineResult,
    Sex,
    SmallVariantEngine,
    SmallVariantJob,
)
from benchmarks.engines.files import unsettled_regions
from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.happy import read_extended, read_summary
from runs import artifacts
from runs.inputs import Inputs
from runs.models import StageName
from runs.stages import tools
from runs.stages.base import Context, Findings, StageFailed
from runs.stages.reference import Found

PREFIX = "happy"


class HappyStage:
    """Writes hap.py's files and keeps every row of summary and extended table."""

    name: ClassVar[StageName] = StageName.HAPPY
    needs: ClassVar[tuple[StageName, ...]] = (
        StageName.DOWNLOAD,
        StageName.REFERENCE,
    )
    resumes: ClassVar[bool] = False

    def inputs(self, context: Context) -> dict[str, Any]:
        query = Inputs.of(context).small_variants()
        found = Found.of(context)
        return {
            "query": query.mark,
            "truth": found.small,
            "engine": _engine_name(context),
            "version": registry.small_variant_engine(_engine_name(context))
            .probe()
            .version,
            "stratified": context.run.options.get("stratified", False),
            "strata": found.strata,
        }

    def perform(self, context: Context, work: Path) -> None:
        engine = registry.small_variant_engine(_engine_name(context))
        self._check(engine)
        job = self._job(context, work)
        context.log.info(
            f"Comparing {job.query.name} with the truth set by {engine.name}."
        )
        result = tools.carry_out(context, partial(engine.run, job))
        for note in result.notes:
            context.log.warning(note)
        context.provenance[self.name] = tools.provenance(result, job.query)
        self._add_for_pages(context, result, work)

    def _add_for_pages(
        self, context: Context, result: EngineResult, work: Path
    ) -> None:
        """Small files beside the engine's own, from which pages are made."""
        try:
            if (vcf := result.files.get("vcf")) is not None:
                self._add_variants(context, vcf, work)
            if (roc := result.files.get("roc_all")) is not None:
                curves.thin(roc, work / curves.NAME)
        except (variants.VariantsError, ParseError) as error:
            raise StageFailed(str(error)) from error

    def _add_variants(self, context: Context, vcf: Path, work: Path) -> None:
        threads = settings.VCBENCH.threads
        count = variants.extract(vcf, work / variants.NAME, threads=threads)
        context.log.info(f"{count:,} false positives and negatives can be looked at.")
        for row in contigs.count(vcf, work / contigs.NAME, threads=threads):
            if row.nothing_found:
                context.log.warning(
                    f"None of the {row.fn:,} known variants of {row.contig} was found."
                )

    def _check(self, engine: SmallVariantEngine) -> None:
        probe = engine.probe()
        if not probe.available:
            raise StageFailed(
                f"The engine {engine.name} cannot run here: {probe.reason} "
                f"{probe.remedy}"
            )

    def _job(self, context: Context, work: Path) -> SmallVariantJob:
        query = Inputs.of(context).small_variants()
        found = Found.of(context)
        truth = found.small_truth_set()
        stratified = context.run.options.get("stratified", False)
        return SmallVariantJob(
            truth=truth.vcf,
            query=query.path,
            reference=found.reference_fasta(),
            out_prefix=work / PREFIX,
            confident=truth.bed,
            stratification=found.strata_list() if stratified else None,
            threads=settings.VCBENCH.threads,
            query_sample=context.run.options.get("query_sample"),
            sex=_sex(context.run.sample.individual),
            is_gvcf=query.is_gvcf,
            memory_bytes=tools.memory_bytes(),
            cache_dir=Path(settings.VCBENCH.data_dir, "references"),
        )

    def read(self, context: Context, folder: Path) -> Findings:
        engine = context.provenance[self.name]["engine"]
        try:
            summary = read_summary(folder / f"{PREFIX}.summary.csv")
            extended = folder / f"{PREFIX}.extended.csv"
            rows = read_extended(extended) if extended.exists() else summary
        except ParseError as error:
            raise StageFailed(f"The engine's result cannot be read: {error}") from error
        files = artifacts.results(context.run, self.name, folder)

        def keep() -> None:
            metrics.keep_small_variants(context.run.pk, engine, rows)
            artifacts.replace(context.run, self.name, files)

        message = "; ".join(
            f"{row.type}: {row.truth_tp:,} of {row.truth_total:,} found, "
            f"{row.query_fp:,} false"
            for row in summary
            if row.filter == "PASS"
        )
        return Findings(message + _unsettled(folder), keep)


def _unsettled(folder: Path) -> str:
    """How many regions the engine could not settle, for the stage's sentence."""
    count = len(unsettled_regions(folder / PREFIX))
    if not count:
        return ""
    return f"; {count:,} region{'s' if count > 1 else ''} unsettled, see the log"


def _engine_name(context: Context) -> str:
    return str(context.run.options.get("engine") or settings.VCBENCH.engine)


def _sex(individual: str) -> Sex:
    try:
        return catalog.current().individual(individual).sex
    except catalog.UnknownIndividualError:
        return "auto"
