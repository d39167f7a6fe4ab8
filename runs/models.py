"""What is kept of samples, runs and their logs.

Statuses are changed by `runs.lifecycle` alone.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from runs.choices import (
    ENDED,
    Level,
    Priority,
    Source,
    StageName,
    StageStatus,
    Status,
)
from runs.tokens import ApiToken
from runs.transfers import layout

__all__ = [
    "ENDED",
    "Annotation",
    "ApiToken",
    "Artifact",
    "Level",
    "LogEntry",
    "Priority",
    "Run",
    "RunQuerySet",
    "Sample",
    "Source",
    "Stage",
    "StageName",
    "StageStatus",
    "Status",
]
SAMPLE_ID = RegexValidator(
    layout.SAMPLE_ID.pattern,
    _(
        "A sample id has up to 100 letters, digits, dots, dashes and underscores, "
        "and begins with a letter or a digit."
    ),
)


class Sample(models.Model):
    """One sequenced library of an individual."""

    name = models.CharField(
        _("sample id"), max_length=100, unique=True, validators=[SAMPLE_ID]
    )
    individual = models.CharField(
        _("individual"),
        max_length=10,
        blank=True,
        help_text=_("The GIAB individual, HG001 to HG007; empty for any other."),
    )
    truth_set = models.ForeignKey(
        "benchmarks.TruthSet",
        verbose_name=_("own truth set"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="samples",
        help_text=_("For a sample that is no GIAB individual."),
    )
    note = models.TextField(_("note"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        ordering = ["name"]
        indexes = [
            # sample list filtered by individual
            models.Index(fields=["individual", "name"], name="sample_individual"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("sample", args=[self.name])


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> RunQuerySet:
        return self.filter(status__in=[Status.PENDING, Status.RUNNING])

    def ended(self) -> RunQuerySet:
        return self.filter(status__in=ENDED)


class Run(models.Model):
    """One benchmarking of one sample: inputs, stages, log, results."""

    uuid = models.UUIDField(_("run id"), unique=True, default=uuid.uuid4)
    sample = models.ForeignKey(
        Sample,
        verbose_name=_("sample"),
        on_delete=models.PROTECT,
        related_name="runs",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    source = models.CharField(_("source"), max_length=10, choices=Source)
    location = models.JSONField(
        _("location"),
        default=dict,
        blank=True,
        help_text=_("Where the inputs come from: folder id, path, URL or archive."),
    )
    options = models.JSONField(
        _("options"),
        default=dict,
        blank=True,
        help_text=_("engine, stratified, preset, build, truth version"),
    )
    auto_process = models.BooleanField(_("process automatically"), default=True)
    priority = models.CharField(
        _("priority"), max_length=10, choices=Priority, default=Priority.DEFAULT
    )
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.PENDING
    )
    reason = models.TextField(
        _("reason"),
        blank=True,
        help_text=_("Why the run ended as it did, in a sentence."),
    )
    details = models.TextField(_("details"), blank=True)

    pipeline = models.CharField(
        _("pipeline"),
        max_length=100,
        blank=True,
        help_text=_("What made the calls, with its version, as their header says."),
    )

    attempt = models.PositiveIntegerField(_("attempt"), default=1)
    tries = models.PositiveIntegerField(
        _("workers lost"),
        default=0,
        help_text=_("Workers lost since a person last started the run."),
    )
    retries = models.PositiveIntegerField(
        _("tried again by itself"),
        default=0,
        help_text=_("After faults that may pass, since a person last started the run."),
    )
    claim = models.UUIDField(_("claim"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    beat_at = models.DateTimeField(_("last beat"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(
        _("cancel requested"), null=True, blank=True
    )

    created_at = models.DateTimeField(_("created"), default=timezone.now)
    queued_at = models.DateTimeField(
        _("queued"),
        default=timezone.now,
        help_text=_("In the future while the run waits for a fault to pass."),
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    stage = models.CharField(_("stage"), max_length=10, choices=StageName, blank=True)
    bytes_done = models.BigIntegerField(_("bytes done"), default=0)
    bytes_total = models.BigIntegerField(_("bytes in total"), null=True, blank=True)
    rate = models.FloatField(_("bytes per second"), null=True, blank=True)
    last_sequence = models.BigIntegerField(_("last line"), default=0)
    log_compacted_at = models.DateTimeField(_("log compacted"), null=True, blank=True)
    provenance = models.JSONField(
        _("provenance"),
        default=dict,
        blank=True,
        help_text=_("Engines, versions, command lines, checksums of the inputs."),
    )

    objects = RunQuerySet.as_manager()

    joined: bool = False
    """Set by `lifecycle.create` on a run that was there already; not kept."""

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-created_at", "-id"]
        permissions = [("operate_run", _("Can start, cancel and retry runs"))]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values),
                name="run_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(status=Status.RUNNING, claim__isnull=False)
                | ~models.Q(status=Status.RUNNING),
                name="run_running_is_claimed",
            ),
        ]
        indexes = [
            # run list, newest first, and its cursor
            models.Index(fields=["-created_at", "-id"], name="run_newest"),
            # newest run of a sample
            models.Index(fields=["sample", "-created_at"], name="run_of_sample"),
            # run list filtered by status; reaper: running with an old beat
            models.Index(fields=["status", "-created_at"], name="run_by_status"),
            # monitoring: ended in the last 24 h
            models.Index(fields=["finished_at"], name="run_finished"),
            # charts over time: which pipelines there are, and the runs of one
            models.Index(fields=["pipeline", "created_at"], name="run_by_pipeline"),
        ]

    def __str__(self) -> str:
        return f"{self.sample_id and self.sample.name} {str(self.uuid)[:8]}"

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.uuid])

    @property
    def is_active(self) -> bool:
        return self.status in (Status.PENDING, Status.RUNNING)

    @property
    def next_attempt_at(self) -> datetime | None:
        """When a run that waits for a fault to pass is tried again by itself."""
        waits = self.status == Status.PENDING and self.queued_at > timezone.now()
        return self.queued_at if waits else None

    @property
    def folder(self) -> Path:
        """Where the run's files lie."""
        return Path(settings.VCBENCH.data_dir) / "runs" / str(self.uuid)

    @property
    def duration(self) -> timedelta | None:
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def eta(self) -> float | None:
        """Seconds until the transfer is done, by its present rate."""
        if not self.rate or self.bytes_total is None:
            return None
        return max(0, self.bytes_total - self.bytes_done) / self.rate


