"""Checksum files beside files: `x.vcf.gz.md5sum`, `x.md5`, and lists of many lines.

DRAGEN writes them as md5sum does, others as a bare hash: the first 32 hexadecimal
characters count.
"""

from __future__ import annotations

import re

SUFFIXES = (".md5sum", ".md5")
LIST_NAMES = {"md5sum.txt", "md5sums.txt", "md5.txt", "md5sums", "checksum.md5"}
MOST_BYTES = 1024 * 1024
FIRST = re.compile(r"\A\s*\\?([0-9a-fA-F]{32})(?![0-9a-fA-F])")
LINE = re.compile(r"^\\?([0-9a-fA-F]{32})[ \t]+[ *]?(.+?)\s*$", re.MULTILINE)


def is_sidecar(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(SUFFIXES) or lower in LIST_NAMES


def subject(name: str) -> str | None:
    """The file that a checksum file is about, by its name; None for a list."""
    lower = name.lower()
    if lower in LIST_NAMES:
        return None
    suffix = next((s for s in SUFFIXES if lower.endswith(s)), None)
    return name[: -len(suffix)] if suffix else None


def parse_md5(text: str) -> str | None:
    """The checksum of a file about one file, in lower case."""
    match = FIRST.match(text)
    return match[1].lower() if match else None


def parse_list(text: str) -> dict[str, str]:
    """MD5 by base name, from the lines of md5sum."""
    return {
        name.replace("\\", "/").rsplit("/", 1)[-1]: digest.lower()
        for digest, name in LINE.findall(text)
    }


def sums_of(name: str, text: str) -> dict[str, str]:
    """MD5 by the base names that a checksum file speaks of; empty if unreadable."""
    about = subject(name)
    digest = parse_md5(text)
    if about and digest:
        return {about.rsplit("/", 1)[-1]: digest}
    return parse_list(text)
