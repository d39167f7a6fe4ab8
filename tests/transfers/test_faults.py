"""Faults of objects and servers: each ends in a sentence, nothing half counts."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runs.transfers.base import Limits, RemoteFile, TransferError
from runs.transfers.fetch import fetch
from runs.transfers.http import HttpSettings, make_pool, request
from runs.transfers.https import Candidate, HttpsSource, fetch_first, remote_file
from tests.transfers.conftest import QUICK, gz, md5, noise
from tests.transfers.servers import Fault, Handler, Site, serving

BODY = gz(400_000)
PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


def status(code: int, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _body: handler.answer(code, b"", named)


def only_gets(fault: Fault) -> Fault:
    """HEAD is answered honestly."""
    return lambda handler, body: handler.command == "GET" and fault(handler, body)


def times(count: int, fault: Fault) -> Fault:
    """Only the first `count` requests."""
    left = count

    def limited(handler: Handler, body: bytes) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and fault(handler, body)

    return limited


def page(handler: Handler, _body: bytes) -> bool:
    return handler.answer(200, PAGE, {"Content-Type": "text/html; charset=utf-8"})


def page_as_gzip(handler: Handler, _body: bytes) -> bool:
    return handler.answer(200, PAGE, {"Content-Type": "application/gzip"})


def unannounced(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True


def chunked(handler: Handler, pieces: Iterator[bytes], *, end: bool) -> bool:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    if handler.command == "GET":
        for piece in pieces:
            handler.push(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.push(b"0\r\n\r\n" if end else b"")
    handler.close_connection = True
    return True


def endless(handler: Handler, body: bytes) -> bool:
    return chunked(handler, (noise(65536) for _ in range(10_000)), end=True)


def cut_chunked(handler: Handler, body: bytes) -> bool:
    return chunked(handler, iter([body[:1000]]), end=False)


def no_length(handler: Handler, body: bytes) -> bool:
    unannounced(handler)
    if handler.command == "GET":
        handler.push(body[:1000])
    return True


def short(handler: Handler, body: bytes) -> bool:
    """Announces all and closes in the middle, each time."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.send_header("Accept-Ranges", "none")
    handler.end_headers()
    if handler.command == "GET":
        handler.push(body[: len(body) // 2])
    handler.close_connection = True
    return True


def shifted(handler: Handler, body: bytes) -> bool:
    """Sends other bytes than were asked for."""
    headers = {"Content-Range": f"bytes 5-10/{len(body)}", "ETag": handler.etag(body)}
    return handler.answer(206, body[5:11], headers)


def no_content_range(handler: Handler, body: bytes) -> bool:
    return handler.answer(206, body, {"ETag": handler.etag(body)})


def other_total(handler: Handler, body: bytes) -> bool:
    first, _, last = handler.headers["Range"][6:].partition("-")
    where = {"Content-Range": f"bytes {first}-{last}/999999999"}
    return handler.answer(206, body[int(first) : int(last) + 1], where)


def drip(handler: Handler, body: bytes) -> bool:
    """A byte now and then: no timeout of a read ever strikes."""
    first, _, last = handler.headers["Range"][6:].partition("-")
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
    handler.send_header("Content-Length", str(int(last) + 1 - int(first)))
    handler.end_headers()
    try:
        for byte in body[int(first) :][:100]:
            handler.push(bytes([byte]))
            time.sleep(0.05)
    finally:
        handler.close_connection = True
    return True


def silent(handler: Handler, _body: bytes) -> bool:
    time.sleep(1.5)
    handler.close_connection = True
    return True


def reset(handler: Handler, _body: bytes) -> bool:
    linger = b"\x01\0\0\0\0\0\0\0"
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True
    return True


def closes_kept_connections() -> Fault:
    """Says nothing of it, and closes each connection as its second request comes."""
    served: set[Handler] = set()

    def closing(handler: Handler, _body: bytes) -> bool:
        handler.close_connection = handler in served
        served.add(handler)
        return handler.close_connection

    return closing


def nonsense(handler: Handler, _body: bytes) -> bool:
    handler.push(b"SSH-2.0-OpenSSH_9.6\r\n")
    handler.close_connection = True
    return True


def changing(handler: Handler, body: bytes) -> bool:
    """Another object at every request."""
    handler.site.files[handler.path] = noise(len(body), len(handler.site.requests))
    return handler.file(handler.site.files[handler.path])


def gone_on_get(handler: Handler, body: bytes) -> bool:
    return handler.answer(404)


@dataclass(frozen=True)
class Case:
    fault: Fault | None
    words: str
    transient: bool = False
    body: bytes = BODY
    known: Callable[[RemoteFile], RemoteFile] = lambda remote: remote
    limits: Limits = QUICK


def knows(**what: object) -> Callable[[RemoteFile], RemoteFile]:
    return lambda remote: replace(remote, **what)  # type: ignore[arg-type]


CASES = {
    "401": Case(status(401), r"asks for a sign-in \(status 401\)"),
    "403": Case(status(403), r"may not be read \(status 403\)"),
    "404": Case(status(404), r"does not exist \(status 404\)"),
    "404 after a good HEAD": Case(only_gets(gone_on_get), "does not exist"),
    "410": Case(status(410), "removed for good"),
    "416": Case(only_gets(status(416)), r"changed again and again .*416"),
    "418": Case(status(418), r"refused the request \(status 418\)"),
    "429": Case(status(429, Retry_After="0"), "is busy .* come back later", True),
    "500": Case(status(500), "status 500, a fault of the server", True),
    "501": Case(only_gets(status(501)), "status 501"),
    "503": Case(status(503), r"is busy \(status 503\).*Tried 3 times", True),
    "redirect to another host": Case(
        status(302, Location="https://elsewhere.example/a.vcf.gz"),
        r"redirects to another host \(https://elsewhere\.example\)",
    ),
    "redirect to a file": Case(
        status(302, Location="file:///etc/passwd"), "another host"
    ),
    "redirect in a circle": Case(
        lambda handler, _: handler.answer(302, b"", {"Location": handler.path}),
        "redirects in a circle",
    ),
    "redirect of the data": Case(
        only_gets(status(302, Location="/x")), "redirects to /x"
    ),
    "web page": Case(page, r"sent a web page instead of a\.vcf\.gz"),
    "web page that says gzip": Case(page_as_gzip, "sent a web page instead"),
    "text instead of gzip": Case(None, "not gzip-compressed", body=b"##fileformat=VCF"),
    "empty instead of gzip": Case(None, "is empty; a gzip file", body=b""),
    "truncated at the source": Case(None, "cut off", body=BODY[:-50]),
    "damaged at the source": Case(
        None, "is damaged", body=BODY[:5000] + b"\0\0\0\0" + BODY[5004:]
    ),
    "BGZF without its end": Case(
        None,
        "end mark of a BGZF file",
        body=bytes.fromhex(
            "1f8b08040000000000ff0600424302001b000300000000000000000000"
        ),
    ),
    "wrong md5": Case(
        None,
        "did not arrive as it was sent .md5 should be 0",
        known=knows(md5="0" * 32),
    ),
    "wrong sha256": Case(None, "sha256 should be", known=knows(sha256="0" * 64)),
    "wrong length": Case(
        None, "has .* bytes, but 17 are expected", known=knows(size=17)
    ),
    "too large": Case(
        None, "more than the 1.00 kB", limits=replace(QUICK, max_bytes=1000)
    ),
    "stops short again and again": Case(short, "broke off at byte|cut in", True),
    "cut without length": Case(no_length, "does not say how long the file is"),
    "cut in chunks": Case(cut_chunked, "broke off", True),
    "endless": Case(
        endless,
        "sends more than the 2.00 MB",
        limits=replace(QUICK, max_bytes=2_000_000),
    ),
    "other bytes than asked for": Case(only_gets(shifted), "sent other bytes"),
    "no Content-Range": Case(only_gets(no_content_range), "no Content-Range"),
    "other total": Case(only_gets(other_total), "sent other bytes than asked"),
    "changes all the time": Case(changing, "changed .* while it was downloaded"),
    "slow drip": Case(only_gets(drip), "sends too slowly: .* bytes in", True),
    "silent": Case(
        only_gets(silent),
        "stopped sending",
        True,
        limits=replace(QUICK, read_timeout=0.2, attempts=2, stall_seconds=60),
    ),
    "reset": Case(reset, "broke off .*Tried 3 times", True),
    "no HTTP": Case(nonsense, "broke off", True),
}


def test_there_are_thirty_of_them() -> None:
    assert len(CASES) >= 30


@pytest.mark.parametrize("name", CASES)
def test_each_ends_in_a_sentence(
    name: str, site: Site, url: str, tmp_path: Path
) -> None:
    case = CASES[name]
    site.files["/a.vcf.gz"] = case.body
    if case.fault:
        site.faults["/a.vcf.gz"] = case.fault
    target = tmp_path / "a.vcf.gz"
    with pytest.raises(TransferError, match=case.words) as caught:
        fetch(
            HttpsSource(limits=case.limits),
            case.known(remote_file(f"{url}/a.vcf.gz")),
            target,
            limits=case.limits,
        )
    assert caught.value.transient is case.transient
    assert caught.value.sentence.rstrip(")").endswith(".")
    assert "a.vcf.gz" in caught.value.sentence
    assert not target.exists()


@pytest.mark.parametrize(
    "fault",
    [
        times(2, status(503)),
        times(2, status(500)),
        times(2, reset),
        times(2, status(429, Retry_After="0")),
        only_gets(times(1, no_content_range)),
        only_gets(times(1, shifted)),
        only_gets(lambda handler, body: handler.answer(200, body)),
        lambda handler, _body: handler.command == "HEAD" and handler.answer(405),
        lambda handler, _body: handler.command == "HEAD" and handler.answer(403),
    ],
)
def test_faults_that_pass_are_overcome(
    fault: Fault, site: Site, url: str, tmp_path: Path
) -> None:
    site.files["/a.vcf.gz"] = BODY
    site.faults["/a.vcf.gz"] = fault
    got = fetch(
        HttpsSource(limits=QUICK),
        remote_file(f"{url}/a.vcf.gz", md5=md5(BODY)),
        tmp_path / "a.vcf.gz",
        limits=QUICK,
    )
    assert got.verified_by == "md5"
    assert got.path.read_bytes() == BODY


def test_a_kept_connection_that_closes_costs_no_try(site: Site, url: str) -> None:
    site.files["/a.vcf.gz"] = BODY
    site.faults["/a.vcf.gz"] = closes_kept_connections()
    pool, address = make_pool(HttpSettings()), f"{url}/a.vcf.gz"
    for _ in range(2):
        response = request(pool, "GET", address, {}, QUICK, "the server")
        assert response.read() == BODY
    assert site.gets("/a.vcf.gz") == 3  # the second was sent once more
    assert site.connections == 2
    pool.clear()


def test_retry_after_is_kept_to(site: Site, url: str, tmp_path: Path) -> None:
    site.files["/a.vcf.gz"] = BODY
    site.faults["/a.vcf.gz"] = times(1, status(503, Retry_After="1"))
    started = time.monotonic()
    limits = replace(QUICK, backoff_max=30)
    fetch(HttpsSource(), remote_file(f"{url}/a.vcf.gz"), tmp_path / "a", limits=limits)
    assert 1 <= time.monotonic() - started < 3


@pytest.mark.parametrize("ranges", [True, False])
def test_who_asks_for_a_longer_wait_is_not_asked_again(
    site: Site, url: str, tmp_path: Path, ranges: bool
) -> None:
    site.files["/a.gz"], site.ranges = BODY, ranges
    site.faults["/a.gz"] = only_gets(status(429, Retry_After="600"))
    limits = replace(QUICK, chunk_bytes=len(BODY))
    with pytest.raises(TransferError, match="is busy") as caught:
        fetch(HttpsSource(), remote_file(f"{url}/a.gz"), tmp_path / "a", limits=limits)
    assert (caught.value.transient, caught.value.retry_after) == (True, 600)
    assert site.gets("/a.gz") == 1


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_server_is_not_asked_in_another_way(
    site: Site, url: str, code: int
) -> None:
    site.faults["/a.gz"] = status(code, Retry_After="600")
    with pytest.raises(TransferError, match="is busy") as caught:
        HttpsSource().probe(remote_file(f"{url}/a.gz"))
    assert caught.value.retry_after == 600
    assert [method for method, _, _ in site.requests] == ["HEAD"]


def test_who_gives_up_says_when_to_come_back(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.faults["/a.gz"] = status(503, Retry_After="1")
    limits = replace(QUICK, backoff_max=1, attempts=1)
    with pytest.raises(TransferError, match="Tried 1 times") as caught:
        fetch(HttpsSource(), remote_file(f"{url}/a.gz"), tmp_path / "a", limits=limits)
    assert (caught.value.transient, caught.value.retry_after) == (True, 1)


def test_a_redirect_within_the_host_is_followed(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.files["/real/a.vcf.gz"] = BODY
    site.faults["/a.vcf.gz"] = status(301, Location="/real/a.vcf.gz")
    got = fetch(HttpsSource(), remote_file(f"{url}/a.vcf.gz"), tmp_path / "a")
    assert got.path.read_bytes() == BODY


def test_chunked_without_length_is_taken_whole(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.files["/a.vcf.gz"] = BODY
    site.faults["/a.vcf.gz"] = lambda handler, body: chunked(
        handler, iter([body[:1000], body[1000:]]), end=True
    )
    got = fetch(HttpsSource(), remote_file(f"{url}/a.vcf.gz"), tmp_path / "a")
    assert got.path.read_bytes() == BODY


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(
        TransferError, match=r"cannot be reached \(connection refused\)"
    ):
        fetch(
            HttpsSource(),
            remote_file(f"http://127.0.0.1:{port}/a.gz"),
            tmp_path / "a",
            limits=replace(QUICK, attempts=2),
        )


def test_unknown_host(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"host name .* cannot be resolved"):
        fetch(
            HttpsSource(limits=QUICK),
            remote_file("https://nowhere.invalid/a.gz"),
            tmp_path / "a",
            limits=replace(QUICK, attempts=1),
        )


# -- TLS -------------------------------------------------------------------------------


def certificate(folder: Path, *, host: str = "localhost", days: int = 1) -> Path:
    """A self-signed certificate with its key, valid until `days` from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def tls_port(url: str, pem: Path) -> Iterator[int]:
    """Speaks TLS for a few connections and answers each with the file of `url`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nAccept-Ranges: none\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def run() -> None:
            while not ended.is_set():
                try:
                    raw, _ = server.accept()
                    with context.wrap_socket(raw, server_side=True) as secure:
                        method = secure.recv(4096)[:4]
                        secure.sendall(answer + (b"" if method == b"HEAD" else b"body"))
                except OSError:
                    continue

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join()


def get_tls(port: int, tmp_path: Path, ca: Path | None, host: str) -> object:
    source = HttpsSource(HttpSettings(ca_bundle=str(ca) if ca else None))
    remote = remote_file(f"https://{host}:{port}/a.csv")
    return fetch(source, remote, tmp_path / "a.csv", limits=QUICK).size


def test_tls_with_a_known_issuer(url: str, tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    with tls_port(url, pem) as port:
        assert get_tls(port, tmp_path, pem, "localhost") == 4


@pytest.mark.parametrize(
    ("days", "host", "trusted", "words"),
    [
        (1, "localhost", False, "not trusted .self-signed"),
        (-1, "localhost", True, "not trusted .expired"),
        (1, "127.0.0.1", True, "not trusted .*mismatch|not trusted .*doesn't match"),
    ],
)
def test_tls_that_is_not_trusted(
    url: str, tmp_path: Path, days: int, host: str, trusted: bool, words: str
) -> None:
    pem = certificate(tmp_path, days=days)
    with (
        tls_port(url, pem) as port,
        pytest.raises(TransferError, match=words) as caught,
    ):
        get_tls(port, tmp_path, pem if trusted else None, host)
    assert not caught.value.transient
    assert not (tmp_path / "a.csv").exists()


def test_https_where_http_is_spoken(url: str, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="does not speak TLS"):
        get_tls(int(url.rsplit(":", 1)[1]), tmp_path, None, "127.0.0.1")


# -- candidates ------------------------------------------------------------------------


def test_the_second_place_serves_when_the_first_fails(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.files["/mirror/a.vcf.gz"] = BODY
    source = HttpsSource()
    places = [
        Candidate(source, remote_file(f"{url}/gone/a.vcf.gz", md5=md5(BODY))),
        Candidate(source, remote_file(f"{url}/mirror/a.vcf.gz", md5=md5(BODY))),
    ]
    got = fetch_first(places, tmp_path / "a.vcf.gz", limits=QUICK)
    assert got.source == f"{url}/mirror/a.vcf.gz"
    assert got.path.read_bytes() == BODY


def test_a_part_from_one_mirror_is_continued_from_another(
    site: Site, url: str, tmp_path: Path
) -> None:
    """The checksum says that it is the same file, whatever the ETags say."""
    data = site.files["/a.bin"] = noise(1_000_000)
    site.faults["/a.bin"] = lambda handler, _body: (
        "524288" in handler.headers.get("Range", "") and handler.answer(403)
    )
    source = HttpsSource()
    with serving(Site(files={"/b.bin": data}, etags=False)) as mirror:
        places = [
            Candidate(source, remote_file(f"{url}/a.bin", md5=md5(data))),
            Candidate(source, remote_file(f"{mirror}/b.bin", md5=md5(data))),
        ]
        limits = replace(QUICK, connections=1)
        got = fetch_first(places, tmp_path / "a.bin", limits=limits)
    assert got.resumed_bytes == 524288
    assert got.path.read_bytes() == data


def test_when_all_places_fail_each_reason_is_given(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.faults["/b.gz"] = status(403)
    source = HttpsSource()
    places = [Candidate(source, remote_file(f"{url}/{n}.gz")) for n in "ab"]
    with pytest.raises(
        TransferError, match=r"any of 2 places: \(1\) .*404.* \(2\) .*403"
    ):
        fetch_first(places, tmp_path / "x.gz", limits=QUICK)


def test_of_several_places_the_longest_wait_counts(
    site: Site, url: str, tmp_path: Path
) -> None:
    for name, wait in (("a", "600"), ("b", "900"), ("c", "700")):
        site.faults[f"/{name}.gz"] = status(503, Retry_After=wait)
    source = HttpsSource()
    places = [Candidate(source, remote_file(f"{url}/{n}.gz")) for n in "abcd"]
    with pytest.raises(TransferError, match="any of 4 places") as caught:
        fetch_first(places, tmp_path / "x.gz", limits=QUICK)
    assert (caught.value.transient, caught.value.retry_after) == (True, 900)


def test_credentials_in_an_address_are_never_shown(site: Site, url: str) -> None:
    secret = url.replace("http://", "http://user:geheim@") + "/a.gz?token=geheim"
    assert "geheim" not in HttpsSource().describe(remote_file(secret))


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://user:geheim@store/x?sig=geheim#geheim", "to https://store/x, which"),
        ("/x?X-Amz-Signature=geheim", "to /x, which"),
        ("https://user:geheim@[::1/x?sig=geheim", "to an invalid address, which"),
        ("", "to nowhere, which"),
    ],
)
def test_credentials_of_a_redirect_are_never_shown(
    site: Site, url: str, tmp_path: Path, location: str, words: str
) -> None:
    site.files["/a.gz"] = BODY
    site.faults["/a.gz"] = only_gets(status(307, Location=location))
    with pytest.raises(TransferError, match=words) as told:
        fetch(HttpsSource(), remote_file(f"{url}/a.gz"), tmp_path / "a", limits=QUICK)
    assert "geheim" not in told.value.sentence


def test_gzip_of_several_members_is_whole(site: Site, url: str, tmp_path: Path) -> None:
    site.files["/a.gz"] = gzip.compress(b"one") + gzip.compress(b"two") + b"\0" * 100
    got = fetch(HttpsSource(), remote_file(f"{url}/a.gz"), tmp_path / "a.gz")
    assert got.verified_by == "size"
