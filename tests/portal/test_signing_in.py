"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from tests.conftest import PASSWORD
from tests.portal.conftest import Browser

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
RIGHT: dict[str, Any] = {"username": "viewer", "password": PASSWORD}


def test_leads_where_one_wanted_to_go(anonymous: Browser, viewer: User) -> None:
    answer = anonymous.post("/login/", {**RIGHT, "next": "/runs/"})

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/runs/"


def test_a_wrong_password(anonymous: Browser, viewer: User) -> None:
    page = anonymous.send("/login/", username="viewer", password="wrong")

    assert page.has(".note-error[role=alert]")
    assert not page.has("nav")


def test_nobody_is_led_to_another_site(anonymous: Browser, viewer: User) -> None:
    answer = anonymous.post("/login/", {**RIGHT, "next": "https://evil.example/"})

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_signing_in_is_a_post(anonymous: Browser, method: str) -> None:
    assert getattr(anonymous, method)("/login/").status_code == 405


def test_signing_out_is_a_post(looks: Browser) -> None:
    assert looks.get("/logout/").status_code == 405
    assert looks.post("/logout/").status_code == 302
    assert looks.get("/").status_code == 302


def test_only_administrators_see_their_link(looks: Browser) -> None:
    admin = Browser()
    admin.force_login(User.objects.create_superuser("ada"))
    link = "a[href='/admin/']"

    assert admin.page("/").has(link)
    assert not looks.page("/").has(link)


@pytest.fixture
def guarded(settings: Settings) -> None:
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 2


def test_guessing_is_stopped(anonymous: Browser, viewer: User, guarded: None) -> None:
    for _ in range(2):
        anonymous.send("/login/", username="viewer", password="wrong")

    page = anonymous.send("/login/", **RIGHT)

    assert page.status == 429
    assert page.text("h1") == "Too many attempts"


# -- the own password --

PAGE = "/settings/password/"
CHANGE: dict[str, Any] = {
    "old_password": PASSWORD,
    "new_password1": "quite-another-one",
    "new_password2": "quite-another-one",
}


def test_everybody_changes_their_password(not_allowed: Browser, stranger: User) -> None:
    assert not_allowed.page(PAGE).status == 200

    not_allowed.post(PAGE, CHANGE)

    stranger.refresh_from_db()
    assert stranger.check_password("quite-another-one")


@pytest.mark.parametrize(
    ("field", "value"),
    [("old_password", "wrong"), ("new_password2", "other"), ("new_password1", "")],
)
def test_a_password_that_is_refused(
    looks: Browser, viewer: User, field: str, value: str
) -> None:
    page = looks.send(PAGE, **{**CHANGE, field: value})

    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)
    assert page.has(".fault")
