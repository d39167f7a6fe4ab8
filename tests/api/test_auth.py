from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from runs.api import serialize
from runs.models import ApiToken
from tests.api.conftest import Api

SHAPE = {"code", "message", "fields"}


def with_header(text: str) -> Api:
    return Api(headers={"authorization": text})


def test_without_credentials(anonymous: Api) -> None:
    answer = anonymous.ask("GET", "runs")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="VCBench"'
    assert set(answer.json()["error"]) == SHAPE


@pytest.mark.parametrize(
    "text", ["Bearer vcb_wrong", "Bearer ", "Basic dXNlcjpwYXNz", "nonsense"]
)
def test_credentials_that_are_not_valid(db: None, text: str) -> None:
    answer = with_header(text).ask("GET", "runs")
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_wrong_token_is_not_made_good_by_a_session(viewer: User) -> None:
    client = with_header("Bearer vcb_wrong")
    client.force_login(viewer)
    assert client.ask("GET", "runs").status_code == 401


def test_a_token_says_when_it_was_used(looks: Api) -> None:
    looks.ask("GET", "runs")
    token = ApiToken.objects.get()
    assert token.used_at is not None
    first = token.used_at
    looks.ask("GET", "runs")
    token.refresh_from_db()
    assert token.used_at == first
    ApiToken.objects.update(used_at=timezone.now() - timedelta(minutes=2))
    looks.ask("GET", "runs")
    token.refresh_from_db()
    assert token.used_at > first


def test_an_expired_token(viewer: User) -> None:
    _token, key = ApiToken.issue(
        viewer, "old", expires_at=timezone.now() - timedelta(seconds=1)
    )
    answer = with_header(f"Bearer {key}").ask("GET", "runs")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_the_token_of_someone_who_left(
    viewer: User, as_user: Callable[[User], Api]
) -> None:
    client = as_user(viewer)
    User.objects.update(is_active=False)
    assert client.ask("GET", "runs").status_code == 401


def test_a_session_may_read(viewer: User) -> None:
    client = Api()
    client.force_login(viewer)
    assert client.ask("GET", "runs").status_code == 200


@pytest.mark.parametrize("path", ["", "none", "runs/", "runs/x/y", "../v2/runs"])
def test_addresses_that_are_not_there(anonymous: Api, path: str) -> None:
    answer = anonymous.ask("GET", path)
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == SHAPE
    assert "openapi.json" in answer.json()["error"]["message"]


def test_options_needs_nobody(anonymous: Api) -> None:
    answer = anonymous.ask("OPTIONS", "runs")
    assert answer.status_code == 204
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_head_is_get_without_its_content(looks: Api) -> None:
    answer = looks.ask("HEAD", "runs")
    assert (answer.status_code, answer.content) == (200, b"")


def test_nothing_is_kept_by_caches(looks: Api) -> None:
    assert looks.ask("GET", "runs").headers["Cache-Control"] == "no-store"


def fails(error: Exception) -> Callable[..., Any]:
    def rows() -> None:
        raise error

    return rows


def test_a_database_that_is_away(looks: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = OperationalError("server closed the connection")
    monkeypatch.setattr(serialize, "run_rows", fails(gone))
    answer = looks.ask("GET", "runs")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "server closed" not in answer.content.decode()


def test_a_fault_of_our_own_is_json_too(
    looks: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serialize, "run_rows", fails(RuntimeError("secret")))
    looks.raise_request_exception = False
    answer = looks.ask("GET", "runs")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "server_error")
    assert "secret" not in answer.content.decode()
