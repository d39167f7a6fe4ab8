"""The French texts: complete, current, and on the pages."""

from __future__ import annotations

import gettext
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from tests.portal.builders import completed
from tests.portal.conftest import Browser

FOLDER = Path(settings.LOCALE_PATHS[0], "fr", "LC_MESSAGES")
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd](?!\w)|\{\w+\}")
SOURCES = ("vcbench_site", "runs", "benchmarks", "templates")


@pytest.fixture(autouse=True)
def others_read_english() -> Iterator[None]:
    """An answer leaves its language behind in the thread."""
    yield
    translation.deactivate()


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="fr")


def own() -> list[Message]:
    return [message for message in read(FOLDER / "django.po") if message.id]


def forms(value: object) -> list[str]:
    return list(value) if isinstance(value, list | tuple) else [str(value or "")]


def test_every_text_is_translated() -> None:
    lacking = [m.id for m in own() if not all(forms(m.string)) or m.fuzzy]

    assert lacking == []


def test_translations_have_the_places_of_their_originals() -> None:
    for message in own():
        originals, texts = forms(message.id), forms(message.string)
        wanted = set(PLACE.findall(originals[-1]))
        for text in texts:
            assert set(PLACE.findall(text)) == wanted, originals


def test_the_compiled_file_is_that_of_the_texts() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for message in own():
        originals, texts = forms(message.id), forms(message.string)
        if len(originals) == 1:
            assert compiled.gettext(originals[0]) == texts[0]
        else:
            singular, plural = originals
            one, many = (compiled.ngettext(singular, plural, n) for n in (1, 2))
            assert [one, many] == texts


@pytest.mark.skipif(not shutil.which("xgettext"), reason="needs gettext (Debian)")
def test_no_text_of_the_sources_is_left_out(tmp_path: Path) -> None:
    """Run `django-admin makemessages -l fr` when this fails, and translate."""
    for name in SOURCES:
        shutil.copytree(
            settings.BASE_DIR / name,
            tmp_path / name,
            ignore=shutil.ignore_patterns("__pycache__", "*.mo", "*.json"),
        )
    (tmp_path / "locale").mkdir()
    django_admin = Path(sys.executable).with_name("django-admin")
    subprocess.run(
        [django_admin, "makemessages", "-l", "fr", "--no-location"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
    )
    found = read(tmp_path / "locale" / "fr" / "LC_MESSAGES" / "django.po")

    known = {message.id for message in own()}
    assert {message.id for message in found if message.id} - known == set()


@pytest.mark.django_db
def test_switching_the_language_stays_on_the_page(looks: Browser) -> None:
    form = f"form[action='{reverse('set_language')}']"
    field = looks.page("/monitoring/").one(f"{form} input[name=next]")
    back = field.attributes["value"]

    page = looks.send(reverse("set_language"), follow=True, language="fr", next=back)

    assert page.one("html").attributes["lang"] == "fr"
    assert page.text("h1") == "Surveillance"
    assert page.one("form button[name=language]").attributes["value"] == "en"


@pytest.mark.django_db
def test_the_language_is_switched_before_signing_in(anonymous: Browser) -> None:
    page = anonymous.send(
        reverse("set_language"), follow=True, language="fr", next="/login/"
    )

    assert page.one("html").attributes["lang"] == "fr"
    assert page.text("main button") == "Se connecter"


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "language"), [("get", "fr"), ("post", "xx")])
def test_the_language_is_posted_and_one_that_there_is(
    looks: Browser, method: str, language: str
) -> None:
    asked = {"language": language, "next": "https://evil.example/"}

    answer = getattr(looks, method)(reverse("set_language"), asked)

    assert answer.headers["Location"] == "/"
    assert looks.page("/").one("html").attributes["lang"] == "en"


@pytest.mark.django_db
def test_numbers_are_written_the_french_way(looks: Browser) -> None:
    run = completed()
    looks.cookies["django_language"] = "fr"

    page = looks.page(reverse("run", args=[run.uuid]))

    assert page.texts(".verdict-snp dd") == ["0,9913", "0,9913", "0,9983"]
    assert page.text(".verdict-snp p").startswith("6 960 trouvés sur 7 021")


@pytest.mark.django_db
def test_the_browsers_language_is_taken_at_first(anonymous: Browser) -> None:
    answer = anonymous.get("/login/", headers={"accept-language": "fr-CA,fr;q=0.9"})

    assert answer.headers["Content-Language"] == "fr"
