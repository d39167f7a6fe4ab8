"""The table of contents of a ZIP archive, checked before anything is unpacked."""

from __future__ import annotations

import io
import itertools
import os
import re
import stat
import struct
import unicodedata
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from runs.transfers.base import human_bytes

LOCAL_HEADER = 30
TAIL = 128 * 1024
"""At least so much may be read at once: where an archive's end is looked for."""
TABLE_BYTES_A_MEMBER = 1024
DRIVE = re.compile(r"[A-Za-z]:")
ENCRYPTED = 0x1 | 0x40 | 0x2000
ODD_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ARCHIVE_SUFFIXES = (
    ".zip", ".jar", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
    ".7z", ".rar", ".xz", ".cab", ".iso",
)  # fmt: skip
JUNK = {".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """`ratio` is unpacked to packed bytes of a member larger than `ratio_from`."""

    members: int = 2000
    member_bytes: int = 50 * 1000**3
    total_bytes: int = 200 * 1000**3
    ratio: float = 200.0
    ratio_from: int = 1024 * 1024
    depth: int = 10
    name_bytes: int = 255
    reserve_bytes: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive that may be written: a checked relative name."""

    name: str
    size: int
    info: zipfile.ZipInfo


class TableTooLong(Exception):
    """The table of contents is longer than the members that are allowed need."""


class ArchiveFile(io.FileIO):
    """An archive for `zipfile`, which reads the whole table by one `read` and keeps it
    in memory, at eight times its size: while `open_table` lasts, a long one is refused.

    The end record is not looked for here. Where two readers look for it each in their
    own way, an archive can show each of them another one.
    """

    most: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None:
            if size is None or size < 0:
                size = max(0, os.fstat(self.fileno()).st_size - self.tell())
            if size > self.most:
                raise TableTooLong
        return super().read(size) or b""


def open_table(file: ArchiveFile, limits: ArchiveLimits) -> zipfile.ZipFile:
    """Raises TableTooLong, and what `zipfile` raises for what is no archive."""
    file.most = max(TAIL, limits.members * TABLE_BYTES_A_MEMBER)
    table = zipfile.ZipFile(file)
    file.most = None
    return table


def read_table(
    archive: Path, table: zipfile.ZipFile, limits: ArchiveLimits, faults: list[str]
) -> list[Member]:
    """The files to unpack; everything that is wrong is added to `faults`."""
    entries = table.infolist()
    if len(entries) > limits.members:
        faults.append(
            f"it has {len(entries)} members, at most {limits.members} allowed"
        )
        return []
    members = []
    for info in entries:
        wrong = member_faults(info, limits)
        faults += [f"{shown(info)} {words}" for words in wrong]
        if not wrong and not is_folder(info) and not is_junk(info.filename):
            members.append(Member(info.filename, info.file_size, info))
    faults += total_faults(members, limits)
    faults += clash_faults(members)
    faults += overlap_faults(archive, table)
    if not members and not faults:
        faults.append("it holds no files")
    return members


def shown(info: zipfile.ZipInfo) -> str:
    """A name that is safe and short enough for a message."""
    text = ascii(info.orig_filename)[1:-1]
    return text if len(text) <= 80 else f"{text[:60]}…"


def is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith("/")


def is_junk(name: str) -> bool:
    """What Finder and Explorer add unasked."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].lower() in JUNK


def member_faults(info: zipfile.ZipInfo, limits: ArchiveLimits) -> list[str]:
    """Clauses, each to follow the member's name."""
    return [
        *name_faults(info, limits),
        *kind_faults(info),
        *size_faults(info, limits),
    ]


def name_faults(info: zipfile.ZipInfo, limits: ArchiveLimits) -> list[str]:
    """Of the name as stored, and of the one that zipfile makes of it: it is cut at its
    first NUL, and from Python 3.12 on replaced by an extra field (0x7075).
    """
    names = {info.orig_filename: None, info.filename: None}
    faults = (fault for name in names for fault in faults_of_name(name, limits))
    return list(dict.fromkeys(faults))


def faults_of_name(name: str, limits: ArchiveLimits) -> list[str]:
    parts = name.removesuffix("/").split("/")
    faults = []
    if name.startswith(("/", "\\")) or DRIVE.match(name):
        faults.append("has an absolute name")
    if ".." in name.replace("\\", "/").split("/"):
        faults.append("leads out of the archive (..)")
    if any(part in {"", "."} for part in parts):
        faults.append("has an empty part in its name")
    if any(char in "\\:" or _odd(char) for char in name):
        faults.append("has characters in its name that no file name should have")
    if any(part.startswith("-") or part != part.strip() for part in parts):
        faults.append("has a name that begins with a hyphen or ends with a space")
    if len(parts) > limits.depth:
        faults.append(f"lies deeper than {limits.depth} folders")
    if any(len(part.encode("utf-8", "replace")) > limits.name_bytes for part in parts):
        faults.append(f"has a name longer than {limits.name_bytes} bytes")
    return faults


def _odd(char: str) -> bool:
    return unicodedata.category(char) in ODD_CATEGORIES


def kind_faults(info: zipfile.ZipInfo) -> list[str]:
    faults = []
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        faults.append("is a symbolic link")
    elif kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        faults.append("is a device or other special file")
    if is_folder(info) and info.file_size:
        faults.append("is a folder with content")
    if info.flag_bits & ENCRYPTED:
        faults.append("is encrypted")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        faults.append(f"is packed by a method that is not taken ({info.compress_type})")
    if info.filename.lower().endswith(ARCHIVE_SUFFIXES):
        faults.append("is an archive inside the archive")
    return faults


def size_faults(info: zipfile.ZipInfo, limits: ArchiveLimits) -> list[str]:
    faults = []
    if info.file_size > limits.member_bytes:
        faults.append(
            f"unpacks to {human_bytes(info.file_size)}, at most "
            f"{human_bytes(limits.member_bytes)} allowed"
        )
    packed = max(info.compress_size, 1)
    if info.file_size > limits.ratio_from and info.file_size / packed > limits.ratio:
        faults.append(
            f"unpacks to {info.file_size / packed:.0f} times its size, at most "
            f"{limits.ratio:.0f} allowed"
        )
    stored = info.compress_type == zipfile.ZIP_STORED
    if (
        stored
        and not info.flag_bits & ENCRYPTED
        and info.file_size != info.compress_size
    ):
        faults.append("has two different sizes")
    return faults


def total_faults(members: list[Member], limits: ArchiveLimits) -> list[str]:
    total = sum(member.size for member in members)
    if total <= limits.total_bytes:
        return []
    return [
        f"its files unpack to {human_bytes(total)} in all, at most "
        f"{human_bytes(limits.total_bytes)} allowed"
    ]


def clash_faults(members: list[Member]) -> list[str]:
    """Names that are the same file on some disk, or a file and a folder at once."""
    folded = Counter(_fold(member.name) for member in members)
    faults = [
        f"{ascii(n)[1:-1]} is there {c} times" for n, c in folded.items() if c > 1
    ]
    folders = {
        "/".join(name.split("/")[:depth])
        for name in folded
        for depth in range(1, name.count("/") + 1)
    }
    return faults + [
        f"{ascii(name)[1:-1]} is a file and a folder"
        for name in folded
        if name in folders
    ]


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def overlap_faults(archive: Path, table: zipfile.ZipFile) -> list[str]:
    """Members that share bytes (the trick of small bombs), or lie outside the file."""
    end = table.start_dir
    spans = []
    with archive.open("rb") as handle:
        for info in table.infolist():
            handle.seek(max(0, info.header_offset))
            head = handle.read(LOCAL_HEADER)
            there = info.header_offset >= 0 and len(head) == LOCAL_HEADER
            if not there or head[:4] != b"PK\x03\x04":
                return [f"{shown(info)} does not lie where the archive says"]
            name, extra = struct.unpack("<HH", head[26:30])
            start = info.header_offset
            stop = start + LOCAL_HEADER + name + extra + info.compress_size
            spans.append((start, stop, info))
    spans.sort(key=lambda span: span[:2])
    faults = [
        f"{shown(info)} overlaps the member before it"
        for (_, stop, _), (start, _, info) in itertools.pairwise(spans)
        if start < stop
    ]
    if spans and spans[-1][1] > end:
        faults.append(f"{shown(spans[-1][2])} is cut off")
    if spans and spans[0][0] != 0:
        faults.append("something else stands before its first member")
    return faults
