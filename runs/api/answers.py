"""The shapes of what is answered. The OpenAPI document is made from them, and a test
holds real answers against it.

Every run is named by its UUID under `run`. Times are UTC, sizes bytes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12


class ErrorBody(TypedDict):
    code: str
    message: str
    fields: dict[str, list[str]]


class Error(TypedDict):
    error: ErrorBody


class StageAnswer(TypedDict):
    name: str
    status: str
    message: str
    percent: int | None
    done: int
    total: int | None
    started_at: datetime | None
    finished_at: datetime | None


class Links(TypedDict):
    """Addresses of more about a run; `page` is for people."""

    self: str
    page: str
    logs: str
    metrics: str


class RunAnswer(TypedDict):
    """A run; `rate` is in bytes per second, `eta` in seconds.

    `next_attempt_at`: when a pending run is tried again by itself, because of a fault
    (`reason`) that may pass.
    """

    run: UUID
    sample_id: str
    individual: str
    status: str
    reason: str
    source: str
    location: dict[str, Any]
    options: dict[str, Any]
    auto_process: bool
    priority: str
    attempt: int
    next_attempt_at: datetime | None
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stage: str
    stages: list[StageAnswer]
    bytes_done: int
    bytes_total: int | None
    rate: float | None
    eta: float | None
    last_sequence: int
    links: Links


class ArtifactAnswer(TypedDict):
    name: str
    role: str
    kind: str
    stage: str
    size: int
    md5: str
    sha256: str
    crc64nvme: str
    verified_by: str
    removed_at: datetime | None
    link: str


class RunDetail(RunAnswer):
    """A run with what it was made with and all its files."""

    details: str
    provenance: dict[str, Any]
    artifacts: list[ArtifactAnswer]


class RunStarted(RunAnswer):
    """`joined`: the run was there already."""

    joined: bool


class UploadAnswer(TypedDict):
    """An upload in parts: `offset` is where to go on, `part_bytes` how much at a time
    is good."""

    upload: str
    name: str
    size: int
    offset: int
    part_bytes: int


class SampleRun(TypedDict):
    sample_id: str
    run: UUID


class PrefixAnswer(TypedDict):
    """How many samples the store has, and what was done about them."""

    found: int
    imported_before: int
    left_for_later: int
    runs: list[SampleRun]


class RunPage(TypedDict):
    items: list[RunAnswer]
    next: str | None


class LogLine(TypedDict):
    sequence: int
    time: datetime
    level: str
    stage: str
    message: str


class LogAnswer(TypedDict):
    """`next` is the `since` of the next question; done when it is `last_sequence`
    and the run has ended."""

    sample_id: str
    run: UUID
    status: str
    logs: list[LogLine]
    next: int
    last_sequence: int


class CleanUpAnswer(TypedDict):
    sample_id: str
    run: UUID
    files: int
    bytes: int


class RunMetrics(TypedDict):
    """Rows have the columns of hap.py and Truvari; `qc_rows` says how many there are
    at `metrics/qc?run=…`. Small-variant rows of strata are at
    `metrics/small-variants?run=…`."""

    run: UUID
    sample_id: str
    status: str
    small_variants: list[dict[str, Any]]
    structural_variants: list[dict[str, Any]]
    qc_rows: int


class MetricPage(TypedDict):
    """Each row says whose it is (`run`, `sample_id`, `individual`, `created_at`); the
    columns of the table follow."""

    items: list[dict[str, Any]]
    next: str | None


class VariantAnswer(TypedDict):
    """A false positive or negative; `position` is 1-based, `side` truth or query,
    `size` in bases, negative where they are lost."""

    contig: str
    position: int
    ref: str
    alt: str
    side: str
    verdict: str
    reason: str
    type: str | None
    subtype: str | None
    genotype: str | None
    size: int
    quality: float | None
    filter: str
    strata: list[str]


class VariantPage(TypedDict):
    """`next` is the `offset` of the next page."""

    items: list[VariantAnswer]
    total: int
    next: int | None


class SampleAnswer(TypedDict):
    sample_id: str
    individual: str
    truth_set: str | None
    note: str
    created_at: datetime
    runs: int
    newest_run: UUID | None
    newest_status: str | None


class SamplePage(TypedDict):
    items: list[SampleAnswer]
    next: str | None


class CachedState(TypedDict):
    """Whether the files are on this machine; `size` in bytes as far as it is known."""

    state: str
    message: str
    size: int | None
    fetched_at: datetime | None
    used_at: datetime | None


class ReferenceAnswer(CachedState):
    """A reference genome."""

    key: str
    build: str
    default: bool


class TruthSetRow(ReferenceAnswer):
    """A truth set; `kind` is smvar or stvar, `origin` catalog or uploaded."""

    individual: str
    kind: str
    version: str
    origin: str


class ReferencesAnswer(TypedDict):
    references: list[ReferenceAnswer]
    truth_sets: list[TruthSetRow]


class EngineAnswer(TypedDict):
    """Whether an engine works here; if not, why and what to do."""

    name: str
    kind: str
    available: bool
    version: str
    reason: str
    remedy: str


class PresetAnswer(TypedDict):
    """Parameters of Truvari by name."""

    name: str
    title: str


class EnginesAnswer(TypedDict):
    engines: list[EngineAnswer]
    presets: list[PresetAnswer]
