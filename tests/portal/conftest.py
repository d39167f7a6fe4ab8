"""The browsers of people with their roles."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.conftest import enter
from tests.portal.page import Page
from tests.queues import sent as sent


class Browser(Client):
    """A client whose answers are read as pages."""

    def page(self, path: str, /, **query: Any) -> Page:
        return Page(self.get(path, query))

    def send(self, path: str, /, follow: bool = False, **data: Any) -> Page:
        return Page(self.post(path, data, follow=follow))


@pytest.fixture
def looks(viewer: User) -> Browser:
    """A viewer's browser."""
    return enter(Browser(), viewer)


@pytest.fixture
def operates(operator: User) -> Browser:
    """An operator's browser."""
    return enter(Browser(), operator)


@pytest.fixture
def not_allowed(stranger: User) -> Browser:
    """The browser of somebody without a role."""
    return enter(Browser(), stranger)


@pytest.fixture
def anonymous(db: None) -> Browser:
    return Browser()
