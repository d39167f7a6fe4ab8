"""The forms of the portal's pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from benchmarks.engines.truvari import PRESETS
from benchmarks.models import Build
from runs import intake, uploads
from runs.api.receive import Archive
from runs.intake import Benchmark
from runs.lifecycle import Order
from runs.models import SAMPLE_ID, Priority, RunQuerySet, Source, Status
from runs.reads import Reads
from runs.sources import S3Folder
from runs.templatetags.portal import amount
from runs.transfers.base import Limits, TransferError
from runs.transfers.chunks import Upload
from runs.transfers.layout import SampleFolder

NO_ZIP = _("This is no ZIP archive, or only a part of one.")
INDIVIDUALS = [f"HG00{number}" for number in range(1, 8)]


class Engine(TextChoices):
    """Engines for small variants, as people choose them."""

    BUILTIN = "builtin", _("built-in")
    HAPPY = "happy", "hap.py"
    VCFEVAL = "vcfeval", "RTG vcfeval"


def optional(choices: type[TextChoices], empty: Any) -> list[tuple[str, Any]]:
    return [("", empty), *choices.choices]


class RunFilter(forms.Form):
    """What the list of runs is narrowed to. Everything may be left out."""

    sample = forms.CharField(label=_("Sample"), required=False, max_length=100)
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=optional(Status, _("any"))
    )
    individual = forms.ChoiceField(
        label=_("Individual"),
        required=False,
        choices=[("", _("any")), *((name, name) for name in INDIVIDUALS)],
    )
    person = forms.ModelChoiceField(
        label=_("Started by"),
        required=False,
        queryset=User.objects.order_by("username"),
        empty_label=_("anybody"),
        to_field_name="username",
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput({"type": "date"})
    )

    def narrow(self, runs: RunQuerySet) -> RunQuerySet:
        """The runs that the readable filters leave."""
        self.is_valid()
        chosen = self.cleaned_data
        wanted: dict[str, Any] = {
            "sample__name__icontains": chosen.get("sample"),
            "status": chosen.get("status"),
            "sample__individual": chosen.get("individual"),
            "created_by": chosen.get("person"),
        }
        if since := chosen.get("since"):
            wanted["created_at__gte"] = datetime.combine(since, time(), UTC)
        if until := chosen.get("until"):
            after = datetime.combine(until, time(), UTC) + timedelta(days=1)
            wanted["created_at__lt"] = after
        return runs.filter(**{name: value for name, value in wanted.items() if value})


class OrderForm(forms.Form):
    """What every run is asked for with, wherever its inputs come from."""

    source: Source
    sample_id = forms.CharField(
        label=_("Sample id"),
        max_length=100,
        validators=[SAMPLE_ID],
        help_text=_(
            "For example NA24143_Lib3_Rep1. The individual is read from it, and with "
            "it the truth set."
        ),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    auto_process = forms.BooleanField(
        label=_("Process automatically"),
        required=False,
        initial=True,
        help_text=_("Otherwise the files are only brought here, for a later launch."),
    )
    stages = forms.MultipleChoiceField(
        label=_("What to carry out"),
        choices=Benchmark.choices,
        initial=[Benchmark.HAPPY, Benchmark.TRUVARI, Benchmark.CSV],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    engine = forms.ChoiceField(
        label=_("Engine for small variants"),
        required=False,
        choices=optional(Engine, _("as the portal is set")),
    )
    preset = forms.ChoiceField(
        label=_("Truvari preset"),
        required=False,
        choices=lambda: [("", _("as the portal is set")), *((n, n) for n in PRESETS)],
    )
    build = forms.ChoiceField(
        label=_("Reference build"),
        required=False,
        choices=optional(Build, _("by the contigs of the calls")),
    )
    priority = forms.ChoiceField(
        label=_("Priority"),
        required=False,
        choices=Priority.choices,
        initial=Priority.DEFAULT,
    )

    reads = forms.CharField(
        label=_("BAM or CRAM on the server"),
        required=False,
        max_length=1000,
        help_text=_(
            "The whole path, below an allowed folder, with its index beside it. Empty: "
            "none. The reads are only shown; they change no result."
        ),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    MORE = ("engine", "preset", "build", "priority", "reads")
    """Fields that most runs leave alone."""

    def main_fields(self) -> list[forms.BoundField]:
        """Where the inputs are first, then what every run is asked for with."""
        common = list(OrderForm.base_fields)
        fields = [
            field
            for field in self
            if field.name not in self.MORE and not field.is_hidden
        ]
        return sorted(fields, key=lambda field: field.name in common[1:])

    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.MORE]

    def has_faults_in_more(self) -> bool:
        return any(name in self.errors for name in self.MORE)

    def clean_reads(self) -> str:
        given = self.cleaned_data["reads"]
        return str(Reads.at(given).path) if given else ""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("auto_process") and not given.get("stages"):
            self._fault("stages", _("Choose at least one, or do not process it now."))
        return given

    def _fault(self, name: str, message: Any) -> None:
        if name not in self.errors:
            self.add_error(name, message)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """What the inputs need while the run is created. Raises TransferError."""
        yield

    def location(self) -> dict[str, Any]:
        """Where the inputs come from, as `runs.intake` writes it."""
        raise NotImplementedError

    def order(self) -> Order:
        """What the valid form asks for."""
        given = self.cleaned_data
        stages, options = intake.stages_of(given["stages"])
        for name in ("engine", "preset", "build", "reads"):
            if given[name]:
                options[name] = given[name]
        return Order(
            sample_id=given["sample_id"],
            source=self.source,
            location=self.location(),
            stages=stages,
            options=options,
            auto_process=given["auto_process"],
            priority=Priority(given["priority"] or Priority.DEFAULT),
        )


class S3Form(OrderForm):
    """A sample of the bucket; it is looked up before the run is created."""

    source = Source.S3
    folder = forms.CharField(
        label=_("Folder of the sample"),
        required=False,
        widget=forms.RadioSelect,
        help_text=_("The sample has several; each holds one set of calls."),
    )
    LOOK_UP = Limits(connect_timeout=4, read_timeout=10)

    def main_fields(self) -> list[forms.BoundField]:
        """Folders are a choice only once it is known that there are several."""
        fields = super().main_fields()
        if self.fields["folder"].widget.choices:
            return fields
        return [field for field in fields if field.name != "folder"]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not self.errors:
            self._look_up(given["sample_id"], given["folder"] or None)
        return given

    def _look_up(self, sample_id: str, folder: str | None) -> None:
        try:
            place = S3Folder(sample_id, folder, self.LOOK_UP)
            folders = place.folders()
            if len(folders) > 1:
                self.fields["folder"].widget.choices = list(map(_choice, folders))
            if len(folders) > 1 and folder is None:
                message = _("Choose one of these %d folders.") % len(folders)
                self.add_error("folder", message)
            else:
                place.choose(folders)
        except TransferError as error:
            self.add_error("sample_id", error.sentence)

    def location(self) -> dict[str, Any]:
        folder = self.cleaned_data["folder"]
        return {"id": folder} if folder else {}


def _choice(folder: SampleFolder) -> tuple[str, str]:
    """A folder with what tells it from the others."""
    times = [file.last_modified for file in folder.files if file.last_modified]
    parts = [
        folder.id,
        ngettext("%d file", "%d files", len(folder.files)) % len(folder.files),
        amount(folder.size),
        *([f"{max(times):%Y-%m-%d %H:%M}"] if times else []),
    ]
    return folder.id, " · ".join(parts)


class ZipForm(OrderForm):
    """An archive of the sample's files: sent with the form, or in parts before it.

    `owner` is whose uploads in parts may be named; the view sets it.
    """

    source = Source.ZIP
    owner = ""
    file = forms.FileField(
        label=_("ZIP archive"),
        required=False,
        help_text=_("With the call files, their indexes and the metrics files."),
        widget=forms.FileInput({"accept": ".zip,application/zip"}),
    )
    upload = forms.CharField(
        required=False, max_length=100, widget=forms.HiddenInput({"data-upload-id": ""})
    )

    def arrived(self) -> Upload | None:
        """The archive that came in parts and waits for the form to be right."""
        named = self.data.get("upload", "")
        try:
            return uploads.in_parts().get(named, owner=self.owner) if named else None
        except TransferError:
            return None

    def clean_file(self) -> Path | None:
        archive = self.cleaned_data["file"]
        if archive is None:
            return None
        if not isinstance(archive, Archive):
            raise ValidationError(_("The archive did not arrive as one file."))
        if not uploads.is_zip(archive.path):
            raise ValidationError(NO_ZIP)
        return archive.path

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not given.get("file") and not given.get("upload"):
            self._fault("file", _("Choose the archive."))
        return given

    @contextmanager
    def taking(self) -> Iterator[None]:
        """The upload in parts is the archive of the run, unless no run is created."""
        if self.cleaned_data["file"]:
            yield
            return
        named, place = self.cleaned_data["upload"], uploads.new_place()
        with uploads.in_parts().taken(named, place, owner=self.owner) as archive:
            if not uploads.is_zip(archive):
                raise TransferError(str(NO_ZIP))
            self.cleaned_data["file"] = archive
            yield

    def location(self) -> dict[str, Any]:
        return uploads.location_of(self.cleaned_data["file"])


class PathForm(OrderForm):
    source = Source.PATH
    path = forms.CharField(
        label=_("Path on the server"),
        max_length=1000,
        help_text=_("A folder with the call files and metrics, or one file."),
        widget=forms.TextInput({"spellcheck": "false"}),
    )

    def clean_path(self) -> str:
        return str(intake.server_path(self.cleaned_data["path"]))

    def location(self) -> dict[str, Any]:
        return {"path": self.cleaned_data["path"]}


class UrlForm(OrderForm):
    source = Source.URL
    urls = forms.CharField(
        label=_("Addresses"),
        help_text=_("One a line: the VCF files, and metrics files if there are any."),
        widget=forms.Textarea({"rows": 4, "spellcheck": "false"}),
    )

    def clean_urls(self) -> list[str]:
        return intake.allowed_urls(self.cleaned_data["urls"].split())

    def location(self) -> dict[str, Any]:
        return {"urls": self.cleaned_data["urls"]}


FORMS: dict[str, type[OrderForm]] = {
    Source.S3: S3Form,
    Source.ZIP: ZipForm,
    Source.PATH: PathForm,
    Source.URL: UrlForm,
}


class LaunchForm(forms.Form):
    """More stages on the inputs that a run has."""

    stages = forms.MultipleChoiceField(
        label=_("What to carry out"),
        choices=Benchmark.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    engine = forms.ChoiceField(
        label=_("Engine for small variants"),
        required=False,
        choices=optional(Engine, _("as before")),
    )


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What uses it, for example “LIMS import”."),
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        choices=[
            (30, _("30 days")),
            (90, _("90 days")),
            (365, _("one year")),
            (0, _("until it is revoked")),
        ],
        initial=90,
    )

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None
