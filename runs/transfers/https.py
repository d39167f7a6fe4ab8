"""Files by HTTPS: one address, or several candidates in order.

Redirects are followed only within a host. For addresses that users give, see
`addresses.py`: hosts on a list, no private addresses, connections pinned to what was
checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import urllib3
from urllib3 import BaseHTTPResponse

from runs.transfers.addresses import AddressRules, pinned_pool
from runs.transfers.base import (
    Fetched,
    Limits,
    Progress,
    RemoteFile,
    ShouldStop,
    Source,
    SpaceError,
    TransferCancelled,
    TransferError,
    never_stop,
    no_progress,
)
from runs.transfers.fetch import fetch
from runs.transfers.http import (
    HttpSettings,
    content_range,
    http_time,
    make_pool,
    refuse_status,
    request,
    safe_url,
)

REDIRECTS = {301, 302, 303, 307, 308}
MOST_REDIRECTS = 5
LONG_RANGES = Limits(chunk_bytes=64 * 1024 * 1024)
"""For large files: each range opens a connection of its own, which costs some round
trips, and these count the less the longer it lasts."""
CHECKSUM_HEADER = "x-amz-checksum-"


def name_of(url: str) -> str:
    """What follows the last slash of the path, `%2F` among them: never a folder."""
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1]


def remote_file(
    url: str,
    *,
    size: int | None = None,
    md5: str | None = None,
    sha256: str | None = None,
    name: str = "",
) -> RemoteFile:
    """An address with what is known of the file, as from a catalogue."""
    name = name or name_of(url)
    return RemoteFile(name=name, size=size, md5=md5, sha256=sha256, address=url)


class HttpsSource:
    """Addresses of any host; `rules` limit what users may ask for.

    A connection is closed before its place is given up: one that were kept would be
    open beside those of other processes, and count nowhere.
    """

    shared = True

    def __init__(
        self,
        settings: HttpSettings | None = None,
        rules: AddressRules | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._settings = settings or HttpSettings()
        self._rules = rules
        self._limits = limits or Limits()
        self._pool = make_pool(self._settings, keep=False)
        self._pinned: dict[str, urllib3.HTTPConnectionPool] = {}

    def describe(self, remote: RemoteFile) -> str:
        return safe_url(remote.address)

    def host(self, remote: RemoteFile) -> str:
        return urlsplit(remote.address).hostname or ""

    def open(
        self, remote: RemoteFile, headers: Mapping[str, str], limits: Limits
    ) -> BaseHTTPResponse:
        return self._request("GET", remote.address, headers, limits)

    def refuse(self, remote: RemoteFile, response: BaseHTTPResponse) -> TransferError:
        return refuse_status(response.status, response.headers, self.describe(remote))

    def probe(self, remote: RemoteFile) -> RemoteFile:
        """By HEAD; by a GET of one byte where HEAD is refused or says no length."""
        url, response = self._follow("HEAD", remote.address, {})
        if response.status < 300 and "Content-Length" in response.headers:
            return read_head(replace(remote, address=url), response)
        if response.status in {404, 410, 429} or response.status >= 500:
            raise self.refuse(remote, response)
        url, response = self._follow("GET", remote.address, {"Range": "bytes=0-0"})
        if response.status >= 300 and response.status != 416:
            raise self.refuse(remote, response)
        return read_head(replace(remote, address=url), response)

    def _follow(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> tuple[str, BaseHTTPResponse]:
        """The final address and its answer, whose body is left unread."""
        for _ in range(MOST_REDIRECTS):
            response = self._request(method, url, headers, self._limits)
            if method == "HEAD":
                response.drain_conn()  # a release alone leaves it unusable
            else:
                response.close()
            if response.status not in REDIRECTS:
                return url, response
            url = self._redirected(url, response.headers.get("Location", ""))
        raise TransferError(f"{safe_url(url)} redirects in a circle.")

    def _redirected(self, url: str, location: str) -> str:
        """Where a redirect leads: the same host, and never from https to http."""
        old = urlsplit(url)
        try:
            there = urljoin(url, location)
            new = urlsplit(there)
            port = new.port
        except ValueError as fault:
            raise TransferError(
                f"{safe_url(url)} redirects to an invalid address: {fault}."
            ) from fault
        upgraded = (old.scheme, new.scheme) == ("http", "https")
        same = old.hostname == new.hostname and (upgraded or old.port == port)
        if not same or (old.scheme != new.scheme and not upgraded):
            raise TransferError(
                f"{safe_url(url)} redirects to another host "
                f"({new.scheme}://{new.netloc.rpartition('@')[2]}), which is not "
                "followed. Give the final address, if you trust it."
            )
        return there

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], limits: Limits
    ) -> BaseHTTPResponse:
        place = safe_url(url)
        if self._rules is None:
            return request(self._pool, method, url, headers, limits, place)
        parts = urlsplit(url)
        key = f"{parts.scheme}://{parts.netloc}"
        if key not in self._pinned:
            self._pinned[key] = pinned_pool(url, self._rules, self._settings)
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        headers = {"Host": parts.netloc.rpartition("@")[2], **headers}
        return request(self._pinned[key], method, path, headers, limits, place)


def read_head(remote: RemoteFile, response: BaseHTTPResponse) -> RemoteFile:
    """What the headers tell of the file."""
    headers = response.headers
    length = headers.get("Content-Length", "")
    size = int(length) if length.isdecimal() and response.status == 200 else None
    ranged = headers.get("Accept-Ranges", "").lower() != "none"
    if response.status == 206:
        sent = content_range(headers.get("Content-Range", ""))
        size = sent[2] if sent else None
    checksums = {
        name.lower().removeprefix(CHECKSUM_HEADER): value
        for name, value in headers.items()
        if name.lower().startswith(CHECKSUM_HEADER)
    }
    composite = checksums.pop("type", "") == "COMPOSITE"
    return replace(
        remote,
        size=size,
        etag=headers.get("ETag", ""),
        last_modified=http_time(headers.get("Last-Modified")),
        checksums={} if composite else checksums,
        accepts_ranges=ranged and response.status != 416,
        content_type=headers.get("Content-Type", ""),
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a file can be had."""

    source: Source
    remote: RemoteFile


def fetch_first(
    candidates: Sequence[Candidate],
    target: Path,
    *,
    progress: Progress = no_progress,
    should_stop: ShouldStop = never_stop,
    limits: Limits | None = None,
) -> Fetched:
    """From the first candidate that delivers; raises with every candidate's reason."""
    reasons: list[TransferError] = []
    for candidate in candidates:
        try:
            return fetch(
                candidate.source,
                candidate.remote,
                target,
                progress=progress,
                should_stop=should_stop,
                limits=limits,
            )
        except (TransferCancelled, SpaceError):
            raise
        except TransferError as fault:
            reasons.append(fault)
    if len(reasons) == 1:
        raise reasons[0]
    lines = " ".join(f"({i}) {fault.sentence}" for i, fault in enumerate(reasons, 1))
    raise TransferError(
        f"{target.name} could not be had from any of {len(reasons)} places: {lines}",
        transient=any(fault.transient for fault in reasons),
        retry_after=max(
            (fault.retry_after for fault in reasons if fault.retry_after is not None),
            default=None,
        ),
    )
