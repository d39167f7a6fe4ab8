"""The words that rows are kept by."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """Where a run stands, and where each of its stages stands."""

    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    COMPLETED = "completed", _("completed")
    ERROR = "error", _("error")
    CANCELLED = "cancelled", _("cancelled")


ENDED = (Status.COMPLETED, Status.ERROR, Status.CANCELLED)


class StageStatus(models.TextChoices):
    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    COMPLETED = "completed", _("completed")
    SKIPPED = "skipped", _("skipped")
    ERROR = "error", _("error")
    CANCELLED = "cancelled", _("cancelled")


class StageName(models.TextChoices):
    """The stages of a run, in their order."""

    DOWNLOAD = "download", _("Download")
    REFERENCE = "reference", _("Reference")
    HAPPY = "happy", _("Small variants")
    TRUVARI = "truvari", _("Structural variants")
    CSV = "csv", _("QC metrics")


class Level(models.TextChoices):
    INFO = "info", _("info")
    SUCCESS = "success", _("success")
    WARNING = "warning", _("warning")
    ERROR = "error", _("error")
    PROGRESS = "progress", _("progress")


class Source(models.TextChoices):
    S3 = "s3", _("S3")
    ZIP = "zip", _("ZIP upload")
    PATH = "path", _("server path")
    URL = "url", _("URL")


class Priority(models.TextChoices):
    """The queue that carries a run; workers look at them in this order."""

    HIGH = "high", _("high")
    DEFAULT = "default", _("normal")
    LOW = "low", _("low")
