from __future__ import annotations

import pytest
from django import forms
from selectolax.lexbor import LexborHTMLParser

from runs.views.widgets import LongSelect

CHOICES = [("", "all"), ("a<b", "A < B"), ("c", "C")]


@pytest.mark.parametrize("value", ["a<b", "c", "", None, "unknown"])
def test_it_says_what_djangos_own_says(value: str | None) -> None:
    attributes = {"id": "id_x", "class": "wide", "required": True}

    drawn = [
        LexborHTMLParser(
            widget(choices=CHOICES).render("x", value, attributes)
        ).css_first("select")
        for widget in (LongSelect, forms.Select)
    ]

    own, django = drawn
    assert own is not None
    assert django is not None
    assert own.attributes == django.attributes
    options = [
        [(each.attributes, each.text()) for each in found.css("option")]
        for found in (own, django)
    ]
    assert options[0] == options[1]
