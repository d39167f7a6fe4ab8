"""A place of the genome with all that a run knows of it, drawn by igv.js."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pysam
from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from benchmarks import variants
from runs import reads
from runs.inputs import SMALL_VARIANTS, STRUCTURAL_VARIANTS
from runs.models import Artifact, Run, StageName
from runs.places import BadPlace, Place
from runs.results import variants_of
from runs.views.access import operators, viewers
from runs.views.variants import Shown, VariantFilter, kind_of, query_of

AROUND = 60
"""Bases on each side of a variant that are shown at first."""
NEAR = 30
"""Bases on each side in which records are listed as text."""
MOST_RECORDS = 40
IGV_POLICY = {"style-src": [SELF, UNSAFE_INLINE], "img-src": ["blob:"]}
"""What igv.js needs beyond the portal's policy: it writes style elements."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the annotated VCF, for whoever does not see the drawing."""

    place: str
    alleles: str
    truth: Mapping[str, str]
    query: Mapping[str, str]


@csp_update(IGV_POLICY)  # type: ignore[arg-type]
@require_safe
@viewers
def run_genome(request: HttpRequest, uuid: UUID) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("sample"), uuid=uuid)
    kind = kind_of(request)
    files = {row.name: row for row in run.artifacts.filter(removed_at=None)}
    chosen = _chosen(request, run, kind)
    place = chosen.place if chosen else _asked_place(request)
    context = {
        "run": run,
        "kind": kind,
        "chosen": chosen,
        "place": place,
        "query": query_of(request),
        "igv": _igv(run, kind, list(files.values()), place) if place else None,
        "records": list(_records(run, files, place)) if place else [],
        "reads": reads.of_run(run),
        "reads_path": run.options.get("reads", ""),
        "here": request.get_full_path(),
    }
    return render(request, "results/genome.html", context)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The n-th of the variants that the filters leave, and its neighbours."""

    shown: Shown
    number: int
    total: int
    page: int

    @property
    def place(self) -> Place:
        row = self.shown.row
        end = row["position"] + max(len(row["ref"]), abs(row["size"] or 0)) - 1
        return Place(row["contig"], row["position"], max(end, row["position"]))

    @property
    def before(self) -> int | None:
        return self.number - 1 if self.number else None

    @property
    def after(self) -> int | None:
        return self.number + 1 if self.number + 1 < self.total else None

    @property
    def ordinal(self) -> int:
        return self.number + 1


def _chosen(request: HttpRequest, run: Run, kind: str) -> Chosen | None:
    text = request.GET.get("n", "")
    parquet = variants_of(run, kind)
    if not text.isdecimal() or len(text) > 9 or not parquet.is_file():
        return None
    form = VariantFilter(request.GET, variants.choices(parquet))
    wanted, number = form.wanted(), int(text)
    page = variants.read(parquet, wanted, offset=number, limit=1, sort=form.order)
    if not page.rows:
        return None
    return Chosen(Shown(page.rows[0], ""), number, page.total, number // 50 + 1)


def _asked_place(request: HttpRequest) -> Place | None:
    try:
        return Place.read(request.GET.get("place", ""))
    except BadPlace:
        return None


def _igv(
    run: Run, kind: str, files: Sequence[Artifact], place: Place
) -> dict[str, Any] | None:
    """What igv.js is given; None without a reference."""
    by_kind = {row.kind: row for row in files if row.stage == StageName.REFERENCE}
    if "fasta" not in by_kind:
        return None
    reference = {
        "id": run.provenance.get("reference", {}).get("build", "reference"),
        "fastaURL": _address(run, by_kind["fasta"]),
        "indexURL": _address(run, by_kind["fai"]),
        "wholeGenomeView": False,
    }
    if "gzi" in by_kind:
        reference["compressedIndexURL"] = _address(run, by_kind["gzi"])
    return {
        "reference": reference,
        "locus": _locus(place),
        "tracks": list(_tracks(run, kind, files)),
    }


def _locus(place: Place) -> str:
    if place.start is None or place.end is None:
        return place.contig
    return f"{place.contig}:{max(1, place.start - AROUND)}-{place.end + AROUND}"


def _tracks(run: Run, kind: str, files: Sequence[Artifact]) -> Iterator[dict[str, Any]]:
    """Truth, calls, verdicts, confident regions, reads, from top to bottom."""
    by_name = {row.name: row for row in files}
    truth = _truth_files(run, kind, files)
    if "vcf" in truth:
        yield _vcf(run, truth["vcf"], by_name, _("Truth"), "#14693f")
    kinds = SMALL_VARIANTS if kind == "small" else STRUCTURAL_VARIANTS
    inputs = {row.kind: row for row in files if row.role == Artifact.Role.INPUT}
    calls = next((inputs[name] for name in kinds if name in inputs), None)
    if calls is not None:
        yield _vcf(run, calls, by_name, _("Calls"), "#1d4f9e")
    judged = {
        "small": (("happy/happy.vcf.gz", _("Verdicts")),),
        "structural": (
            ("truvari/bench/fn.vcf.gz", _("Missed")),
            ("truvari/bench/fp.vcf.gz", _("False")),
            ("truvari/bench/tp-comp.vcf.gz", _("Right")),
        ),
    }
    for name, title in judged[kind]:
        if name in by_name:
            yield _vcf(run, by_name[name], by_name, title, "#7b3f98")
    if "bed" in truth:
        yield {
            "name": _("Confident regions"),
            "type": "annotation",
            "format": "bed",
            "url": _address(run, truth["bed"]),
            "indexed": False,
            "displayMode": "COLLAPSED",
            "height": 40,
            "color": "#51606e",
        }
    if (found := reads.of_run(run)) is not None:
        yield {
            "name": _("Reads"),
            "type": "alignment",
            "format": found.format,
            "url": reverse("api-runs-reads", args=[run.uuid, "alignment"]),
            "indexURL": reverse("api-runs-reads", args=[run.uuid, "index"]),
            "height": 320,
        }


def _vcf(
    run: Run, row: Artifact, files: Mapping[str, Artifact], title: str, colour: str
) -> dict[str, Any]:
    track: dict[str, Any] = {
        "name": title,
        "type": "variant",
        "format": "vcf",
        "url": _address(run, row),
        "displayMode": "EXPANDED",
        "color": colour,
        "height": 90,
    }
    index = next(
        (
            files[name]
            for end in ("tbi", "csi")
            if (name := f"{row.name}.{end}") in files
        ),
        None,
    )
    if index is None:
        return {**track, "indexed": False}
    return {**track, "indexURL": _address(run, index)}


def _truth_files(run: Run, kind: str, files: Sequence[Artifact]) -> dict[str, Artifact]:
    """The files of the truth set that was compared with, by their kind."""
    key = run.provenance.get("reference", {}).get(kind)
    rows = [row for row in files if row.stage == StageName.REFERENCE]
    own = [row for row in rows if key and key in Path(row.path).parts]
    return {row.kind: row for row in own or rows if row.kind in ("vcf", "bed")}


def _address(run: Run, row: Artifact) -> str:
    return reverse("api-runs-artifacts", args=[run.uuid, row.name])


def _records(run: Run, files: Mapping[str, Artifact], place: Place) -> Iterator[Record]:
    """What the annotated VCF says near the place."""
    row = files.get("happy/happy.vcf.gz")
    if row is None or place.start is None or place.end is None:
        return
    try:
        with pysam.TabixFile(str(row.file)) as vcf:
            start = max(0, place.start - 1 - NEAR)
            lines = vcf.fetch(place.contig, start, place.end + NEAR)
            for number, line in enumerate(lines):
                if number >= MOST_RECORDS:
                    return
                yield _record(line.split("\t"))
    except (OSError, ValueError):
        # No index, or a contig that the file does not have: the drawing is enough.
        return


def _record(columns: Sequence[str]) -> Record:
    names = columns[8].split(":")
    truth, query = (
        dict(zip(names, cell.split(":"), strict=False)) for cell in columns[9:11]
    )
    alleles = f"{Shown({'ref': columns[3]}, '').ref} → "
    alleles += Shown({"alt": columns[4]}, "").alt
    return Record(f"{columns[0]}:{columns[1]}", alleles, truth, query)


@require_POST
@operators
def set_reads(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Remember the reads that are to be shown, or none."""
    run = get_object_or_404(Run, uuid=uuid)
    text = request.POST.get("path", "").strip()
    try:
        reads.remember(run, reads.Reads.at(text) if text else None)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request,
            _("The reads are shown beneath the variants.")
            if text
            else _("No reads are shown any more."),
        )
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()})
    return redirect(back if allowed else reverse("run-genome", args=[run.uuid]))
