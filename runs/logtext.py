"""What a log line may contain: one line of plain text without secrets.

Messages come from tools, libraries and servers. Before they are kept, terminal colours
become a level, control characters go, then credentials, which those may have parted,
and what is longer than 64 KB is cut, saying so. Nothing here makes HTML.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from runs.models import Level

LIMIT = 64 * 1024
"""Bytes of UTF-8 that a line has at most, the note of a cut included."""
REMOVED = "[removed]"

# What a line must contain to be worth a closer look: most contain nothing of it.
_MARKS = r"\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_ODD = rf"\x00-\x08\x0a-\x1f\x7f-\x9f{_MARKS}"
_PLAIN = re.compile(rf"[^{_ODD}\ud800-\udfff]*")
_CONTROL = re.compile(rf"[{_ODD}]")
# All but the three that begin or end terminal sequences; they may part one.
_INNER = re.compile(rf"[\x00-\x06\x08\x0a-\x1a\x1c-\x1f\x7f-\x9a\x9c-\x9f{_MARKS}]")
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BREAK = re.compile(r"\r\n|[\n\x0b\x0c\x85\u2028\u2029]")
_COLOUR = re.compile(r"\s*\x1b\[(?:[0-9]+;)*(?P<colour>3[123]|9[123])m")
_LEVELS = {"1": Level.ERROR, "2": Level.SUCCESS, "3": Level.WARNING}

# Words without one of which no pattern below matches.
_HINTS = (
    *("://", "sig=", "sig%", "signature", "credential", "bearer", "basic"),
    *("authorization", "cookie", "secret", "token", "passw", "passphrase", "pwd"),
    *("accesskey", "access_key", "access-key", "apikey", "api_key", "api-key"),
    *("accountkey", "account_key", "account-key", "private key", "vcb_", "eyj"),
    *("akia", "asia", "aroa", "aida", "ghp_", "gho_", "ghs_", "ghu_", "ghr_"),
    "github_pat_",
)

# Parts of the patterns. No part may begin anew within what another start of it reads:
# a line of 300,000 characters of anything takes milliseconds.
_NAME = (
    r"(?:passw(?:or)?d|passphrase|(?<!old)pwd|secret|token|awsaccesskeyid|"
    r"(?:secret|access|account|api)[_-]?key|x-(?:amz|goog)-(?:signature|credential))"
)
_IS = r"\\*[\"']?\s*+(?:[=:]+>?|%(?:25)*3d)\s*+"
_QUOTED = r"(?:\\+[\"'][^\"'\n]*[\"']?|\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?)"
_WORD = r"(?!\[removed\])[^\s,;&\"']+"

# The first group of a pattern is what stays before the secret.
_SECRETS = (
    re.compile(
        r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?"
        r"(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        re.DOTALL,
    ),
    # user:password@ in an address; everything up to the last @ of the authority
    re.compile(r"(://[^\s/?#@:]*:)[^\s/?#]*(?=@)"),
    # headers; without quotes they have the rest of the line
    re.compile(rf"(?i)((?:authorization|cookie){_IS})(?:{_QUOTED}|(?!\[removed\]).+)"),
    # signatures of presigned addresses, also of those in JSON or in other addresses
    re.compile(
        r"(?i)((?:[?&;]|\\u0026|%(?:25)*26)sig(?:nature)?(?:=|%(?:25)*3d))"
        r"[^&\s\"'<>]+"
    ),
    re.compile(r"(?i)\b((?:bearer|basic)\s++)(?=\S*[0-9=])[\w.~+/=-]{16,}"),
    # name=value and "name": "value"
    re.compile(rf"(?i)({_NAME}{_IS})(?:{_QUOTED}|{_WORD})"),
    # --name value and "--name", "value"
    re.compile(
        rf"(?i)((?<![\w-])--?[\w-]*{_NAME}\\*[\"']?,?\s++)(?!-)(?:{_QUOTED}|{_WORD})"
    ),
    # <name>value</name>
    re.compile(rf"(?i)(<[\w:]*{_NAME}>)(?!\[removed\])(?:[^<]++(?=</)|[^<\s]{{16,}})"),
    re.compile(r"()(?<![A-Z0-9])(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?![A-Z0-9])"),
    re.compile(r"()(?<![A-Za-z0-9])vcb_[\w-]{20,}"),
    re.compile(r"()(?<![A-Za-z0-9])gh[opsru]_[A-Za-z0-9]{30,}"),
    re.compile(r"()(?<![A-Za-z0-9])github_pat_\w{20,}"),
    re.compile(
        r"(?<![\w-])((?>(?:[\w-]*?[_-])??(?=eyJ)))eyJ[\w-]{10,}+\.[\w-]{10,}+\.[\w-]*",
    ),
)
_SECRET_SETTINGS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "VCBENCH_SECRET_KEY",
)
_SECRET_URLS = ("VCBENCH_DATABASE_URL", "VCBENCH_REDIS_URL")


def clean(message: str, level: str) -> Iterator[tuple[str, str]]:
    """(level, line) for each line that the message becomes; at least one."""
    empty = True
    for own, text in _lines(message, level):
        if text or empty:
            empty = False
            yield own, text


def text_of(message: str) -> str:
    """The message as it may be kept: its lines cleaned as those of a log.

    Every line break stays, as a line feed.
    """
    return "\n".join(text for _level, text in _lines(message, Level.INFO))


def without_secrets(text: str) -> str:
    """The text with credentials replaced by `[removed]`; line breaks stay.

    Terminal sequences and control characters must be gone: they would part a
    credential from its name.
    """
    for secret in _own_secrets():
        text = text.replace(secret, REMOVED)
    if not any(map(text.lower().__contains__, _HINTS)):
        return text
    for pattern in _SECRETS:
        text = pattern.sub(_instead, text)
    return text


def _instead(secret: re.Match[str]) -> str:
    stays = secret[1]
    return stays + REMOVED + "\n" * secret[0].count("\n", len(stays))


@lru_cache(maxsize=1)
def _own_secrets() -> tuple[str, ...]:
    """The secrets that this process was started with; short ones would match words."""
    values = [os.environ.get(name, "") for name in _SECRET_SETTINGS]
    values += [
        unquote(urlsplit(os.environ.get(name, "")).password or "")
        for name in _SECRET_URLS
    ]
    return tuple(value for value in values if len(value) >= 12)


def _lines(message: str, level: str) -> Iterator[tuple[str, str]]:
    """(level, line) for each line of the message, blank ones too."""
    if _PLAIN.fullmatch(message):
        yield level, _cut(without_secrets(message).rstrip())
        return
    bare = [_bare(line, level) for line in _BREAK.split(message)]
    text = without_secrets("\n".join(line for _level, line in bare))
    for (own, _line), line in zip(bare, text.split("\n"), strict=False):
        yield own, _cut(_last_seen(line).rstrip())


def _bare(line: str, level: str) -> tuple[str, str]:
    """The line's level, by its colour, and its text without what is not shown.

    Carriage returns stay.
    """
    if _PLAIN.fullmatch(line):
        return level, line
    colour = None
    shown = []
    for part in line.split("\r"):
        part = _INNER.sub("", part)
        shown.append(_CONTROL.sub("", _ANSI.sub("", part)))
        if shown[-1].strip():
            colour = _COLOUR.match(part)
    if colour and level == Level.INFO:
        level = _LEVELS[colour["colour"][1]]
    return level, _SURROGATE.sub("\ufffd", "\r".join(shown))


def _last_seen(line: str) -> str:
    """A tool's progress bar writes over its line: what was written last is seen."""
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


def _cut(text: str) -> str:
    if len(text) * 4 <= LIMIT or len(text[: LIMIT + 1].encode()) <= LIMIT:
        return text
    note = f" … [cut: the line had {len(text):,} characters]"
    kept = text[:LIMIT].encode()[: LIMIT - len(note.encode())]
    return kept.decode(errors="ignore") + note
