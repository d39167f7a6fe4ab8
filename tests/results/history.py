"""A laboratory's history: 20 samples, 5 pipeline versions, one regression, one drift.

DRAGEN 4.3.6 loses INDEL recall in every sample; 4.4.4 has it again. From run
1,200 on, the mapped reads of HG004 fall slowly. All else is noise around a level.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from runs.models import Run, Sample, Source, Status

PIPELINES = (
    "DRAGEN 4.0.3",
    "DRAGEN 4.2.4",
    "DRAGEN 4.2.7",
    "DRAGEN 4.3.6",
    "DRAGEN 4.4.4",
)
REGRESSION = "DRAGEN 4.3.6"
LOSS = 0.0025
"""Of INDEL recall, about eight standard deviations."""
DRIFTING = "HG004"
DRIFT_FROM = 0.6
"""After that share of all runs."""
START = datetime(2024, 1, 2, 8, tzinfo=UTC)
TOTALS = {"SNP": 3_327_496, "INDEL": 504_501}
LEVELS = {
    "SNP": (0.9964, 0.00012, 0.9991, 0.00008),
    "INDEL": (0.9952, 0.0003, 0.9975, 0.0002),
}
"""Recall, its standard deviation, precision, its standard deviation."""
PEOPLE = ("NA12878", "NA24385", "NA24149", "NA24143", "NA24631", "NA24694", "NA24695")
INDIVIDUALS = ("HG001", "HG002", "HG003", "HG004", "HG005", "HG006", "HG007")
QC = (
    (
        "Mapping",
        "mapping_metrics",
        "MAPPING/ALIGNING SUMMARY",
        "",
        "Mapped reads",
        1.05e9,
        2e7,
    ),
    (
        "Mapping",
        "mapping_metrics",
        "MAPPING/ALIGNING SUMMARY",
        "",
        "Insert length: median",
        420,
        6,
    ),
    (
        "Mapping",
        "mapping_metrics",
        "MAPPING/ALIGNING SUMMARY",
        "",
        "Q30 bases",
        1.4e11,
        2e9,
    ),
    ("VC", "vc_metrics", "VARIANT CALLER POSTFILTER", "", "SNPs", 3_900_000, 9000),
    ("VC", "vc_metrics", "VARIANT CALLER POSTFILTER", "", "Ti/Tv ratio", 1.98, 0.004),
    (
        "HetHom",
        "vc_hethom_ratio_metrics",
        "VARIANT CALLER POSTFILTER",
        "",
        "1 Het/Hom ratio",
        1.45,
        0.02,
    ),
    (
        "Bed coverage",
        "coverage_metrics",
        "COVERAGE SUMMARY",
        "wgs",
        "Average alignment coverage over genome",
        38,
        1.5,
    ),
    ("Contig coverage", "contig_mean_cov", "", "wgs", "chr1 mean depth", 38.2, 1.5),
    (
        "Ploidy",
        "ploidy_estimation_metrics",
        "PLOIDY ESTIMATION",
        "",
        "Autosomal median coverage",
        38,
        1.5,
    ),
    ("SV", "sv_metrics", "SV SUMMARY", "", "Number of deletions (PASS)", 5538, 40),
    (
        "CNV",
        "cnv_metrics",
        "CNV SUMMARY",
        "",
        "Number of passing amplifications",
        210,
        9,
    ),
    (
        "ROH",
        "roh_metrics",
        "VARIANT CALLER",
        "",
        "Percent SNVs in large ROH ( >= 3000000)",
        0.13,
        0.01,
    ),
    ("Summary", "time_metrics", "RUN TIME", "", "Total runtime (seconds)", 2400, 60),
)


@dataclass(frozen=True, slots=True)
class History:
    """The runs that were made, oldest first."""

    runs: Sequence[Run]

    def of(self, individual: str) -> list[Run]:
        return [run for run in self.runs if run.sample.individual == individual]

    def first_of(self, individual: str, pipeline: str) -> Run:
        return next(r for r in self.of(individual) if r.pipeline == pipeline)


def make_history(
    runs: int = 2000,
    samples: int = 20,
    *,
    seed: int = 7,
    hours: float = 8,
    filler: int = 0,
    names: str = "Lib",
) -> History:
    """That many runs, `hours` apart; `filler` more QC values each, for sheer size."""
    made = list(_make_runs(runs, _make_samples(samples, names), hours))
    Run.objects.bulk_create(made, batch_size=2000)
    chance = random.Random(seed)
    batch = 500
    for start in range(0, runs, batch):
        some = made[start : start + batch]
        places = [(start + at) / runs for at in range(len(some))]
        pairs = list(zip(some, places, strict=True))
        SmallVariantMetric.objects.bulk_create(
            [row for run, _place in pairs for row in _small(run, chance)]
        )
        StructuralVariantMetric.objects.bulk_create(
            [_structural(run, chance) for run in some]
        )
        QCMetric.objects.bulk_create(
            [row for run, place in pairs for row in _qc(run, place, chance, filler)]
        )
    return History(made)


def _make_samples(count: int, names: str) -> list[Sample]:
    samples = [
        Sample(
            name=f"{PEOPLE[at % 7]}_{names}{at // 7 + 1}_Rep1",
            individual=INDIVIDUALS[at % 7],
            created_at=START,
        )
        for at in range(count)
    ]
    return Sample.objects.bulk_create(samples)


def _make_runs(count: int, samples: Sequence[Sample], hours: float) -> Iterator[Run]:
    for at in range(count):
        time = START + timedelta(hours=at * hours)
        yield Run(
            sample=samples[at % len(samples)],
            source=Source.S3,
            status=Status.COMPLETED,
            pipeline=PIPELINES[at * len(PIPELINES) // count],
            created_at=time,
            queued_at=time,
            started_at=time,
            finished_at=time + timedelta(minutes=40),
            provenance={
                "reference": {
                    "build": "GRCh38",
                    "small": f"{samples[at % len(samples)].individual}-v4.2.1",
                },
                "happy": {"engine": "builtin", "versions": {"vcbench": "1.0"}},
            },
        )


def _small(run: Run, chance: random.Random) -> Iterator[SmallVariantMetric]:
    for kind, (recall, recall_sd, precision, precision_sd) in LEVELS.items():
        loss = LOSS if kind == "INDEL" and run.pipeline == REGRESSION else 0
        found = chance.gauss(recall - loss, recall_sd)
        right = chance.gauss(precision, precision_sd)
        for passing in ("PASS", "ALL"):
            yield _row(run, kind, passing, min(found, 1), min(right, 1))


def _row(
    run: Run, kind: str, passing: str, found: float, right: float
) -> SmallVariantMetric:
    total = TOTALS[kind]
    tp = round(found * total)
    fp = round(tp / right) - tp
    recall, precision = tp / total, tp / (tp + fp)
    half = 1.96 * (recall * (1 - recall) / total) ** 0.5
    return SmallVariantMetric(
        run=run,
        engine="builtin",
        type=kind,
        filter=passing,
        truth_total=total,
        truth_tp=tp,
        truth_fn=total - tp,
        query_total=round(tp * 1.2),
        query_tp=tp,
        query_fp=fp,
        query_unk=round(tp * 0.2) - fp,
        fp_gt=fp // 3,
        fp_al=fp // 9,
        recall=recall,
        recall_lower=recall - half,
        recall_upper=recall + half,
        precision=precision,
        precision_lower=precision - half,
        precision_upper=precision + half,
        frac_na=0.16,
        f1=2 * recall * precision / (recall + precision),
    )


def _structural(run: Run, chance: random.Random) -> StructuralVariantMetric:
    tp = round(chance.gauss(9300, 12))
    fp, fn = round(chance.gauss(420, 8)), 9640 - tp
    recall, precision = tp / (tp + fn), tp / (tp + fp)
    return StructuralVariantMetric(
        run=run,
        source="bench",
        preset="default",
        tp_base=tp,
        tp_comp=tp,
        fp=fp,
        fn=fn,
        recall=recall,
        precision=precision,
        f1=2 * recall * precision / (recall + precision),
        gt_concordance=chance.gauss(0.97, 0.002),
    )


def _qc(
    run: Run, place: float, chance: random.Random, filler: int
) -> Iterator[QCMetric]:
    name = run.sample.name
    for line, (category, kind, section, scope, metric, level, sd) in enumerate(QC, 1):
        value = chance.gauss(level, sd)
        if metric == "Mapped reads" and run.sample.individual == DRIFTING:
            value -= max(0.0, place - DRIFT_FROM) * 20 * sd
        yield _value(
            run,
            f"{name}.{kind}.csv",
            category,
            kind,
            section,
            scope,
            metric,
            value,
            line,
        )
    for line in range(filler):
        yield _value(
            run,
            f"{name}.vc_metrics.csv",
            "VC",
            "vc_metrics",
            "VARIANT CALLER SUMMARY",
            "",
            f"Filler {line}",
            chance.gauss(100, 3),
            1000 + line,
        )


def _value(
    run: Run,
    file: str,
    category: str,
    kind: str,
    section: str,
    scope: str,
    metric: str,
    value: float,
    line: int,
) -> QCMetric:
    return QCMetric(
        run=run,
        category=category,
        file=file,
        kind=kind,
        line=line,
        section=section,
        scope=scope,
        metric=metric,
        text=f"{value:.4g}",
        value=value,
    )
