"""What a log line may contain: one line of plain text without secrets.

Messages come from tools, libraries and servers. Before they are kept, credentials are
removed, terminal colours become a level, control characters go, and what is longer
than 64 KB is cut, saying so. Nothing here makes HTML.
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
WORK = 4 * LIMIT
"""Characters of a line that are looked at."""
REMOVED = "[removed]"

# What a line must contain to be worth a closer look: most contain nothing of it.
_PLAIN = re.compile(
    r"[^\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069"
    r"\ufeff\ud800-\udfff]*"
)
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069"
    r"\ufeff]"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BREAK = re.compile(r"\r\n|[\n\x0b\x0c\x85\u2028\u2029]")
_COLOUR = re.compile(r"\s*\x1b\[(?:[0-9]+;)*(?P<colour>3[123]|9[123])m")
_LEVELS = {"1": Level.ERROR, "2": Level.SUCCESS, "3": Level.WARNING}

# Words without one of which no pattern below matches.
_HINTS = (
    *("://", "?", "&", "bearer ", "basic ", "authorization", "secret", "token"),
    *("passw", "pwd", "apikey", "api_key", "api-key", "private key", "vcb_", "eyj"),
    *("akia", "asia", "aroa", "aida", "ghp_", "gho_", "ghs_", "ghu_", "ghr_"),
)
_SECRETS: list[tuple[re.Pattern[str], str]] = [
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?"
            r"(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        REMOVED,
    ),
    # user:password@ in an address; everything up to the last @ of the authority
    (re.compile(r"(://[^\s/?#@:]*):[^\s/?#]*@"), rf"\1:{REMOVED}@"),
    # signatures and keys of presigned addresses
    (
        re.compile(
            r"(?i)([?&;](?:x-amz-(?:signature|credential|security-token)|"
            r"x-goog-(?:signature|credential)|signature|awsaccesskeyid|sig|"
            r"(?:access_|auth_)?token|api_?key|password)=)[^&\s\"'<>]+"
        ),
        rf"\1{REMOVED}",
    ),
    (
        re.compile(r"(?i)\b(bearer|basic)(\s+)(?=\S*[0-9=])[\w.~+/=-]{16,}"),
        rf"\1\2{REMOVED}",
    ),
    (
        re.compile(r"(?i)(\bauthorization[\"']?\s*[:=]\s*)(?!bearer|basic)[^\n]+"),
        rf"\1{REMOVED}",
    ),
    # name=value and "name": "value"
    (
        re.compile(
            r"(?i)((?:\b|_)(?:aws_?)?(?:secret_?access_?key|secret_?key|"
            r"session_?token|security_?token|access_?token|refresh_?token|auth_?token|"
            r"client_?secret|api[_-]?key|password|passwd|pwd|secret|token)"
            r"[\"']?\s*[=:]\s*)(\"[^\"\n]*\"|'[^'\n]*'|(?!\[removed\])[^\s,;&\"']+)"
        ),
        rf"\1{REMOVED}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), REMOVED),
    (re.compile(r"\bvcb_[\w-]{20,}"), REMOVED),
    (re.compile(r"\bgh[opsru]_[A-Za-z0-9]{30,}"), REMOVED),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"), REMOVED),
]
_SECRET_SETTINGS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "VCBENCH_SECRET_KEY",
)
_SECRET_URLS = ("VCBENCH_DATABASE_URL", "VCBENCH_REDIS_URL")


def clean(message: str, level: str) -> Iterator[tuple[str, str]]:
    """(level, line) for each line that the message becomes; at least one."""
    text = without_secrets(message)
    empty = True
    for part in _BREAK.split(text):
        if part.strip() or empty:
            empty = False
            yield _line(part, level)


def without_secrets(text: str) -> str:
    """The text with credentials replaced by `[removed]`."""
    for secret in _own_secrets():
        text = text.replace(secret, REMOVED)
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


@lru_cache(maxsize=1)
def _own_secrets() -> tuple[str, ...]:
    """The secrets that this process was started with; short ones would match words."""
    values = [os.environ.get(name, "") for name in _SECRET_SETTINGS]
    values += [
        unquote(urlsplit(os.environ.get(name, "")).password or "")
        for name in _SECRET_URLS
    ]
    return tuple(value for value in values if len(value) >= 12)


def _line(text: str, level: str) -> tuple[str, str]:
    size = len(text)
    if size > WORK:
        text = text[:WORK]
    if not _PLAIN.fullmatch(text):
        level, text = _plain(text, level)
    text = text.rstrip()
    if size * 4 > LIMIT:
        text = _cut(text, size)
    return level, text


def _plain(text: str, level: str) -> tuple[str, str]:
    # A tool's progress bar writes over its line: what was written last is seen.
    seen = [part for part in text.split("\r") if part.strip()]
    text = seen[-1] if seen else ""
    colour = _COLOUR.match(text)
    if colour and level == Level.INFO:
        level = _LEVELS[colour["colour"][1]]
    text = _CONTROL.sub("", _ANSI.sub("", text))
    return level, _SURROGATE.sub("\ufffd", text)


def _cut(text: str, size: int) -> str:
    data = text.encode()
    if len(data) <= LIMIT and size <= WORK:
        return text
    note = f" … [cut: the line had {size:,} characters]"
    kept = data[: LIMIT - len(note.encode())].decode(errors="ignore")
    return kept + note
