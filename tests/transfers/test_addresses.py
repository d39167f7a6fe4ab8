"""Addresses that users give: hosts on a list, public, pinned."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from runs.transfers.addresses import AddressRules, check_url, resolve
from runs.transfers.base import TransferError
from runs.transfers.fetch import Job, fetch
from runs.transfers.https import HttpsSource, name_of, remote_file
from tests.transfers.conftest import QUICK, gz
from tests.transfers.servers import Site, serving

RULES = AddressRules(
    hosts=(
        "files.example.org",
        ".trusted.example",
        "ports.example.org:8443",
        "usual.example.org:443",
        "2001:db8::5",
    )
)
LOCAL = AddressRules(
    hosts=("127.0.0.1", "localhost"), allow_loopback=True, allow_http=True
)


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.org/a.zip",
        "https://FILES.example.org:8443/a.zip",
        "https://files.example.org./a.zip",
        "https://a.b.trusted.example/x",
        "https://ports.example.org:8443/x",
        "https://usual.example.org/x",
        "https://usual.example.org:443/x",
        "https://[2001:db8::5]:8443/x",
    ],
)
def test_allowed(url: str) -> None:
    assert check_url(url, RULES).hostname


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://evil.example/a", "not on the list of allowed hosts"),
        ("https://trusted.example/a", "not on the list"),
        ("https://files.example.org.evil.example/a", "not on the list"),
        ("https://files.example.org@evil.example/a", "user name .* not on the list"),
        ("http://files.example.org/a", "must begin with https://"),
        ("https://ports.example.org/a", "not on the list"),
        ("https://ports.example.org:844/a", "not on the list"),
        ("ftp://files.example.org/a", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://.* names no host"),
        ("https://user:pw@files.example.org/a", "must not hold a user name"),
        ("https://files.example.org:99999/a", "not a valid address"),
        ("https://[::1/a", "not a valid address"),
        ("nonsense", "names no host"),
        ("", "names no host"),
    ],
)
def test_refused(url: str, words: str) -> None:
    with pytest.raises(TransferError, match=words):
        check_url(url, RULES)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:a00:1::",
        "::7f00:1",
        "255.255.255.255",
    ],
)
def test_names_that_lead_inside(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(0, 0, 0, "", (a, 443)) for a in ("93.184.215.14", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
    with pytest.raises(TransferError, match="inside this network or machine"):
        resolve("files.example.org", 443, RULES)


def test_public_addresses_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::5db8:d70e"]
    answers = [(0, 0, 0, "", (address, 443)) for address in addresses * 2]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
    assert resolve("files.example.org", 443, RULES) == addresses


def test_the_connection_goes_to_the_address_that_was_checked(
    site: Site, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers otherwise at its second look-up gains nothing."""
    site.files["/a.gz"] = gz()
    port = int(url.rsplit(":", 1)[1])
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *args: object, **kwargs: object) -> object:
        asked.append(host)
        return real("127.0.0.1" if host == "files.test" else host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    rules = AddressRules(("files.test",), allow_loopback=True, allow_http=True)
    source = HttpsSource(rules=rules)
    got = fetch(source, remote_file(f"http://files.test:{port}/a.gz"), tmp_path / "a")
    assert got.path.read_bytes() == site.files["/a.gz"]
    assert asked.count("files.test") == 1


def test_loopback_needs_the_flag(site: Site, url: str, tmp_path: Path) -> None:
    site.files["/a.gz"] = gz()
    rules = AddressRules(("127.0.0.1",), allow_http=True)
    with pytest.raises(TransferError, match="inside this network"):
        fetch(HttpsSource(rules=rules), remote_file(f"{url}/a.gz"), tmp_path / "a")
    fetch(HttpsSource(rules=LOCAL), remote_file(f"{url}/a.gz"), tmp_path / "a")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.vcf.gz", "b.vcf.gz"),
        ("..%2F..%2Fvictim%2Fb.vcf.gz", "b.vcf.gz"),
        ("%2Fetc%2Fb.vcf.gz?x=/c", "b.vcf.gz"),
        ("a%2F..", ".."),
        ("..%5C..%5Cb.vcf.gz", r"..\..\b.vcf.gz"),
    ],
)
def test_the_name_of_a_file_is_never_a_path(path: str, name: str) -> None:
    assert name_of(f"https://files.example.org/{path}") == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "/etc/a", "a/b", r"..\a", "a\0b", "a\nb", "é" * 121]
)
def test_nothing_is_fetched_to_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="no name that a file can have"):
        Job.into(tmp_path, remote_file("https://files.example.org/a", name=name or "/"))


@pytest.mark.parametrize("name", ["a.vcf.gz", "..a", "a b", "é" * 120])
def test_plain_names(name: str, tmp_path: Path) -> None:
    remote = remote_file("https://files.example.org/a", name=name)
    assert Job.into(tmp_path, remote).target == tmp_path / name


@pytest.mark.parametrize("place", ["http://host:99999/", "http://[::1/x"])
def test_a_redirect_to_nonsense(
    site: Site, url: str, tmp_path: Path, place: str
) -> None:
    site.faults["/a.gz"] = lambda handler, _body: handler.answer(
        302, b"", {"Location": place}
    )
    with pytest.raises(TransferError, match="redirects to an invalid address"):
        fetch(HttpsSource(rules=LOCAL), remote_file(f"{url}/a.gz"), tmp_path / "a")


def test_a_redirect_to_another_port_is_not_followed(
    site: Site, url: str, tmp_path: Path
) -> None:
    with serving(Site(files={"/a.gz": gz()})) as other:
        site.faults["/a.gz"] = lambda handler, _body: handler.answer(
            302, b"", {"Location": f"{other}/a.gz"}
        )
        with pytest.raises(TransferError, match="redirects to another host"):
            fetch(
                HttpsSource(rules=LOCAL),
                remote_file(f"{url}/a.gz"),
                tmp_path / "a",
                limits=QUICK,
            )
