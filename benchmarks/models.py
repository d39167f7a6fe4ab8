"""What is kept of references, truth sets and metrics.

A metric belongs to a run by the name of its table only: this app knows nothing of
how runs are carried out.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Build(models.TextChoices):
    GRCH37 = "GRCh37", "GRCh37"
    GRCH38 = "GRCh38", "GRCh38"
    CHM13 = "CHM13v2.0", "CHM13v2.0"


class State(models.TextChoices):
    """Whether the files of a reference or truth set are on this machine."""

    ABSENT = "absent", _("not fetched")
    FETCHING = "fetching", _("being fetched")
    READY = "ready", _("ready")
    ERROR = "error", _("error")


class Cached(models.Model):
    """Something that is fetched once and shared by all runs."""

    key = models.CharField(_("key"), max_length=100, unique=True)
    build = models.CharField(_("build"), max_length=20, choices=Build)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.ABSENT
    )
    message = models.TextField(_("message"), blank=True)
    size = models.BigIntegerField(_("size"), null=True, blank=True)
    files = models.JSONField(
        _("files"),
        default=dict,
        blank=True,
        help_text=_("role: path below the data folder, size, checksum, origin"),
    )
    fetched_at = models.DateTimeField(_("fetched"), null=True, blank=True)
    used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.key

    def path(self, role: str) -> Path:
        """The file of that role (`fasta`, `vcf`, `bed` …) on this machine."""
        return Path(settings.VCBENCH.data_dir, self.files[role]["path"])


class Reference(Cached):
    """A reference genome: FASTA with its indexes."""

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        ordering = ["build", "key"]


class TruthSet(Cached):
    """The known variants of an individual and the regions where they are complete."""

    class Kind(models.TextChoices):
        SMALL = "smvar", _("small variants")
        STRUCTURAL = "stvar", _("structural variants")

    class Origin(models.TextChoices):
        CATALOG = "catalog", _("GIAB catalogue")
        UPLOADED = "uploaded", _("uploaded")

    individual = models.CharField(_("individual"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    version = models.CharField(_("version"), max_length=40, blank=True)
    origin = models.CharField(
        _("origin"), max_length=10, choices=Origin, default=Origin.CATALOG
    )
    vcf = models.FileField(_("truth VCF"), upload_to="truth/", blank=True)
    bed = models.FileField(_("confident regions"), upload_to="truth/", blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("truth set")
        verbose_name_plural = _("truth sets")
        ordering = ["individual", "build", "kind", "version"]


class SmallVariantMetric(models.Model):
    """A row of hap.py's summary or extended table, with all its denominators.

    A ratio is null where there was nothing to divide by.
    """

    run = models.ForeignKey(
        "runs.Run", on_delete=models.CASCADE, related_name="small_variant_metrics"
    )
    engine = models.CharField(_("engine"), max_length=20)
    type = models.CharField(_("type"), max_length=10)
    subtype = models.CharField(_("subtype"), max_length=20, default="*")
    subset = models.CharField(_("subset"), max_length=200, default="*")
    filter = models.CharField(_("filter"), max_length=20)
    genotype = models.CharField(_("genotype"), max_length=20, default="*")
    truth_total = models.BigIntegerField("TRUTH.TOTAL")
    truth_tp = models.BigIntegerField("TRUTH.TP")
    truth_fn = models.BigIntegerField("TRUTH.FN")
    query_total = models.BigIntegerField("QUERY.TOTAL")
    query_tp = models.BigIntegerField("QUERY.TP", null=True, blank=True)
    query_fp = models.BigIntegerField("QUERY.FP")
    query_unk = models.BigIntegerField("QUERY.UNK")
    fp_gt = models.BigIntegerField("FP.gt", null=True, blank=True)
    fp_al = models.BigIntegerField("FP.al", null=True, blank=True)
    recall = models.FloatField("METRIC.Recall", null=True, blank=True)
    recall_lower = models.FloatField(null=True, blank=True)
    recall_upper = models.FloatField(null=True, blank=True)
    precision = models.FloatField("METRIC.Precision", null=True, blank=True)
    precision_lower = models.FloatField(null=True, blank=True)
    precision_upper = models.FloatField(null=True, blank=True)
    frac_na = models.FloatField("METRIC.Frac_NA", null=True, blank=True)
    frac_na_lower = models.FloatField(null=True, blank=True)
    frac_na_upper = models.FloatField(null=True, blank=True)
    f1 = models.FloatField("METRIC.F1_Score", null=True, blank=True)
    subset_size = models.FloatField("Subset.Size", null=True, blank=True)
    subset_confident_size = models.FloatField(
        "Subset.IS_CONF.Size", null=True, blank=True
    )
    columns = models.JSONField(
        _("all columns"),
        default=dict,
        help_text=_("The row as the engine wrote it, by its column names."),
    )

    class Meta:
        verbose_name = _("small-variant metric")
        verbose_name_plural = _("small-variant metrics")
        ordering = ["run", "type", "filter", "subset", "subtype"]
        constraints = [
            # also the index of every read: the rows of a run
            models.UniqueConstraint(
                fields=["run", "type", "filter", "subset", "subtype", "genotype"],
                name="small_metric_row_once",
            ),
        ]
        indexes = [
            # over time: one metric row across runs
            models.Index(
                fields=["type", "filter", "subset", "subtype"], name="small_metric_row"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.filter} {self.subset} {self.subtype}"


class StructuralVariantMetric(models.Model):
    """A row of Truvari's result: the whole, or one type and size class of it."""

    run = models.ForeignKey(
        "runs.Run", on_delete=models.CASCADE, related_name="structural_variant_metrics"
    )
    source = models.CharField(
        _("source"), max_length=10, help_text=_("bench, or refine")
    )
    preset = models.CharField(_("preset"), max_length=40)
    type = models.CharField(_("type"), max_length=10, default="*")
    size_class = models.CharField(_("size"), max_length=20, default="*")
    tp_base = models.BigIntegerField("TP-base")
    tp_comp = models.BigIntegerField("TP-comp")
    fp = models.BigIntegerField("FP")
    fn = models.BigIntegerField("FN")
    precision = models.FloatField(_("precision"), null=True, blank=True)
    recall = models.FloatField(_("recall"), null=True, blank=True)
    f1 = models.FloatField("F1", null=True, blank=True)
    gt_concordance = models.FloatField(_("GT concordance"), null=True, blank=True)
    columns = models.JSONField(_("all values"), default=dict)

    class Meta:
        verbose_name = _("structural-variant metric")
        verbose_name_plural = _("structural-variant metrics")
        ordering = ["run", "source", "type", "size_class"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "source", "type", "size_class"],
                name="structural_metric_row_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.type} {self.size_class}"


