"""What holds for all pages: who sees them, by which method, how they are made."""

from __future__ import annotations

import uuid

import pytest
from django.urls import get_resolver, reverse

from runs.models import Annotation, Run
from tests.portal.builders import completed
from tests.portal.conftest import Browser

pytestmark = pytest.mark.django_db

LISTS = ["overview", "run-list", "monitoring", "references"]
BESIDE = ["compare", "qc", "over-time"]
PAGES = [*LISTS, *BESIDE, "settings-tokens"]
OWN = ["settings-password"]
RUN_PAGES = ["run", "run-state", "run-results", "run-variants", "run-genome"]
REPORTS = ["run-report", "run-report-pdf"]
ACTIONS = ["run-cancel", "run-retry", "run-launch", "run-reads"]
NOTES = ["annotation-new", "annotation-remove"]


def addresses() -> dict[str, str]:
    """An address of every page, by name."""
    run = Run.objects.first() or completed()
    names = {
        name: reverse(name)
        for name in [*PAGES, *OWN, "new-run", "login", "logout", "annotation-new"]
    }
    for name in [*RUN_PAGES, *REPORTS, *ACTIONS]:
        names[name] = reverse(name, args=[run.uuid])
    names["sample"] = run.sample.get_absolute_url()
    names["token-revoke"] = reverse("token-revoke", args=[1])
    names["reference-fetch"] = reverse("reference-fetch", args=["x"])
    note = Annotation.objects.create(text="a new lot")
    names["annotation-remove"] = reverse("annotation-remove", args=[note.pk])
    return names


def test_every_address_is_held_to_these_rules() -> None:
    own = {
        pattern.name
        for urls in ("runs.urls", "runs.follow_urls")
        for pattern in get_resolver(urls).url_patterns
        if hasattr(pattern, "name")
    }

    assert own == set(addresses())


@pytest.mark.parametrize("name", [*PAGES, *RUN_PAGES, *REPORTS, "sample"])
def test_viewers_see_it(looks: Browser, name: str) -> None:
    assert looks.get(addresses()[name]).status_code == 200


@pytest.mark.parametrize("name", [*PAGES, *RUN_PAGES, *REPORTS, "sample", "new-run"])
def test_without_a_role_nothing_is_shown(not_allowed: Browser, name: str) -> None:
    page = not_allowed.page(addresses()[name])

    assert page.status == 403
    assert page.text("h1") == "You may not do this"


@pytest.mark.parametrize(
    "name",
    [
        *(*PAGES, *RUN_PAGES, *REPORTS, *ACTIONS, *NOTES, *OWN),
        *("sample", "new-run", "token-revoke", "reference-fetch"),
    ],
)
def test_who_is_not_signed_in_is_asked_to(anonymous: Browser, name: str) -> None:
    address = addresses()[name]

    answer = anonymous.get(address)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('login')}?next={address}"


@pytest.mark.parametrize("name", [*LISTS, *BESIDE, *RUN_PAGES, *REPORTS, "sample"])
def test_pages_to_look_at_take_no_post(operates: Browser, name: str) -> None:
    assert operates.post(addresses()[name]).status_code == 405


@pytest.mark.parametrize("name", [*ACTIONS, *NOTES, "token-revoke", "reference-fetch"])
def test_actions_take_no_get(operates: Browser, name: str) -> None:
    assert operates.get(addresses()[name]).status_code == 405


@pytest.mark.parametrize(
    "name", [*PAGES, *OWN, *RUN_PAGES, *ACTIONS, "new-run", "logout"]
)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_takes_other_methods(operates: Browser, name: str, method: str) -> None:
    assert getattr(operates, method)(addresses()[name]).status_code == 405


@pytest.mark.parametrize("name", [*ACTIONS, *NOTES, "new-run", "reference-fetch"])
def test_viewers_change_nothing(looks: Browser, name: str) -> None:
    assert looks.post(addresses()[name]).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["page=abc&after=zz&before=zz", "sample=%00&q=%00&run=%00", "n=-1&place=:&kind=x"],
)
@pytest.mark.parametrize("name", [*PAGES, *OWN, *RUN_PAGES, *REPORTS, "sample"])
def test_odd_questions_are_answered(looks: Browser, name: str, query: str) -> None:
    assert looks.get(f"{addresses()[name]}?{query}").status_code in (200, 400)


@pytest.mark.parametrize("address", ["/samples/%00/", "/references/a%00/fetch/"])
def test_no_address_holds_nul(operates: Browser, address: str) -> None:
    assert operates.get(address).status_code == 404


@pytest.mark.parametrize("name", [*RUN_PAGES, *REPORTS])
def test_an_unknown_run_is_not_found(looks: Browser, name: str) -> None:
    page = looks.page(reverse(name, args=[uuid.uuid4()]))

    assert page.status == 404
    assert page.text("h1") == "There is nothing at this address"


@pytest.mark.parametrize("name", ACTIONS)
def test_nothing_is_done_to_an_unknown_run(operates: Browser, name: str) -> None:
    assert operates.post(reverse(name, args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("name", [*PAGES, *OWN, "run", "sample", "new-run", "login"])
def test_nothing_in_a_page_breaks_its_security_policy(
    operates: Browser, anonymous: Browser, name: str
) -> None:
    browser = anonymous if name == "login" else operates
    answer = browser.get(addresses()[name])
    page = browser.page(addresses()[name])

    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not page.has(
        "style, [style], [onclick], [onchange], "
        "script:not([src], [type='application/json'])"
    )
    for node in page.all("[src], link[href], use[href]"):
        address = node.attributes.get("src") or node.attributes.get("href") or ""
        assert address.startswith("/static/")


@pytest.mark.parametrize("name", [*PAGES, *OWN, "run", "sample", "new-run", "login"])
def test_every_page_can_be_used_by_keyboard_and_reader(
    operates: Browser, anonymous: Browser, name: str
) -> None:
    browser = anonymous if name == "login" else operates
    page = browser.page(addresses()[name])

    assert page.one("html").attributes["lang"] == "en"
    assert page.one("a.skip").attributes["href"] == f"#{page.one('main').id}"
    assert len(page.all("h1")) == 1
    ids = [str(node.id) for node in page.all("[id]")]
    assert sorted(ids) == sorted(set(ids))
    labelled = {node.attributes.get("for") for node in page.all("label")}
    for field in page.all("input, select, textarea"):
        kind = field.attributes.get("type")
        assert kind == "hidden" or field.id in labelled
    for button in page.all("button"):
        assert button.text(strip=True) or button.attributes.get("aria-label")
