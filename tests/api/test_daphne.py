"""The interface through a real daphne: bodies of any size, ranges, a database away."""

from __future__ import annotations

import io
import os
import re
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from vcbench_site.embedded.portal import Portal

pytestmark = pytest.mark.services
MB = 1_000_000
LIMIT = 60 * MB
ISSUE = """
from django.contrib.auth.models import Group, User
from runs.models import ApiToken
user = User.objects.create_user("robot")
user.groups.set(Group.objects.filter(name="Operators"))
print("KEY", ApiToken.issue(user, "test")[1])
"""


class Served:
    """A portal that serves, without workers, and a client of it."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        portal.manage("migrate")
        key = portal.manage("shell", "-c", ISSUE).split("KEY ")[1].split()[0]
        self.token = f"Authorization: Bearer {key}"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        self.address = portal.serve()
        self.folder = portal.folder

    def post(self, path: str, **what: object) -> requests.Response:
        address = f"{self.address}/api/v1/{path}"
        return self.session.post(address, timeout=60, **what)  # type: ignore[arg-type]

    def connect(self) -> socket.socket:
        host, port = self.address.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def answer(self, request: str, *headers: str, chunks: int = 0) -> str:
        """The first line that comes for a request whose body is not sent, or in chunks
        of a megabyte."""
        lines = [f"{request} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
        with self.connect() as connection:
            connection.sendall("\r\n".join(lines).encode())
            try:
                for _ in range(chunks):
                    connection.sendall(b"%x\r\n%b\r\n" % (MB, bytes(MB)))
            except ConnectionError:
                pass  # refused meanwhile
            return connection.makefile("rb").readline().decode().strip()

    def memory(self) -> int:
        """Bytes that daphne holds."""
        [web] = [child for child in self.portal.children if "daphne" in child.command]
        assert web.process is not None
        status = Path(f"/proc/{web.process.pid}/status").read_text()
        [kilobytes] = re.findall(r"VmRSS:\s+(\d+) kB", status)
        return int(kilobytes) * 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey: str) -> Iterator[Served]:
    own = {k: v for k, v in os.environ.items() if k != "VCBENCH_DATABASE_URL"}
    environment = {
        **own,
        "VCBENCH_REDIS_URL": valkey,
        "VCBENCH_UPLOAD_MAX_GB": str(LIMIT / 1_000_000_000),
        "VCBENCH_SECRET_KEY": "only-for-tests",
    }
    folder = tmp_path_factory.mktemp("served")
    with Portal(folder, environment, workers=0) as portal:
        served = Served(portal)
        with served.session:
            yield served


def archive(size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.vcf", os.urandom(size))
    return buffer.getvalue()


def test_a_large_archive_is_never_in_memory(served: Served, tmp_path: Path) -> None:
    content = archive(50 * MB)
    served.post("upload/runs", files={"file": b"warm up"})
    before = served.memory()
    answer = served.post(
        "upload/runs", files={"file": content}, data={"sample_id": "a", "stages": "csv"}
    )
    assert answer.status_code == 201, answer.text
    assert served.memory() - before < 20 * MB
    stored = served.folder / answer.json()["location"]["archive"]
    assert stored.read_bytes() == content
    assert list((served.folder / "tmp").iterdir()) == []


def test_a_small_form_and_a_small_body(served: Served) -> None:
    small = {"file": archive(10)}
    assert served.post("upload/runs", files=small, data={"sample_id": "b"}).ok
    answer = served.post("upload/aws", json={"sample_id": "b"})
    assert answer.json()["error"]["code"] == "not_configured"


def test_a_body_of_unknown_length(served: Served) -> None:
    parts = (b" " * 8192 for _ in range(30))
    answer = served.post("upload/aws", data=parts)
    assert answer.json()["error"]["code"] == "unsupported_media_type"


TOO_LARGE = "HTTP/1.1 413 Content Too Large"
EXPECT = "Expect: 100-continue"
GO_ON = "HTTP/1.1 100 Continue"
COOKIE = "Cookie: sessionid=abc"


def length(size: int) -> str:
    return f"Content-Length: {size}"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_before_it_is_taken(
    served: Served, chunked: bool
) -> None:
    size = "Transfer-Encoding: chunked" if chunked else length(90 * MB)
    answer = served.answer(
        "POST /api/v1/upload/runs", served.token, size, chunks=90 if chunked else 0
    )
    assert answer == TOO_LARGE
    assert served.post("upload/aws", json={}).status_code == 400


@pytest.mark.parametrize(
    ("request_line", "who"),
    [
        ("POST /login/", ""),
        ("POST /login/", COOKIE),
        ("POST /login/?next=/runs/new/", COOKIE),
        ("POST /admin/login/", COOKIE),
        ("POST /api/v1/runs", COOKIE),
        ("POST /api/v1/uploads", COOKIE),
        ("POST /api/v1/upload/runs", ""),
        ("POST /runs/new/?source=zip", ""),
    ],
)
def test_only_uploads_of_somebody_may_be_large(
    served: Served, request_line: str, who: str
) -> None:
    headers = [EXPECT, *([who] if who else [])]
    assert served.answer(request_line, *headers, length(12 * MB)) == TOO_LARGE
    assert served.answer(request_line, *headers, length(11 * MB)) == GO_ON


def test_nobody_fills_the_disk_by_a_body_of_unknown_length(served: Served) -> None:
    chunked = "Transfer-Encoding: chunked"
    assert served.answer("POST /login/", chunked, chunks=20) == TOO_LARGE
    assert list((served.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("who", ["token", "cookie"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/upload/runs",
        "/runs/new/?source=zip",
        "/admin/benchmarks/truthset/add/",
    ],
)
def test_an_upload_of_somebody_may_be_large(
    served: Served, path: str, who: str
) -> None:
    header = served.token if who == "token" else COOKIE
    answer = served.answer(f"POST {path}", header, EXPECT, length(LIMIT))
    assert answer == GO_ON


def test_a_browser_that_goes_away_leaves_nothing(served: Served) -> None:
    head = (
        "POST /api/v1/upload/runs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
        "Content-Length: 5000000\r\n\r\n"
    )
    with served.connect() as connection:
        connection.sendall(head.encode() + bytes(MB))
    assert served.post("upload/aws", json={}).status_code == 400
    assert list((served.folder / "tmp").iterdir()) == []
