"""Parts of addresses: as Django's `str` and `path`, but no text that holds NUL.

No name of anything has one, and PostgreSQL takes none in a question.
"""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import PathConverter, StringConverter


class Text(StringConverter):
    regex = r"[^/\x00]+"


class FilePath(PathConverter):
    regex = r"[^\x00]+"


def register() -> None:
    register_converter(Text, "text")
    register_converter(FilePath, "file")
