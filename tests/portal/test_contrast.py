"""Colours that carry text or meaning differ enough, in both schemes.

The ratio is that of WCAG 2.2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

import re

import pytest
from django.conf import settings

TOKENS = settings.BASE_DIR / "static" / "css" / "tokens.css"
SITE = settings.BASE_DIR / "static" / "css" / "site.css"
PAIR = re.compile(r"--([a-z-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\);")
TEXT, SIGN = 4.5, 3.0
GROUNDS = ("ground", "surface", "raised")
ON_SOFT = ("good", "warn", "bad", "busy")


def colours(scheme: int) -> dict[str, str]:
    return {m[1]: m[2 + scheme] for m in PAIR.finditer(TOKENS.read_text())}


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula_knows_black_on_white() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(scheme: int) -> None:
    known = colours(scheme)
    pairs = [
        (name, ground)
        for name in ("text", "muted", "accent", *ON_SOFT, "snp", "indel")
        for ground in GROUNDS
    ]
    pairs += [(name, f"{name}-soft") for name in ON_SOFT]
    pairs += [("on-accent", "accent"), ("accent", "accent-soft")]

    weak = {
        pair: round(found, 2)
        for pair in pairs
        if (found := contrast(known[pair[0]], known[pair[1]])) < TEXT
    }

    assert weak == {}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_edges_of_fields_and_the_focus_can_be_seen(scheme: int) -> None:
    known = colours(scheme)

    for name in ("edge", "focus", "snp", "indel"):
        for ground in GROUNDS:
            assert contrast(known[name], known[ground]) >= SIGN, (name, ground)


def test_the_stylesheet_takes_its_colours_from_the_tokens() -> None:
    plain = re.findall(r"#[0-9a-fA-F]{3,8}\b", SITE.read_text())

    assert set(plain) <= {"#fff"}  # paper
