"""The words of a transfer, shared by every source and by those who call them.

All sizes and offsets are bytes, offsets count from 0, ranges are half-open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from urllib3 import BaseHTTPResponse

NAME_BYTES = 240
"""Of a file's name; its part file has a few more, and disks allow 255."""
VerifiedBy = Literal["sha256", "md5", "etag", "checksum-header", "size"]

# bytes done, bytes in all (None while unknown), bytes per second of late
Progress = Callable[[int, int | None, float], None]
# True means: stop now. Asked at least once a second while a transfer runs.
ShouldStop = Callable[[], bool]


def is_file_name(name: str) -> bool:
    """Whether a text from outside is one plain name, and no path."""
    if name in {"", ".", ".."} or re.search(r"[/\\\x00-\x1f\x7f]", name):
        return False
    return len(name.encode("utf-8", "replace")) <= NAME_BYTES


class TransferError(Exception):
    """A transfer that failed; `sentence` is fit to be shown to a user as it is.

    `transient` says that the same call may succeed later without any change.
    """

    def __init__(
        self,
        sentence: str,
        *,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.transient = transient
        self.retry_after = retry_after


class SpaceError(TransferError):
    """The disk is full, or would be; a retry after making room completes."""


class TransferCancelled(Exception):
    """`should_stop` answered True. The part file stays, so that a retry resumes."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file at a source, with all that is known of its content beforehand.

    `address` is what the source needs to find it: a key for S3, a URL for HTTPS.
    `etag` is kept as sent, quotes included. `checksums` holds full-object checksums
    announced in headers, base64 by algorithm (`{"crc32": "…"}`). `part_size` is that
    of a multipart upload, which is what makes an ETag `…-N` checkable. `listed` is true
    of what a listing said a moment ago, which need not be asked for again.
    """

    name: str
    size: int | None
    etag: str = ""
    version_id: str | None = None
    last_modified: datetime | None = None
    md5: str | None = None
    sha256: str | None = None
    address: str = ""
    etag_is_md5: bool = False
    part_size: int | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)
    accepts_ranges: bool = True
    content_type: str = ""
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file in place. `verified_by` is the strongest proof that matched.

    `size` alone proves little and is to be shown as such. `resumed_bytes` were taken
    over from an earlier attempt; `downloaded_bytes` went over the wire in this one.
    At least one of `md5`, `sha256` and `crc64nvme` (base64, as S3 shows it) is set:
    what proved the content, or SHA-256 where nothing as long did. With
    `Limits.with_sha256` that one is set in any case.
    """

    path: Path
    size: int
    md5: str | None
    sha256: str | None
    verified_by: VerifiedBy
    resumed_bytes: int = 0
    downloaded_bytes: int = 0
    source: str = ""
    crc64nvme: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a transfer tries, and where it ends. Times are in seconds.

    `connections` hold for a host, over all transfers of this process, and of this
    machine for sources that are `shared`: NCBI asks for no more than four. `attempts`
    counts failures in a row without one new byte.
    """

    connections: int = 4
    chunk_bytes: int = 8 * 1024 * 1024
    attempts: int = 6
    restarts: int = 3
    backoff: float = 0.5
    backoff_max: float = 60.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    stall_seconds: float = 120.0
    stall_bytes: int = 64 * 1024
    max_bytes: int | None = None
    reserve_bytes: int = 32 * 1024 * 1024
    with_sha256: bool = False
    files_at_once: int = 8


class Source(Protocol):
    """Where files come from: finds them, and opens byte ranges of them over HTTP.

    `shared` counts the connections to a host over all processes of this machine.
    """

    shared: bool

    def describe(self, remote: RemoteFile) -> str:
        """The address to show to a user; without credentials or signatures."""

    def host(self, remote: RemoteFile) -> str:
        """The host whose connections are counted."""

    def probe(self, remote: RemoteFile) -> RemoteFile:
        """The same file with size, ETag and checksums as they are at this moment."""

    def open(
        self, remote: RemoteFile, headers: Mapping[str, str], limits: Limits
    ) -> BaseHTTPResponse:
        """An unread GET response, redirects not followed; raises TransferError."""

    def refuse(self, remote: RemoteFile, response: BaseHTTPResponse) -> TransferError:
        """What an answer that carries no data (status >= 300) means, in words."""


def human_bytes(count: int) -> str:
    """Decimal units: 950 bytes, 1.20 MB, 12.50 GB, 123 GB."""
    if count < 1000:
        return f"{count} bytes"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            break
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}"


def never_stop() -> bool:
    return False


def no_progress(_done: int, _total: int | None, _rate: float) -> None:
    return None