class Stage(models.Model):
    """A step of a run. Rows exist for the steps that were asked for."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(_("stage"), max_length=10, choices=StageName)
    position = models.PositiveSmallIntegerField(_("position"))
    status = models.CharField(
        _("status"), max_length=10, choices=StageStatus, default=StageStatus.PENDING
    )
    message = models.TextField(_("message"), blank=True)
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    fingerprint = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    done = models.BigIntegerField(_("done"), default=0)
    total = models.BigIntegerField(_("of"), null=True, blank=True)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="stage_once_per_run"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def percent(self) -> int | None:
        if self.status in (StageStatus.COMPLETED, StageStatus.SKIPPED):
            return 100
        if not self.total:
            return None
        return min(100, int(100 * self.done / self.total))


class LogEntry(models.Model):
    """One line of a run's log; `sequence` counts 1, 2, 3 … without gaps."""

    run = models.ForeignKey(
        Run,
        on_delete=models.CASCADE,
        related_name="log_entries",
        # the constraint below has an index that begins with it
        db_index=False,
    )
    sequence = models.BigIntegerField(_("line"))
    time = models.DateTimeField(_("time"))
    level = models.CharField(_("level"), max_length=10, choices=Level)
    stage = models.CharField(_("stage"), max_length=10, choices=StageName, blank=True)
    message = models.TextField(_("message"))

    class Meta:
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        ordering = ["run", "sequence"]
        constraints = [
            # also the index of every read: rows of a run after a cursor
            models.UniqueConstraint(
                fields=["run", "sequence"], name="log_sequence_once_per_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.message[:80]}"


class Artifact(models.Model):
    """A file that a run made or used, with size and checksum."""

    class Role(models.TextChoices):
        INPUT = "input", _("input")
        REFERENCE = "reference", _("reference")
        RESULT = "result", _("result")

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="artifacts")
    name = models.CharField(_("name"), max_length=300)
    role = models.CharField(_("role"), max_length=10, choices=Role)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    stage = models.CharField(_("stage"), max_length=10, choices=StageName)
    path = models.CharField(
        _("path"), max_length=1000, help_text=_("Relative to the data folder.")
    )
    size = models.BigIntegerField(_("size"))
    md5 = models.CharField(_("MD5"), max_length=32, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    crc64nvme = models.CharField(
        _("CRC64NVME"),
        max_length=12,
        blank=True,
        default="",
        db_default="",  # for workers of the version before, while they end
        help_text=_("In base64, as S3 shows it."),
    )
    verified_by = models.CharField(
        _("verified by"),
        max_length=20,
        blank=True,
        help_text=_("What the transfer was checked against; “size” is the weakest."),
    )
    origin = models.CharField(_("origin"), max_length=1000, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ["run", "role", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "name"], name="artifact_name_once_per_run"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def file(self) -> Path:
        return Path(settings.VCBENCH.data_dir) / self.path

    @property
    def checksum_name(self) -> str:
        """Of the strongest that was taken; empty where none was."""
        names = ("sha256", "md5", "crc64nvme")
        return next((name for name in names if getattr(self, name)), "")

    @property
    def checksum(self) -> str:
        return str(getattr(self, self.checksum_name, ""))


class Annotation(models.Model):
    """Something that happened, drawn as a line into every chart over time."""

    date = models.DateField(_("date"), default=timezone.localdate)
    text = models.CharField(
        _("text"),
        max_length=200,
        help_text=_("For example “new flow cell lot” or “server moved”."),
    )
    individual = models.CharField(
        _("individual"),
        max_length=10,
        blank=True,
        help_text=_("Only in charts of this individual; empty for all."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("author"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="annotations",
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("annotation")
        verbose_name_plural = _("annotations")
        ordering = ["-date", "-id"]
        indexes = [
            # charts over time: what happened between two dates
            models.Index(fields=["date"], name="annotation_date"),
        ]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {self.text}"
