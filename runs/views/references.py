"""Truth sets and references: what the catalogue has, and what is on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from redis.exceptions import RedisError

from benchmarks import catalog
from benchmarks.catalog import CatalogError, FileEntry
from benchmarks.models import Reference, State, TruthSet
from runs import queue
from runs.views.access import operators, viewers


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the catalogue with its state here."""

    key: str
    individual: str
    build: str
    kind: str
    version: str
    is_default: bool
    notes: Sequence[str]
    row: TruthSet | Reference | None
    known_size: int | None

    @property
    def state(self) -> State:
        return State(self.row.state) if self.row else State.ABSENT

    @property
    def message(self) -> str:
        return self.row.message if self.row else ""

    @property
    def size(self) -> int | None:
        return self.row.size if self.row and self.row.size else self.known_size


@require_safe
@viewers
def references(request: HttpRequest) -> HttpResponse:
    fault, truth_sets, genomes = "", [], []
    try:
        truth_sets, genomes = _truth_sets(), _genomes()
    except CatalogError as error:
        fault = str(error)
    own = TruthSet.objects.filter(origin=TruthSet.Origin.UPLOADED)
    context = {
        "fault": fault,
        "truth_sets": truth_sets,
        "genomes": genomes,
        "own": own,
        "busy": any(line.state == State.FETCHING for line in truth_sets + genomes),
    }
    return render(request, "runs/references.html", context)


@require_POST
@operators
def fetch(request: HttpRequest, key: str) -> HttpResponse:
    """Fetch an entry before a run needs it."""
    known = catalog.current()
    keys = {entry.key for entry in known.truth_sets}
    if key not in keys | {entry.key for entry in known.references}:
        raise Http404
    try:
        queue.enqueue_fetch(key)
    except RedisError:
        messages.error(request, _("The queue does not answer. Try again later."))
    else:
        messages.success(request, _("%s is queued; a worker fetches it.") % key)
    return redirect("references")


def _truth_sets() -> list[Line]:
    rows = {row.key: row for row in TruthSet.objects.all()}
    entries = sorted(
        catalog.current().truth_sets,
        key=lambda entry: (entry.individual, entry.kind, entry.build, entry.version),
    )
    return [
        Line(
            key=entry.key,
            individual=entry.individual,
            build=entry.build,
            kind=str(TruthSet.Kind(entry.kind).label),
            version=entry.version,
            is_default=entry.default,
            notes=entry.notes,
            row=rows.get(entry.key),
            known_size=_size(entry.files.values()),
        )
        for entry in entries
    ]


def _genomes() -> list[Line]:
    rows = {row.key: row for row in Reference.objects.all()}
    return [
        Line(
            key=entry.key,
            individual="",
            build=entry.build,
            kind="",
            version="",
            is_default=entry.default,
            notes=(entry.use,) if entry.use else (),
            row=rows.get(entry.key),
            known_size=_size(entry.files.values()),
        )
        for entry in catalog.current().references
    ]


def _size(files: Iterable[FileEntry]) -> int | None:
    """Bytes of all files, as far as they are known beforehand."""
    return sum(file.bytes or 0 for file in files) or None
