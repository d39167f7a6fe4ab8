"""What a report of a run says, whatever it is written in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from runs.charts import Chart
from runs.models import Run
from runs.standing import Standing, standing_chart
from runs.templatetags.portal import NOTHING, amount, count, ratio, took
from runs.templatetags.signed import figure, signed
from runs.trends import BASELINE
from runs.views.results import Category, Results, results_of
from runs.views.structural import ClassRow

DIGITS = 6
QC_ROWS = 25


@dataclass(frozen=True, slots=True)
class Table:
    """The first `words` columns hold text, the others numbers."""

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    words: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    facts: Sequence[tuple[str, str]]
    findings: Sequence[tuple[str, str]]
    """Kind (warning, info, success) and sentence."""
    sections: Sequence[Section]
    made: str
    """When and by what this was written."""

    @property
    def name(self) -> str:
        """Of the file, without its ending."""
        return self.title


def report_of(run: Run) -> Report:
    """As many queries as the run's page."""
    results = results_of(run)
    return Report(
        title=run.sample.name,
        facts=list(_facts(run)),
        findings=[(each.kind, each.text) for each in results.findings],
        sections=list(_sections(results)),
        made=_("Written by VCBench on %s (UTC).") % f"{timezone.now():%Y-%m-%d %H:%M}",
    )


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    found = run.provenance.get("reference") or {}
    facts = [
        (_("Run id"), str(run.uuid)),
        (_("Individual"), run.sample.individual),
        (_("Pipeline"), run.pipeline),
        (_("Status"), str(run.get_status_display())),
        (_("Reason"), run.reason),
        (_("Created"), f"{run.created_at:%Y-%m-%d %H:%M} UTC"),
        (_("Started by"), run.created_by.username if run.created_by else ""),
        (_("Duration"), took(run.duration) if run.duration else ""),
        (_("Reference"), str(found.get("reference") or "")),
        (_("Truth set, small variants"), str(found.get("small") or "")),
        (_("Truth set, structural variants"), str(found.get("structural") or "")),
    ]
    return ((name, text) for name, text in facts if text)


def _sections(results: Results) -> Iterator[Section]:
    if results.small:
        yield _small(results)
    if results.structural:
        yield _structural(results)
    if results.standings:
        yield _standing(results.standings)
    if results.qc:
        yield Section(_("QC metrics"), [_qc(category) for category in results.qc])
    if results.made:
        yield _made(results)
    if results.files:
        yield _files(results)


def _small(results: Results) -> Section:
    small = results.small
    heading = [_("Measure"), *(f"{row.type} {row.filter}" for row in small.whole)]
    measures = Table(
        heading,
        [
            [
                str(line.measure.title),
                *(
                    f"{cell.text}\n{cell.interval}" if cell.interval else cell.text
                    for cell in line.cells
                ),
            ]
            for line in small.lines
        ],
    )
    errors = small.errors
    strata = [
        Table(chart.heading, chart.rows, chart.title) for chart in small.strata_errors
    ]
    charts = [errors, *results.charts]
    return Section(
        _("Small variants"),
        [measures, *strata],
        [chart for chart in charts if chart.count],
        _("95 % confidence intervals stand below the ratios."),
    )


def _structural(results: Results) -> Section:
    rows = [*results.structural.whole, *results.structural.both]
    heading = [
        _("Comparison"),
        _("Type"),
        _("Size"),
        *("TP-base", "TP-comp", "FP", "FN"),
        _("Recall"),
        _("Precision"),
        "F1",
        _("GT concordance"),
    ]
    return Section(
        _("Structural variants"),
        [Table(heading, [_structural_row(row) for row in rows], words=3)],
        [chart for chart in results.structural.charts if chart.count],
    )


def _structural_row(row: ClassRow) -> list[str]:
    metric = row.metric
    return [
        metric.source,
        _("all") if metric.type == "*" else metric.type,
        _("all") if metric.size_class == "*" else metric.size_class,
        *map(count, (metric.tp_base, metric.tp_comp, metric.fp, metric.fn)),
        *map(ratio, (metric.recall, metric.precision, metric.f1)),
        ratio(metric.gt_concordance),
    ]


def _standing(found: Sequence[Standing]) -> Section:
    heading = [
        _("Measure"),
        _("This run"),
        _("The run before"),
        _("Difference"),
        _("Baseline"),
        "s",
        "z",
        _("Rules broken"),
    ]
    note = _(
        "Runs of the same individual, by the time they were created. The baseline is "
        "the mean of the oldest %d, s its standard deviation, z the distance from it "
        "in s."
    )
    return Section(
        _("Compared with the runs before"),
        [Table(heading, [_standing_row(each) for each in found])],
        [standing_chart(each) for each in found],
        note % BASELINE,
    )


def _standing_row(standing: Standing) -> list[str]:
    this, base = standing.this, standing.baseline
    return [
        standing.subject.title,
        ratio(this.value.value, DIGITS),
        ratio(standing.before.value, DIGITS),
        signed(standing.change, DIGITS),
        ratio(base.mean, DIGITS) if base else NOTHING,
        figure(base.sd, 3) if base else NOTHING,
        signed(this.z, 2),
        ", ".join(this.rules) or NOTHING,
    ]


def _qc(category: Category) -> Table:
    more = ""
    if category.total > QC_ROWS:
        more = " " + _("(the first %(shown)d of %(total)s)") % {
            "shown": QC_ROWS,
            "total": count(category.total),
        }
    return Table(
        [_("Metric"), _("Section"), _("Of"), _("Value"), "%"],
        [
            [
                row.metric,
                row.section,
                row.scope,
                row.text,
                "" if row.percent is None else figure(row.percent, 4),
            ]
            for row in category.rows[:QC_ROWS]
        ],
        f"{category.name}{more}",
        words=3,
    )


def _made(results: Results) -> Section:
    rows = [
        [made.stage, name, text]
        for made in results.made
        for name, text in [
            *made.facts.items(),
            *((_("command"), command) for command in made.commands),
        ]
    ]
    heading = [_("Stage"), _("What"), _("Value")]
    return Section(_("How this was made"), [Table(heading, rows, words=3)])


def _files(results: Results) -> Section:
    rows = [
        [
            file.name,
            str(file.get_role_display()),
            amount(file.size),
            f"{file.checksum_name} {file.checksum}".strip(),
        ]
        for file in results.files
    ]
    heading = [_("Name"), _("Role"), _("Size"), _("Checksum")]
    return Section(_("Files"), [Table(heading, rows, words=4)])
