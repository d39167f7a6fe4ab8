"""The false positives and negatives of a run, filtered and paged on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from benchmarks import variants
from benchmarks.variants import Choices, Page, Wanted
from runs.models import Run
from runs.places import BadPlace, Place
from runs.results import KINDS, variants_of
from runs.templatetags.portal import count
from runs.views.access import viewers

SHOWN = 50
"""Rows of a page."""
LONGEST = 24
"""Bases of an allele that are shown; the whole is in the title."""
WORDS = {
    "FP": _("false positive"),
    "FN": _("false negative"),
    "no match": _("no match"),
    "genotype": _("genotype"),
    "allele": _("allele"),
}
SORTS = {
    "place": _("Place"),
    "-size": _("Size, large first"),
    "size": _("Size, small first"),
    "-quality": _("Quality, high first"),
    "quality": _("Quality, low first"),
}
EVERYWHERE = ("", "CONF")
"""No strata: every judged variant lies in the confident regions."""
FORMATS = ("csv", "tsv", "json")


class VariantFilter(forms.Form):
    """What the table is narrowed to; everything may be left out."""

    verdict = forms.ChoiceField(label=_("What"), required=False)
    type = forms.ChoiceField(label=_("Type"), required=False)
    reason = forms.ChoiceField(label=_("Reason"), required=False)
    stratum = forms.ChoiceField(label=_("Stratum"), required=False)
    genotype = forms.ChoiceField(label=_("Genotype"), required=False)
    filter = forms.ChoiceField(label=_("Filter"), required=False)
    place = forms.CharField(
        label=_("Place"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"placeholder": "chr20:1000-2000"}),
    )
    min_size = forms.IntegerField(label=_("Size from"), required=False, min_value=0)
    max_size = forms.IntegerField(label=_("Size to"), required=False, min_value=0)
    min_quality = forms.FloatField(label=_("Quality from"), required=False)
    max_quality = forms.FloatField(label=_("Quality to"), required=False)
    sort = forms.ChoiceField(
        label=_("Order"), required=False, choices=list(SORTS.items())
    )

    CHOSEN = ("verdict", "type", "reason", "stratum", "genotype", "filter")

    def __init__(self, data: Mapping[str, Any], found: Choices) -> None:
        super().__init__(data)
        for name in self.CHOSEN:
            field = self.fields[name]
            known = found.by.get(name, {})
            asked = data.get(name) or ""
            # What does not occur may be asked for: then there is none of it.
            also = {asked: 0} if asked not in known and len(asked) <= 300 else {}
            field.choices = _counted({**known, **also})  # type: ignore[attr-defined]

    def clean_place(self) -> Place | None:
        text = self.cleaned_data["place"]
        try:
            return Place.read(text) if text else None
        except BadPlace as error:
            raise ValidationError(
                _("Write chr20, chr20:1,000 or chr20:1000-2000.")
            ) from error

    def wanted(self) -> Wanted:
        """What the readable fields ask for."""
        self.is_valid()
        chosen = dict(self.cleaned_data)
        chosen.pop("sort", None)
        place = chosen.pop("place", None)
        wanted = Wanted(**chosen)
        if place is None:
            return wanted
        return replace(wanted, contig=place.contig, start=place.start, end=place.end)

    @property
    def order(self) -> str:
        return self.cleaned_data.get("sort") or "place"


def _counted(found: Mapping[str, int]) -> list[tuple[str, str]]:
    named = [
        (name, f"{WORDS.get(name, name)} ({count(often)})")
        for name, often in found.items()
        if name not in EVERYWHERE
    ]
    return [("", str(_("any"))), *named]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the table, ready to be written."""

    row: Mapping[str, Any]
    href: str

    @property
    def verdict(self) -> str:
        return str(WORDS[self.row["verdict"]])

    @property
    def reason(self) -> str:
        return str(WORDS.get(self.row["reason"], self.row["reason"]))

    @property
    def place(self) -> str:
        return f"{self.row['contig']}:{self.row['position']}"

    @property
    def ref(self) -> str:
        return shortened(self.row["ref"])

    @property
    def alt(self) -> str:
        return ",".join(shortened(allele) for allele in self.row["alt"].split(","))

    @property
    def strata(self) -> str:
        return ", ".join(name for name in self.row["strata"] if name not in EVERYWHERE)


def shortened(allele: str) -> str:
    if len(allele) <= LONGEST:
        return allele
    return f"{allele[: LONGEST - 8]}… ({len(allele)})"


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a page lies among all rows; numbers begin at 1."""

    number: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // SHOWN))

    @property
    def first_row(self) -> int:
        return min(self.total, (self.number - 1) * SHOWN + 1)

    @property
    def last_row(self) -> int:
        return min(self.total, self.number * SHOWN)

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.number < self.last else None


@require_safe
@viewers
def run_variants(request: HttpRequest, uuid: UUID) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("sample"), uuid=uuid)
    kind = kind_of(request)
    parquet = variants_of(run, kind)
    others = [name for name in KINDS if variants_of(run, name).is_file()]
    if not parquet.is_file():
        context = {"run": run, "kind": kind, "kinds": others, "missing": True}
        return render(request, "results/variants.html", context)
    form = VariantFilter(request.GET, variants.choices(parquet))
    number = _page_number(request)
    page = _page(parquet, form, number)
    pages = Pages(number, page.total)
    if number > pages.last:
        pages = Pages(pages.last, page.total)
        page = _page(parquet, form, pages.number)
    context = {
        "run": run,
        "kind": kind,
        "kinds": others,
        "form": form,
        "rows": _shown(run, request, page, (pages.number - 1) * SHOWN),
        "pages": pages,
        "filtered": form.wanted() != Wanted(),
        "query": query_of(request),
        "formats": FORMATS,
    }
    status = 200 if form.is_valid() else 422
    return render(request, "results/variants.html", context, status=status)


def kind_of(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "small")
    return kind if kind in KINDS else "small"


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 10 else 1


def _page(parquet: Path, form: VariantFilter, number: int) -> Page:
    wanted = form.wanted()
    return variants.read(
        parquet, wanted, offset=(number - 1) * SHOWN, limit=SHOWN, sort=form.order
    )


def query_of(request: HttpRequest) -> str:
    """The filters as they stand, for links; without the page."""
    kept = [(name, value) for name, value in request.GET.items() if value]
    return urlencode([pair for pair in kept if pair[0] not in ("page", "n")])


def _shown(run: Run, request: HttpRequest, page: Page, offset: int) -> Sequence[Shown]:
    query = query_of(request)
    base = reverse("run-genome", args=[run.uuid])
    joined = f"{query}&" if query else ""
    return [
        Shown(row, f"{base}?{joined}n={offset + at}")
        for at, row in enumerate(page.rows)
    ]
