"""People with their roles, and clients that ask on their behalf."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from runs import queue
from runs.models import ApiToken


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What would have been put into Redis: priority, run, attempt."""
    jobs: list[tuple[str, int, int]] = []
    monkeypatch.setattr(queue, "_send", lambda *job: jobs.append(job))
    return jobs


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger")


class Api(Client):
    """Speaks JSON as the holder of a token; below `/api/v1/`."""

    def ask(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        content: dict[str, Any] = {}
        if method not in ("GET", "HEAD"):
            content["data"] = "" if body is None else body
            extra.setdefault("content_type", "application/json")
        return getattr(self, method.lower())(f"/api/v1/{path}", **content, **extra)


@pytest.fixture
def as_user() -> Callable[[User], Api]:
    def client(user: User) -> Api:
        _token, key = ApiToken.issue(user, "test")
        return Api(headers={"authorization": f"Bearer {key}"})

    return client


@pytest.fixture
def looks(viewer: User, as_user: Callable[[User], Api]) -> Api:
    """A viewer's client."""
    return as_user(viewer)


@pytest.fixture
def operates(operator: User, as_user: Callable[[User], Api]) -> Api:
    """An operator's client."""
    return as_user(operator)


@pytest.fixture
def anonymous(db: None) -> Api:
    return Api()


@pytest.fixture
def not_allowed(stranger: User, as_user: Callable[[User], Api]) -> Api:
    """A client of somebody without any role."""
    return as_user(stranger)


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Settings of the portal, other than they are."""

    def to(**values: Any) -> None:
        changed = replace(settings.VCBENCH, **values)
        monkeypatch.setattr(settings, "VCBENCH", changed)

    return to
