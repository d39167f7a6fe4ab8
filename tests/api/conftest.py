"""Clients that ask on behalf of people with their roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from runs.models import ApiToken
from tests.queues import sent as sent


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
