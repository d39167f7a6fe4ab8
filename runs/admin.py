"""The keeper's view of samples, runs, logs, files and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from benchmarks.models import State, TruthSet
from runs import cleanup, lifecycle, logstore
from runs.individuals import individual_of
from runs.lifecycle import Refused
from runs.models import (
    Annotation,
    ApiToken,
    Artifact,
    LogEntry,
    Run,
    Sample,
    Stage,
)
from runs.roles import OPERATE
from vcbench_site.admin import LongTableAdmin, OfRun, ReadOnlyAdmin

LINES = 200
"""Log lines of one admin page."""
MOST_REFUSED = 5
"""Refusals that are told one by one."""


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StageInline(ReadOnlyInline):
    model = Stage
    fields = ["name", "status", "message", "attempt", "started_at", "finished_at"]


class ArtifactInline(ReadOnlyInline):
    model = Artifact
    fields = ["name", "role", "stage", "size", "verified_by", "removed_at"]


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """The history. Runs are never removed here: it is a record."""

    list_display = [
        "short_id",
        "sample",
        "individual",
        "status",
        "stage",
        "source",
        "created_by",
        "attempt",
        "created_at",
        "duration",
    ]
    list_filter = [
        "status",
        "source",
        "priority",
        "created_at",
        "sample__individual",
        ("created_by", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["uuid", "sample__name", "reason", "worker"]
    date_hierarchy = "created_at"
    list_select_related = ["sample", "created_by"]
    list_per_page = 50
    inlines = [StageInline, ArtifactInline]
    actions = ["cancel", "retry", "clean_up"]
    exclude = ["claim"]
    readonly_fields = ["log_link"]

    @admin.display(description=_("run"), ordering="pk")
    def short_id(self, run: Run) -> str:
        return str(run.uuid)[:8]

    @admin.display(description=_("individual"), ordering="sample__individual")
    def individual(self, run: Run) -> str:
        return run.sample.individual

    @admin.display(description=_("duration"))
    def duration(self, run: Run) -> str:
        return str(run.duration).partition(".")[0] if run.duration else "–"

    @admin.display(description=_("log"))
    def log_link(self, run: Run) -> SafeString:
        words = ngettext("%d line", "%d lines", run.last_sequence) % run.last_sequence
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:runs_run_log", args=[run.pk]), words
        )

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATE)

    @admin.action(description=_("Cancel the runs"), permissions=["operate"])
    def cancel(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        by = request.user.get_username()
        count = self._each(request, runs, lambda run: lifecycle.cancel(run, by=by))
        self._done(
            request,
            count,
            ngettext("%d run was cancelled.", "%d runs were cancelled.", count),
        )

    @admin.action(description=_("Retry the runs"), permissions=["operate"])
    def retry(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        by = request.user.get_username()
        count = self._each(request, runs, lambda run: lifecycle.retry(run, by=by))
        self._done(
            request,
            count,
            ngettext("%d run was queued again.", "%d runs were queued again.", count),
        )

    @admin.action(
        description=_("Remove the files of the runs; rows and numbers stay"),
        permissions=["operate"],
    )
    def clean_up(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        by = request.user.get_username()
        count = self._each(request, runs, lambda run: cleanup.clean_up(run, by=by))
        self._done(
            request,
            count,
            ngettext(
                "The files of %d run were removed.",
                "The files of %d runs were removed.",
                count,
            ),
        )

    def _each(
        self, request: HttpRequest, runs: QuerySet[Run], act: Callable[[Run], object]
    ) -> int:
        """Do it to each run and tell what was refused; how many were not."""
        refused: list[str] = []
        count = 0
        for run in runs.select_related("sample"):
            try:
                act(run)
            except Refused as error:
                refused.append(f"{run}: {error}")
            else:
                count += 1
        for sentence in refused[:MOST_REFUSED]:
            self.message_user(request, sentence, messages.WARNING)
        if (more := len(refused) - MOST_REFUSED) > 0:
            words = ngettext("%d more was refused.", "%d more were refused.", more)
            self.message_user(request, words % more, messages.WARNING)
        return count

    def _done(self, request: HttpRequest, count: int, words: str) -> None:
        if count:
            self.message_user(request, words % count, messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        log = self.admin_site.admin_view(self.log_view)
        own = [path("<int:key>/log/", log, name="runs_run_log")]
        return [*own, *super().get_urls()]

    def log_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """A page of the log, wherever its lines lie."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        run = get_object_or_404(Run.objects.select_related("sample"), pk=key)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        text = request.GET.get("since", "0")
        since = int(text) if text.isdecimal() and len(text) < 18 else 0
        lines = logstore.read(run, since, LINES)
        context = {
            **self.admin_site.each_context(request),
            "title": say("Log of %s") % run,
            "opts": self.opts,
            "run": run,
            "lines": lines,
            "before": max(0, since - LINES) if since else None,
            "after": lines[-1].sequence if len(lines) == LINES else None,
            "last": max(0, run.last_sequence - LINES),
        }
        return TemplateResponse(request, "admin/runs/run/log.html", context)