class QCMetric(models.Model):
    """One value of a DRAGEN metrics file, kept as it was written."""

    run = models.ForeignKey(
        "runs.Run", on_delete=models.CASCADE, related_name="qc_metrics"
    )
    category = models.CharField(_("category"), max_length=40)
    file = models.CharField(_("file"), max_length=200)
    kind = models.CharField(_("kind of file"), max_length=60)
    line = models.PositiveIntegerField(_("line"))
    section = models.CharField(_("section"), max_length=100, blank=True)
    scope = models.CharField(
        _("scope"),
        max_length=200,
        blank=True,
        help_text=_("Sample, read group, mate or region that the value is of."),
    )
    metric = models.CharField(_("metric"), max_length=300)
    text = models.TextField(_("as written"))
    value = models.FloatField(_("value"), null=True, blank=True)
    percent = models.FloatField(_("percent"), null=True, blank=True)

    class Meta:
        verbose_name = _("QC metric")
        verbose_name_plural = _("QC metrics")
        ordering = ["run", "file", "line"]
        constraints = [
            # also the index of every read: the rows of a run, by file
            models.UniqueConstraint(
                fields=["run", "file", "line", "metric"], name="qc_value_once"
            ),
        ]
        indexes = [
            # over time, across samples and in lists: one metric, run by run
            models.Index(fields=["metric", "run"], name="qc_metric_of_runs"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} = {self.text}"
