"""Signing in and out."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
RIGHT = {"username": "vera", "password": "a-long-password"}


def test_leads_where_one_wanted_to_go(anonymous: Browser, viewer: User) -> None:
    answer = anonymous.post("/login/", {**RIGHT, "next": "/runs/"})

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/runs/"


def test_a_wrong_password(anonymous: Browser, viewer: User) -> None:
    page = anonymous.send("/login/", username="vera", password="wrong")

    assert page.has(".note-error[role=alert]")
    assert not page.has("nav")


def test_nobody_is_led_to_another_site(anonymous: Browser, viewer: User) -> None:
    answer = anonymous.post("/login/", {**RIGHT, "next": "https://evil.example/"})

    assert answer.headers["Location"] == "/"


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
