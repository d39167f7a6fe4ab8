"""The page of API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from runs.models import ApiToken
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db
PAGE = "/settings/tokens/"


def test_a_new_token_is_shown_once(looks: Browser, viewer: User) -> None:
    page = looks.send(PAGE, name="LIMS", days="30")

    holder = ApiToken.holder(page.text(".key"))
    assert holder is not None
    assert holder.user == viewer
    assert holder.expires_at is not None
    off = holder.expires_at - timezone.now() - timedelta(days=30)
    assert abs(off) < timedelta(minutes=1)
    again = looks.page(PAGE)
    assert not again.has(".key")
    assert again.row("tbody tr")[0] == "LIMS"


def test_a_token_without_end(looks: Browser) -> None:
    looks.send(PAGE, name="LIMS", days="0")

    assert looks.page(PAGE).row("tbody tr")[2] == "never"


def test_the_page_of_a_key_is_not_stored(looks: Browser) -> None:
    assert looks.get(PAGE).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("data", [{"name": ""}, {"name": "x", "days": "7"}])
def test_a_token_that_cannot_be_issued(looks: Browser, data: dict[str, Any]) -> None:
    page = looks.send(PAGE, **data)

    assert page.status == 422
    assert page.has(".fault")
    assert not ApiToken.objects.exists()


def test_revoking(looks: Browser, viewer: User) -> None:
    token, key = ApiToken.issue(viewer, "LIMS")

    page = looks.send(reverse("token-revoke", args=[token.pk]), follow=True)

    assert ApiToken.holder(key) is None
    assert "LIMS" in page.text(".note-success p")


def test_tokens_of_others_are_out_of_reach(looks: Browser, operator: User) -> None:
    token, _key = ApiToken.issue(operator, "his")

    assert not looks.page(PAGE).has("tbody tr")
    assert looks.send(reverse("token-revoke", args=[token.pk])).status == 404
    assert ApiToken.objects.count() == 1


def test_an_expired_token_says_so(looks: Browser, viewer: User) -> None:
    ApiToken.issue(viewer, "old", expires_at=timezone.now() - timedelta(days=1))

    assert looks.page(PAGE).text("tbody .tag-warn") == "expired"
