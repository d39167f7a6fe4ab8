"""Which addresses a user may have fetched: hosts on a list, public addresses only.

A host name is resolved once, every address of it is checked, and the connection goes
to the checked address itself, so that a name that answers differently the next moment
(DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import urllib3

from runs.transfers.base import TransferError
from runs.transfers.body import ClosingEncryptedPool, ClosingPlainPool
from runs.transfers.http import HttpSettings, pool_options

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
DEFAULT_PORTS = {"https": 443, "http": 80}
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """`hosts`: names that are allowed, `.example.org` with all below it, each perhaps
    with the one port that is meant (`example.org:8443`).

    `allow_loopback` is for the demo and the tests; `allow_http` allows addresses
    without TLS.
    """

    hosts: tuple[str, ...]
    allow_loopback: bool = False
    allow_http: bool = False


def check_url(url: str, rules: AddressRules) -> SplitResult:
    """Raises TransferError, naming every fault, unless the address may be asked for."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as fault:
        raise TransferError(f"{url!r} is not a valid address: {fault}.") from fault
    faults = _faults(parts, rules)
    if faults:
        raise TransferError(f"The address cannot be fetched: {'; '.join(faults)}.")
    return parts


def _faults(parts: SplitResult, rules: AddressRules) -> list[str]:
    faults = []
    schemes = {"https", "http"} if rules.allow_http else {"https"}
    if parts.scheme not in schemes:
        faults.append(f"it must begin with {' or '.join(sorted(schemes))}://")
    if parts.username or parts.password:
        faults.append("it must not hold a user name or password")
    if not parts.hostname:
        faults.append("it names no host")
    elif not allowed_host(parts, rules):
        known = ", ".join(rules.hosts) or "none so far"
        faults.append(
            f"the host {parts.hostname} is not on the list of allowed hosts ({known}); "
            "an administrator can add it"
        )
    return faults


def allowed_host(parts: SplitResult, rules: AddressRules) -> bool:
    host = (parts.hostname or "").lower().rstrip(".")
    for entry in rules.hosts:
        if host == entry.lower().strip("[]"):  # IPv6 has colons of its own
            return True
        name, colon, port = entry.lower().partition(":")
        if colon and port != str(parts.port or DEFAULT_PORTS.get(parts.scheme)):
            continue
        if host == name or (name.startswith(".") and host.endswith(name)):
            return True
    return False


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def public(address: Address, rules: AddressRules) -> bool:
    address = embedded(address)
    if address.is_loopback:
        return rules.allow_loopback
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int, rules: AddressRules) -> list[str]:
    """All addresses of `host`; raises where one of them is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise TransferError(
            f"The host name {host} cannot be resolved. Check the address and the name "
            "server of this machine.",
            transient=True,
        ) from fault
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in addresses:
        if not public(ipaddress.ip_address(text.partition("%")[0]), rules):
            raise TransferError(
                f"The host {host} leads to {text}, an address inside this network or "
                "machine, from which nothing is fetched on behalf of users."
            )
    return addresses


def pinned_pool(
    url: str, rules: AddressRules, settings: HttpSettings
) -> urllib3.HTTPConnectionPool:
    """Connections to the checked address of `url`, with its own name for TLS.

    None is kept: see `HttpsSource`.
    """
    parts = check_url(url, rules)
    host = parts.hostname or ""
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    address = resolve(host, port, rules)[0]
    options = pool_options(settings)
    if parts.scheme == "http":
        return ClosingPlainPool(address, port, **options)  # type: ignore[arg-type]
    options.setdefault("cert_reqs", ssl.CERT_REQUIRED)
    return ClosingEncryptedPool(
        address,
        port,
        server_hostname=host,
        assert_hostname=host,
        **options,  # type: ignore[arg-type]
    )
