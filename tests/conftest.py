"""What tests of several folders use: a data folder, people, real services."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import Settings

ClientT = TypeVar("ClientT", bound="Client")
PASSWORD = "correct horse battery"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


@pytest.fixture
def configure(settings: Settings) -> Callable[..., None]:
    """Change settings of the portal: `configure(url_hosts=[…])`."""

    def change(**values: Any) -> None:
        settings.VCBENCH = dataclasses.replace(settings.VCBENCH, **values)

    return change


@pytest.fixture
def data_dir(tmp_path: Path, configure: Callable[..., None]) -> Path:
    """A data folder of the test's own, for the process of the test."""
    folder = tmp_path / "data"
    folder.mkdir()
    configure(data_dir=folder)
    return folder


def person(name: str, *groups: str, **fields: Any) -> User:
    from django.contrib.auth.models import Group, User

    from runs.roles import ensure_groups

    ensure_groups()
    user = User.objects.create_user(name, password=PASSWORD, **fields)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


@pytest.fixture
def viewer(db: None) -> User:
    return person("viewer", "Viewers")


@pytest.fixture
def operator(db: None) -> User:
    return person("operator", "Operators")


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody without a role."""
    return person("stranger")


@pytest.fixture
def administrator(db: None) -> User:
    return person("administrator", is_staff=True, is_superuser=True)


def signed_in(user: User) -> Client:
    from django.test import Client

    return enter(Client(), user)


def enter(client: ClientT, user: User) -> ClientT:
    """The client, from now on that user's."""
    client.force_login(user)
    return client


@pytest.fixture
def viewer_client(viewer: User) -> Client:
    return signed_in(viewer)


@pytest.fixture
def operator_client(operator: User) -> Client:
    return signed_in(operator)


@pytest.fixture
def administrator_client(administrator: User) -> Client:
    return signed_in(administrator)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Valkey server of this test session."""
    from vcbench_site.embedded import valkey as server
    from vcbench_site.embedded.processes import Children

    folder = tmp_path_factory.mktemp("valkey")
    with Children() as children:
        yield server.start(children, folder, folder / "valkey.log", os.environ)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium of this machine; without one the test skips."""
    found = os.environ.get("VCBENCH_CHROMIUM") or next(
        (path for name in CHROMIUM if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Any]:
    """A headless Chromium, as Playwright drives it."""
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; Django must not mind.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield browser
        browser.close()


def pytest_make_parametrize_id(
    config: pytest.Config, val: object, argname: str
) -> str | None:
    """Bytes are not spelled out in a test's name: gzip puts the time into them, and
    every worker has to collect the same names."""
    return argname if isinstance(val, bytes) else None
