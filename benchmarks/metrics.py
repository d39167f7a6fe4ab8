"""Keeping a run's numbers: every row of the source, replaced as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.models import QCMetric, SmallVariantMetric, StructuralVariantMetric
from benchmarks.parsers.dragen import MetricRow
from benchmarks.parsers.happy import ExtendedRow, Interval, SummaryRow
from benchmarks.parsers.truvari import TruvariSummary
from benchmarks.parsers.truvari_classes import ClassCounts

BATCH = 2000


def keep_small_variants(
    run_id: int, engine: str, rows: Sequence[ExtendedRow] | Sequence[SummaryRow]
) -> None:
    """The run's small-variant rows, in place of those it had."""
    metrics = [_small(run_id, engine, row) for row in rows]
    SmallVariantMetric.objects.filter(run_id=run_id).delete()
    SmallVariantMetric.objects.bulk_create(metrics, batch_size=BATCH)


def _small(
    run_id: int, engine: str, row: ExtendedRow | SummaryRow
) -> SmallVariantMetric:
    metric = SmallVariantMetric(
        run_id=run_id,
        engine=engine,
        type=row.type,
        filter=row.filter,
        recall=row.recall,
        precision=row.precision,
        frac_na=row.frac_na,
        f1=row.f1,
        fp_gt=row.fp_gt,
        fp_al=row.fp_al,
        columns=dict(row.columns),
    )
    counts = (
        {name: getattr(row, name).total for name in COUNTS}
        if isinstance(row, ExtendedRow)
        else {name: getattr(row, name) for name in COUNTS}
    )
    for name, count in counts.items():
        setattr(metric, name, count)
    if isinstance(row, ExtendedRow):
        _add_extended(metric, row)
    return metric


COUNTS = (
    "truth_total",
    "truth_tp",
    "truth_fn",
    "query_total",
    "query_tp",
    "query_fp",
    "query_unk",
)


def _add_extended(metric: SmallVariantMetric, row: ExtendedRow) -> None:
    metric.subtype = row.subtype
    metric.subset = row.subset
    metric.genotype = row.genotype
    metric.subset_size = row.subset_size
    metric.subset_confident_size = row.subset_is_conf_size
    for name in ("recall", "precision", "frac_na"):
        interval: Interval | None = getattr(row, f"{name}_interval")
        if interval is not None:
            setattr(metric, f"{name}_lower", interval.lower)
            setattr(metric, f"{name}_upper", interval.upper)


def keep_structural_variants(
    run_id: int,
    preset: str,
    summaries: dict[str, TruvariSummary],
    classes: Sequence[ClassCounts] = (),
) -> None:
    """The run's Truvari rows by source (`bench`, `refine`).

    `classes` are those of `bench` by type and size.
    """
    metrics = [
        StructuralVariantMetric(
            run_id=run_id,
            source=source,
            preset=preset,
            tp_base=summary.tp_base,
            tp_comp=summary.tp_comp,
            fp=summary.fp,
            fn=summary.fn,
            precision=summary.precision,
            recall=summary.recall,
            f1=summary.f1,
            gt_concordance=summary.gt_concordance,
            columns=dict(summary.columns),
        )
        for source, summary in summaries.items()
    ]
    metrics += [_structural_class(run_id, preset, row) for row in classes]
    StructuralVariantMetric.objects.filter(run_id=run_id).delete()
    StructuralVariantMetric.objects.bulk_create(metrics)


def _structural_class(
    run_id: int, preset: str, row: ClassCounts
) -> StructuralVariantMetric:
    return StructuralVariantMetric(
        run_id=run_id,
        source="bench",
        preset=preset,
        type=row.type,
        size_class=row.size_class,
        tp_base=row.tp_base,
        tp_comp=row.tp_comp,
        fp=row.fp,
        fn=row.fn,
        precision=row.precision,
        recall=row.recall,
        f1=row.f1,
        gt_concordance=row.gt_concordance,
        columns={"TP-comp_TP-gt": row.same_genotype},
    )


def keep_qc(run_id: int, files: Iterable[tuple[str, Sequence[MetricRow]]]) -> None:
    """The run's QC values by file name, in place of those it had."""
    metrics = [
        QCMetric(
            run_id=run_id,
            file=name,
            category=row.category,
            kind=row.kind,
            line=row.line,
            section=row.section,
            scope=row.scope,
            metric=row.metric,
            text=row.value_text,
            value=row.value,
            percent=row.percent,
        )
        for name, rows in files
        for row in rows
    ]
    QCMetric.objects.filter(run_id=run_id).delete()
    QCMetric.objects.bulk_create(metrics, batch_size=BATCH)
