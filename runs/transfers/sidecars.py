"""Checksum files beside files: `x.vcf.gz.md5sum`, `x.md5`, and lists of many lines.

DRAGEN writes them as md5sum does, others as a bare hash: the first 32 hexadecimal
characters count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from runs.transfers.base import Limits, RemoteFile, Source, TransferError
from runs.transfers.crew import Lines
from runs.transfers.pull import enter, retrying

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


def read_small(
    source: Source,
    remote: RemoteFile,
    *,
    most: int = MOST_BYTES,
    limits: Limits | None = None,
) -> bytes:
    """The whole of a small file, kept nowhere; raises TransferError when larger."""
    limits, lines = limits or Limits(), Lines()

    def read() -> bytes:
        with enter(source, remote, limits, lines):
            response = source.open(remote, {}, limits)
            with lines.hold(response):
                if response.status != 200:
                    raise source.refuse(remote, response)
                return _bounded(response.read(most + 1), most, source.describe(remote))

    return retrying(read, limits, lines)


def _bounded(body: bytes, most: int, place: str) -> bytes:
    if len(body) > most:
        raise TransferError(f"{place} is larger than the {most} bytes allowed for it.")
    return body


def with_sums(
    source: Source, files: Sequence[RemoteFile], *, limits: Limits | None = None
) -> list[RemoteFile]:
    """`files` with the MD5 that checksum files among them give."""
    sums: dict[str, str] = {}
    for file in files:
        if is_sidecar(file.name) and (file.size or 0) <= MOST_BYTES:
            text = read_small(source, file, limits=limits).decode("utf-8", "replace")
            sums.update(sums_of(file.name, text))
    return apply_sums(files, sums)


def apply_sums(
    files: Iterable[RemoteFile], sums: Mapping[str, str]
) -> list[RemoteFile]:
    return [replace(file, md5=file.md5 or sums.get(file.name)) for file in files]
