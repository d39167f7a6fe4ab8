"""Whether a file is what its name says: gzip that is whole, and no web page."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

from runs.transfers.base import TransferError

GZIP_MAGIC = b"\x1f\x8b"
# The empty last block of every whole BGZF file (SAM specification, 4.1.2)
BGZF_EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
GZIP_SUFFIXES = (".gz", ".bgz", ".tbi", ".csi")
PAGE_SUFFIXES = (".html", ".htm", ".xml", ".svg")
BLOCK = 1024 * 1024


def nothing() -> None:
    return None


def refuse_web_page(name: str, content_type: str, place: str) -> None:
    """Raises where the header already says that a page comes instead of the file."""
    if content_type.lower().startswith("text/html") and not name.lower().endswith(
        PAGE_SUFFIXES
    ):
        raise TransferError(web_page(name, place))


def web_page(name: str, place: str) -> str:
    return (
        f"{place} sent a web page instead of {name}, perhaps a sign-in or an error "
        "page. Open the address in a browser to see it, and correct the address."
    )


def looks_like_page(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml"))


def is_bgzf(head: bytes) -> bool:
    """Gzip with the extra field `BC` that gives the size of the block."""
    return len(head) >= 18 and head[:4] == b"\x1f\x8b\x08\x04" and head[12:14] == b"BC"


def check_content(
    path: Path,
    name: str,
    place: str,
    *,
    thorough: bool = False,
    check_stop: Callable[[], None] = nothing,
) -> None:
    """Raises TransferError unless `path` fits `name`.

    `thorough` also unpacks gzip to the end, for files that no checksum vouches for.
    """
    with path.open("rb") as handle:
        head = handle.read(512)
    lower = name.lower()
    if looks_like_page(head) and not lower.endswith(PAGE_SUFFIXES):
        raise TransferError(web_page(name, place))
    if lower.endswith(".zip") and head[:2] != b"PK":
        raise TransferError(f"{name} from {place} is no ZIP archive.")
    if lower.endswith(GZIP_SUFFIXES):
        check_gzip(path, name, thorough=thorough, check_stop=check_stop)


def check_gzip(
    path: Path,
    name: str,
    *,
    thorough: bool = False,
    check_stop: Callable[[], None] = nothing,
) -> None:
    """Raises TransferError for a file that is not gzip, or a BGZF file without end."""
    with path.open("rb") as handle:
        head = handle.read(512)
        if not head:
            raise TransferError(f"{name} is empty; a gzip file is expected.")
        if head[:2] != GZIP_MAGIC:
            raise TransferError(f"{name} is not gzip-compressed, as its name says.")
        if is_bgzf(head):
            handle.seek(max(0, os.fstat(handle.fileno()).st_size - len(BGZF_EOF)))
            if handle.read() != BGZF_EOF:
                raise TransferError(
                    f"{name} is cut off: the end mark of a BGZF file is missing. "
                    "Copy it again from where it was made."
                )
    if thorough:
        unpack_all(path, name, check_stop)


def unpack_all(path: Path, name: str, check_stop: Callable[[], None]) -> None:
    """Unpacks every gzip member, checksums included, and keeps nothing."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as handle:
            while data := handle.read(BLOCK):
                inflater = _unpack(inflater, data, check_stop)
    except zlib.error as fault:
        raise TransferError(
            f"{name} is damaged ({fault}). Copy it again from where it was made."
        ) from fault
    if not inflater.eof:
        raise TransferError(
            f"{name} is cut off: its gzip data ends in the middle. Copy it again from "
            "where it was made."
        )


def _unpack(
    inflater: zlib._Decompress, data: bytes, check_stop: Callable[[], None]
) -> zlib._Decompress:
    while data:
        check_stop()
        if inflater.eof:
            data = data.lstrip(b"\0")  # padding between members is allowed
            if not data:
                break
            inflater = zlib.decompressobj(wbits=31)
        inflater.decompress(data, BLOCK)
        # at the end of a member the tail stays as it is, and what follows is unused
        while inflater.unconsumed_tail and not inflater.eof:
            check_stop()
            inflater.decompress(inflater.unconsumed_tail, BLOCK)
        data = inflater.unused_data
    return inflater
