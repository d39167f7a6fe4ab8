"""People with their roles, their browsers, and runs to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client

from runs import queue
from tests.portal.page import Page


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What would have been put into Redis: priority, run, attempt."""
    jobs: list[tuple[str, int, int]] = []
    monkeypatch.setattr(queue, "_send", lambda *job: jobs.append(job))
    return jobs


def _member(name: str, *groups: str) -> User:
    user = User.objects.create_user(name, password="a-long-password")
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


@pytest.fixture
def viewer(db: None) -> User:
    return _member("vera", "Viewers")


@pytest.fixture
def operator(db: None) -> User:
    return _member("olaf", "Operators")


@pytest.fixture
def stranger(db: None) -> User:
    return _member("sam")


class Browser(Client):
    """A client whose answers are read as pages."""

    def page(self, path: str, /, **query: Any) -> Page:
        return Page(self.get(path, query))

    def send(self, path: str, /, follow: bool = False, **data: Any) -> Page:
        return Page(self.post(path, data, follow=follow))


def _signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.fixture
def looks(viewer: User) -> Browser:
    """A viewer's browser."""
    return _signed_in(viewer)


@pytest.fixture
def operates(operator: User) -> Browser:
    """An operator's browser."""
    return _signed_in(operator)


@pytest.fixture
def not_allowed(stranger: User) -> Browser:
    """The browser of somebody without a role."""
    return _signed_in(stranger)


@pytest.fixture
def anonymous(db: None) -> Browser:
    return Browser()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change settings of the portal: `configure(url_hosts=[…])`."""

    def change(**values: Any) -> None:
        monkeypatch.setattr(settings, "VCBENCH", replace(settings.VCBENCH, **values))

    return change
