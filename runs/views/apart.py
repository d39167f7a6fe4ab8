"""Variants that one of two runs gets right and the other wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from benchmarks import variants
from benchmarks.variants import VariantsError, Wanted
from runs.comparison import Side
from runs.models import Run
from runs.results import variants_of
from runs.views.variants import SHOWN, Pages, shortened

HEADING = ("wrong_in", "right_in", *variants.COLUMNS)
BATCH = 5000
"""Rows that are read at a time when all are wanted."""
WHOLE = "*"
NO_PAGES = Pages(1, 0)


class PairFilter(forms.Form):
    """Which variants that differ between two of the runs are listed."""

    verdict = forms.ChoiceField(
        label=lazy("What"),
        required=False,
        choices=[
            ("", lazy("any")),
            ("FP", lazy("false positive")),
            ("FN", lazy("false negative")),
        ],
    )
    type = forms.ChoiceField(
        label=lazy("Type"),
        required=False,
        choices=[("", lazy("any")), ("SNP", "SNP"), ("INDEL", "INDEL")],
    )
    reason = forms.ChoiceField(
        label=lazy("Reason"),
        required=False,
        choices=[
            ("", lazy("any")),
            ("no match", lazy("no match")),
            ("genotype", lazy("genotype")),
            ("allele", lazy("allele")),
        ],
    )
    contig = forms.CharField(label=lazy("Contig"), required=False, max_length=100)

    def wanted(self, stratum: str) -> Wanted:
        """What the readable fields ask for."""
        self.is_valid()
        return Wanted(**self.cleaned_data, stratum="" if stratum == WHOLE else stratum)


@dataclass(frozen=True, slots=True)
class Lost:
    """A variant that one run gets wrong and another right."""

    row: Mapping[str, Any]
    href: str

    @property
    def place(self) -> str:
        return f"{self.row['contig']}:{self.row['position']}"

    @property
    def ref(self) -> str:
        return shortened(self.row["ref"])

    @property
    def alt(self) -> str:
        return ",".join(shortened(allele) for allele in self.row["alt"].split(","))


@dataclass(frozen=True, slots=True)
class Way:
    """What `wrong` gets wrong and `right` right; `fault` where nobody can say."""

    wrong: Side
    right: Side
    rows: Sequence[Lost] = ()
    pages: Pages = NO_PAGES
    fault: str = ""
    before: str = ""
    after: str = ""


def pair_of(request: HttpRequest, sides: Sequence[Side]) -> tuple[Side, Side]:
    """The two whose variants are told apart: the first, and one that was chosen."""
    letter = request.GET.get("with", "")
    second = next((side for side in sides[1:] if side.letter == letter), sides[1])
    return sides[0], second


def ways_of(
    request: HttpRequest, first: Side, second: Side, wanted: Wanted
) -> list[Way]:
    return [
        _way(request, first, second, wanted, "page_a"),
        _way(request, second, first, wanted, "page_b"),
    ]


def _way(
    request: HttpRequest, wrong: Side, right: Side, wanted: Wanted, param: str
) -> Way:
    text = request.GET.get(param, "1")
    number = max(1, int(text)) if text.isdecimal() and len(text) < 8 else 1
    try:
        page = variants.only_in(
            variants_of(wrong.run),
            variants_of(right.run),
            wanted,
            offset=(number - 1) * SHOWN,
            limit=SHOWN,
        )
    except VariantsError:
        fault = _(
            "The variants of one of the two runs are not there any more, or never were."
        )
        return Way(wrong, right, fault=fault)
    pages = Pages(number, page.total)
    return Way(
        wrong,
        right,
        [Lost(row, _place_link(wrong.run, row)) for row in page.rows],
        pages,
        before=_turned(request.GET, param, pages.before),
        after=_turned(request.GET, param, pages.after),
    )


def _turned(given: QueryDict, param: str, number: int | None) -> str:
    """The address with that page of one of the two tables."""
    if number is None:
        return ""
    kept = given.copy()
    kept[param] = str(number)
    return kept.urlencode()


def _place_link(run: Run, row: Mapping[str, Any]) -> str:
    place = f"{row['contig']}:{row['position']}-{row['position']}"
    query = urlencode({"verdict": row["verdict"], "place": place, "n": 0})
    return f"{reverse('run-genome', args=[run.uuid])}?{query}"


def every(first: Side, second: Side, wanted: Wanted) -> Iterator[list[Any]]:
    """All variants both ways, a batch at a time."""
    for wrong, right in ((first, second), (second, first)):
        files = variants_of(wrong.run), variants_of(right.run)
        offset = 0
        while True:
            try:
                page = variants.only_in(*files, wanted, offset=offset, limit=BATCH)
            except VariantsError:
                break
            runs = [str(wrong.run.uuid), str(right.run.uuid)]
            yield from (runs + _cells(row) for row in page.rows)
            offset += len(page.rows)
            if not page.rows or offset >= page.total:
                break


def _cells(row: Mapping[str, Any]) -> list[Any]:
    cells = (row[name] for name in variants.COLUMNS)
    return [";".join(cell) if isinstance(cell, list) else cell for cell in cells]
