"""The reads that a run shows beneath its variants, by ranges of bytes."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.utils.http import quote_etag

from runs import reads
from runs.api import errors
from runs.api.artifacts import send
from runs.api.runs import find

PARTS = ("alignment", "index")


def part_of_run(request: HttpRequest, run_id: UUID, part: str) -> HttpResponseBase:
    found = reads.of_run(find(run_id))
    if found is None or part not in PARTS:
        raise errors.not_found(f"The run has no reads to show as {part}.")
    file = found.path if part == "alignment" else found.index
    status = file.stat()
    return send(request, file, quote_etag(f"{status.st_size}-{status.st_mtime_ns}"))
