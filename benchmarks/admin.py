"""The keeper's view of references, truth sets and metrics."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import FileExtensionValidator, RegexValidator
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from benchmarks import catalog, truth_files
from benchmarks.models import (
    QCMetric,
    Reference,
    SmallVariantMetric,
    State,
    StructuralVariantMetric,
    TruthSet,
)
from vcbench_site.admin import LongTableAdmin, OfRun, ReadOnlyAdmin, one_of

TYPES = ("SNP", "INDEL")
KEY = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z",
    _("A key has letters, digits, dots, dashes and underscores."),
)
STAGED = ".incoming"
"""The beginning of the folder where the files of a form lie until it is saved."""


@admin.register(Reference)
class ReferenceAdmin(ReadOnlyAdmin):
    list_display = ["key", "build", "state", "size", "fetched_at", "used_at"]
    list_filter = ["build", "state"]
    search_fields = ["key"]


class TruthSetForm(forms.ModelForm):  # type: ignore[type-arg]
    """A truth set with its files, which are checked before anything is kept."""

    class Meta:
        model = TruthSet
        fields = ["key", "individual", "build", "kind", "version", "vcf", "bed"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, suffixes in (("vcf", ["vcf", "gz"]), ("bed", ["bed", "gz"])):
            if field := self.fields.get(name):
                field.required = True
                field.validators.append(FileExtensionValidator(suffixes))
        if field := self.fields.get("key"):
            field.validators.append(KEY)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        known = catalog.current()
        genomes = {entry.key for entry in known.references}
        if key in genomes | {entry.key for entry in known.truth_sets}:
            raise forms.ValidationError(
                _("%(key)s is a key of the GIAB catalogue. Choose another."),
                params={"key": key},
            )
        if TruthSet.objects.filter(key=key).exists():
            raise forms.ValidationError(
                _("There is a truth set %(key)s already. Choose another key."),
                params={"key": key},
            )
        return key

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if {"key", "build", "kind", "vcf", "bed"} <= given.keys():
            self._check_files(given)
        return given

    def _check_files(self, given: dict[str, Any]) -> None:
        self.staged = truth_folder(f"{STAGED}-{uuid.uuid4().hex}")
        self.staged.mkdir()
        try:
            self.files_ready = truth_files.prepare(
                _stored(given["vcf"], self.staged, "truth.vcf"),
                _stored(given["bed"], self.staged, "regions.bed"),
                build=given["build"],
                genotypes=given["kind"] == TruthSet.Kind.SMALL,
            )
        except truth_files.TruthFilesError as error:
            shutil.rmtree(self.staged)
            for name, fault in error.faults.items():
                self.add_error(name, fault)

    def place(self) -> None:
        """Move the checked files to their place, and fill in what is known of them."""
        row = self.instance
        folder = truth_folder(row.key)
        self.staged.replace(folder)
        names = (self.files_ready.vcf, self.files_ready.tbi, self.files_ready.bed)
        placed = truth_files.TruthFiles(*(folder / path.name for path in names))
        data = Path(settings.VCBENCH.data_dir)
        row.files = placed.described(data)
        row.vcf.name, row.bed.name = row.files["vcf"]["path"], row.files["bed"]["path"]
        row.size = sum(file["size"] for file in row.files.values())
        row.origin, row.state = TruthSet.Origin.UPLOADED, State.READY
        row.fetched_at = timezone.now()


def truth_folder(name: str) -> Path:
    folder = Path(settings.VCBENCH.data_dir) / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _stored(
    file: UploadedFile,  # type: ignore[type-arg]
    folder: Path,
    name: str,
) -> Path:
    """The upload under a name of ours; `.gz` is kept."""
    path = folder / (f"{name}.gz" if str(file.name).endswith(".gz") else name)
    with path.open("wb") as sink:
        for piece in file.chunks():
            sink.write(piece)
    return path


@admin.register(TruthSet)
class TruthSetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Those of the catalogue are shown; own ones are added, and removed while no
    sample needs them. Files are never exchanged: results refer to them."""

    form = TruthSetForm
    list_display = [
        "key",
        "individual",
        "build",
        "kind",
        "version",
        "origin",
        "state",
        "size",
    ]
    list_filter = ["origin", "state", "build", "kind", "individual"]
    search_fields = ["key", "individual"]

    def has_change_permission(
        self, request: HttpRequest, obj: TruthSet | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: TruthSet | None = None
    ) -> bool:
        if obj is None or obj.origin != TruthSet.Origin.UPLOADED:
            return False
        return super().has_delete_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: TruthSet, form: Any, change: bool
    ) -> None:
        form.place()
        obj.save()

    def delete_model(self, request: HttpRequest, obj: TruthSet) -> None:
        folder = truth_folder(obj.key)
        super().delete_model(request, obj)
        transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))


@admin.register(SmallVariantMetric)
class SmallVariantMetricAdmin(LongTableAdmin):
    list_display = [
        "run",
        "engine",
        "type",
        "filter",
        "subset",
        "subtype",
        "truth_total",
        "truth_tp",
        "truth_fn",
        "query_fp",
        "recall",
        "precision",
        "f1",
    ]
    list_filter = [
        OfRun,
        one_of("type", _("type"), TYPES),
        one_of("filter", _("filter"), ("ALL", "PASS")),
        one_of("engine", _("engine"), ("builtin", "happy", "vcfeval")),
    ]
    search_fields = ["=run__sample__name", "=subset"]
    list_select_related = ["run__sample"]
    ordering = ["-pk"]


@admin.register(StructuralVariantMetric)
class StructuralVariantMetricAdmin(LongTableAdmin):
    list_display = [
        "run",
        "source",
        "preset",
        "type",
        "size_class",
        "tp_base",
        "fn",
        "fp",
        "recall",
        "precision",
        "f1",
    ]
    list_filter = [OfRun, one_of("source", _("source"), ("bench", "refine"))]
    search_fields = ["=run__sample__name", "=preset", "=type"]
    list_select_related = ["run__sample"]
    ordering = ["-pk"]


@admin.register(QCMetric)
class QCMetricAdmin(LongTableAdmin):
    list_display = ["run", "kind", "section", "scope", "metric", "text", "percent"]
    list_filter = [OfRun]
    search_fields = ["=metric", "=run__sample__name"]
    list_select_related = ["run__sample"]
    ordering = ["-pk"]
