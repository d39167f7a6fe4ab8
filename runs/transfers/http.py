"""HTTP by urllib3: pooled connections, and every fault as a sentence.

Retries and redirects of urllib3 are off: the downloader resumes in the middle of a
body, which urllib3 cannot, and each source decides itself where it may be sent.
"""

from __future__ import annotations

import email.utils
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import urllib3
from urllib3 import BaseHTTPResponse
from urllib3 import exceptions as faults

from runs.transfers.base import Limits, TransferError
from runs.transfers.body import CLOSING_POOLS, POOLS

USER_AGENT = "VCBench (variant-calling benchmark portal)"
THROTTLED = {429, 503}


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`ca_bundle`: a PEM file; None takes the system's. `proxy`: an http(s) URL."""

    ca_bundle: str | None = None
    proxy: str | None = None
    verify_tls: bool = True


def pool_options(settings: HttpSettings) -> dict[str, object]:
    options: dict[str, object] = {"maxsize": 8, "block": False, "retries": False}
    if settings.ca_bundle:
        options["ca_certs"] = settings.ca_bundle
    if not settings.verify_tls:
        options["cert_reqs"] = ssl.CERT_NONE
    return options


def make_pool(settings: HttpSettings, *, keep: bool = True) -> urllib3.PoolManager:
    """`keep`: connections stay open for the next request."""
    options = pool_options(settings)
    pool: urllib3.PoolManager
    if settings.proxy:
        pool = urllib3.ProxyManager(settings.proxy, **options)  # type: ignore[arg-type]
    else:
        pool = urllib3.PoolManager(**options)  # type: ignore[arg-type]
    pool.pool_classes_by_scheme = POOLS if keep else CLOSING_POOLS
    return pool


def request(
    pool: urllib3.PoolManager | urllib3.HTTPConnectionPool,
    method: str,
    url: str,
    headers: Mapping[str, str],
    limits: Limits,
    place: str,
) -> BaseHTTPResponse:
    """One request whose body is still to be read; raises TransferError.

    A server may close a connection that was kept just as the next request is on its
    way. Such a request, not answered by a single byte, is sent once more, as
    RFC 9112 (9.3.1) has it for methods that change nothing.
    """
    all_headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    timeout = urllib3.Timeout(connect=limits.connect_timeout, read=limits.read_timeout)

    def send() -> BaseHTTPResponse:
        return pool.request(
            method,
            url,
            headers=all_headers,
            timeout=timeout,
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )

    try:
        try:
            return send()
        except faults.ProtocolError as fault:
            if not isinstance(fault.args[-1], ConnectionError):
                raise
            return send()
    except faults.HTTPError as fault:
        raise explain(fault, place) from fault


def explain(fault: Exception, place: str) -> TransferError:
    """A fault of the connection in words; most of them pass by themselves."""
    if isinstance(fault, faults.SSLError | ssl.SSLError):
        return _tls(fault, place)
    if isinstance(fault, faults.NameResolutionError):
        return TransferError(
            f"The host name of {place} cannot be resolved. Check the address and the "
            "name server of this machine.",
            transient=True,
        )
    if isinstance(fault, faults.ProxyError):
        return TransferError(
            f"The proxy on the way to {place} cannot be used. Check the proxy setting.",
            transient=True,
        )
    if isinstance(fault, faults.ConnectTimeoutError | faults.NewConnectionError):
        return TransferError(
            f"{place} cannot be reached ({_reason(fault)}). Check the address, the "
            "network and the firewall; the download resumes where it stopped.",
            transient=True,
        )
    if isinstance(fault, faults.ReadTimeoutError | TimeoutError):
        return TransferError(
            f"{place} stopped sending: no byte came for the time allowed.",
            transient=True,
        )
    if isinstance(fault, faults.LocationParseError | faults.LocationValueError):
        return TransferError(f"{place} is not a valid address.")
    return TransferError(
        f"The connection to {place} broke off ({_reason(fault)}).", transient=True
    )


def _reason(fault: Exception) -> str:
    """The last cause without Python's object addresses."""
    text = str(fault)
    for mark in ("Connection refused", "timed out", "reset by peer", "unreachable"):
        if mark.lower() in text.lower():
            return mark.lower()
    return "cut in the middle" if "IncompleteRead" in text else type(fault).__name__


def _tls(fault: Exception, place: str) -> TransferError:
    text = str(fault)
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        return TransferError(
            f"The certificate of {place} is not trusted ({_certificate(text)}). Check "
            "the address and the clock; for a store with a certificate of your own, "
            "give its CA file in the settings."
        )
    if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text:
        return TransferError(
            f"{place} does not speak TLS. Check whether the address should begin with "
            "http:// instead of https://."
        )
    return TransferError(
        f"The encrypted connection to {place} failed ({_reason(fault)}).",
        transient=True,
    )


def _certificate(text: str) -> str:
    for mark in (
        "self-signed",
        "expired",
        "not yet valid",
        "mismatch",
        "doesn't match",
    ):
        if mark in text:
            return mark
    return "its issuer is unknown"


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait, from a number or a date; None where the header is absent."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - (time.time() if now is None else now))


def safe_url(url: str) -> str:
    """The address without user, password, query and fragment: fit for a log."""
    parts = urlsplit(url)
    return urlunsplit(
        (parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")
    )


def _redirect(location: str) -> str:
    """Where a redirect leads; its query may hold a signature."""
    try:
        return safe_url(location) or "nowhere"
    except ValueError:
        return "an invalid address"


def refuse_status(status: int, headers: Mapping[str, str], place: str) -> TransferError:
    """What an HTTP status without data means for the user."""
    if status in THROTTLED:
        return TransferError(
            f"{place} is busy (status {status}) and asks to come back later.",
            transient=True,
            retry_after=retry_after(headers),
        )
    if 300 <= status < 400:
        return TransferError(
            f"{place} redirects to {_redirect(headers.get('Location', ''))}, which is "
            "not followed. Give the final address."
        )
    if status >= 500 or status == 408:
        return TransferError(
            f"{place} failed with status {status}, a fault of the server.",
            transient=status not in {501, 505},
        )
    return TransferError(f"{place} {CLIENT_FAULTS.get(status, OTHER).format(status)}")


OTHER = "refused the request (status {}). Check the address."
CLIENT_FAULTS = {
    401: "asks for a sign-in (status {}). Check the credentials in the settings.",
    403: "may not be read (status {}). Check the address and the access rights.",
    404: "does not exist (status {}). Check the address.",
    407: "is behind a proxy that asks for a sign-in (status {}). Check the setting.",
    410: "has been removed for good (status {}). Check the address.",
    416: "does not have the bytes that it announced (status {}).",
}


def http_time(value: str | None) -> datetime | None:
    """An HTTP date, or None where there is none or it is unreadable."""
    try:
        return email.utils.parsedate_to_datetime(value) if value else None
    except ValueError:
        return None


def content_range(value: str) -> tuple[int, int, int | None] | None:
    """`bytes 0-9/100` as (0, 10, 100): half-open, None for an unknown total."""
    unit, _, rest = value.partition(" ")
    span, _, total = rest.partition("/")
    first, _, last = span.partition("-")
    if unit != "bytes" or not (first.isdecimal() and last.isdecimal()):
        return None
    return int(first), int(last) + 1, int(total) if total.isdecimal() else None