@admin.register(Stage)
class StageAdmin(ReadOnlyAdmin):
    list_display = ["run", "name", "status", "attempt", "started_at", "finished_at"]
    list_filter = ["name", "status", OfRun]
    search_fields = ["=run__sample__name", "message"]
    list_select_related = ["run__sample"]
    ordering = ["-pk"]


@admin.register(LogEntry)
class LogEntryAdmin(LongTableAdmin):
    """Lines that are still rows; the whole log of a run is on the run's own page."""

    list_display = ["run", "sequence", "time", "level", "stage", "message"]
    list_filter = ["level", "stage", OfRun]
    search_fields = ["message"]
    search_help_text = _("Searches the lines of one run: choose it first.")
    list_select_related = ["run__sample"]
    ordering = ["-pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LogEntry], search_term: str
    ) -> tuple[QuerySet[LogEntry], bool]:
        if search_term and not request.GET.get("run"):
            self.message_user(
                request,
                say("Choose a run first: all logs together are too long to search."),
                messages.WARNING,
            )
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(Artifact)
class ArtifactAdmin(LongTableAdmin):
    list_display = ["name", "run", "role", "stage", "size", "verified_by", "removed_at"]
    list_filter = ["role", "stage", ("removed_at", admin.EmptyFieldListFilter), OfRun]
    search_fields = ["name", "=sha256", "=md5", "=crc64nvme", "=run__sample__name"]
    list_select_related = ["run__sample"]
    ordering = ["-pk"]


@admin.register(Sample)
class SampleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A sample that is no GIAB individual is given its own truth set here."""

    list_display = ["name", "individual", "truth_set", "run_count", "created_at"]
    list_filter = ["individual", ("truth_set", admin.EmptyFieldListFilter)]
    search_fields = ["name", "note"]
    list_select_related = ["truth_set"]
    fields = ["name", "individual", "truth_set", "note", "created_at"]

    @admin.display(description=_("runs"), ordering="run_count")
    def run_count(self, sample: Any) -> int:
        return int(sample.run_count)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sample]:
        return Sample.objects.annotate(run_count=Count("runs"))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Sample | None = None
    ) -> list[str]:
        return ["created_at"] if obj is None else ["name", "created_at"]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name == "truth_set":
            kwargs["queryset"] = TruthSet.objects.filter(
                origin=TruthSet.Origin.UPLOADED, state=State.READY
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Sample, form: Any, change: bool
    ) -> None:
        if not change and not obj.individual:
            obj.individual = individual_of(obj.name)
        super().save_model(request, obj, form, change)


@admin.register(Annotation)
class AnnotationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What happened, as charts over time show it."""

    list_display = ["date", "text", "individual", "author", "created_at"]
    list_filter = ["individual", ("author", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["text"]
    date_hierarchy = "date"
    list_select_related = ["author"]
    fields = ["date", "text", "individual", "author", "created_at"]
    readonly_fields = ["author", "created_at"]

    def save_model(
        self, request: HttpRequest, obj: Annotation, form: Any, change: bool
    ) -> None:
        if not change:
            obj.author = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The key is shown once, in the answer to its creation."""

    list_display = ["name", "user", "created_at", "expires_at", "used_at"]
    list_filter = [("user", admin.RelatedOnlyFieldListFilter), "expires_at"]
    search_fields = ["name", "user__username"]
    list_select_related = ["user"]
    autocomplete_fields: ClassVar[list[str]] = ["user"]
    fields = ["user", "name", "expires_at", "created_at", "used_at"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> list[str]:
        return ["created_at", "used_at", *(["user"] if obj else [])]

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: Any, change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        token, key = ApiToken.issue(obj.user, obj.name, expires_at=obj.expires_at)
        obj.pk, obj.digest, obj.created_at = token.pk, token.digest, token.created_at
        request.issued_key = key  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": say("API token of %s") % obj.user,
            "opts": self.opts,
            "token": obj,
            "key": getattr(request, "issued_key", ""),
        }
        answer = TemplateResponse(request, "admin/runs/apitoken/issued.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer
