"""ZIP archives byte by byte, so that every field can lie."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass


@dataclass
class Entry:
    """One member; None in a field means the honest value."""

    name: str | bytes
    data: bytes = b"data"
    deflate: bool = False
    mode: int = 0o100644
    flags: int = 0
    method: int | None = None
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    offset: int | None = None
    local_name: str | bytes | None = None

    def raw_name(self, name: str | bytes) -> bytes:
        return name if isinstance(name, bytes) else name.encode()

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if not self.deflate:
            return self.data
        packer = zlib.compressobj(9, wbits=-15)
        return packer.compress(self.data) + packer.flush()

    def fields(self) -> tuple[int, int, int, int, int]:
        """flags, method, crc, packed size, size"""
        utf8 = 0x800 if isinstance(self.name, str) else 0
        method = (8 if self.deflate else 0) if self.method is None else self.method
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed = len(self.body()) if self.packed_size is None else self.packed_size
        size = len(self.data) if self.size is None else self.size
        return self.flags | utf8, method, crc, packed, size


def craft(*entries: Entry, before: bytes = b"", count: int | None = None) -> bytes:
    """An archive of `entries`, with `before` in front of it."""
    body, table = bytearray(before), bytearray()
    for entry in entries:
        flags, method, crc, packed, size = entry.fields()
        name = entry.raw_name(entry.name)
        local = entry.raw_name(entry.local_name or entry.name)
        at = len(body) if entry.offset is None else entry.offset
        if entry.offset is None:
            head = (0x04034B50, 20, flags, method, 0, 0x21, crc, packed, size)
            body += struct.pack("<IHHHHHIIIHH", *head, len(local), 0) + local
            body += entry.body()
        head2 = (0x02014B50, 0x031E, 20, flags, method, 0, 0x21, crc, packed, size)
        table += struct.pack(
            "<IHHHHHHIIIHHHHHII",
            *head2, len(name), 0, 0, 0, 0, entry.mode << 16, at,
        ) + name  # fmt: skip
    number = len(entries) if count is None else count
    end = struct.pack(
        "<IHHHHIIH", 0x06054B50, 0, 0, number, number, len(table), len(body), 0
    )
    return bytes(body + table + end)


def long_table(count: int, end: str) -> bytes:
    """One member that the table names `count` times, with an end record that not every
    reader finds: the longest comment, or a ZIP64 locator that points elsewhere.
    """
    whole = craft(Entry("a.csv"))
    last = whole.rfind(b"PK\5\6")
    first = whole.rfind(b"PK\1\2", 0, last)
    local, table = whole[:first], whole[first:last] * count
    size, at = len(table), len(local)
    if end == "long comment":
        record = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, size, at, 0xFFFF)
        return local + table + record + b"\0" * 0x10000
    sizes = (count, count, size, at)
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, *sizes)
    locator = struct.pack("<IIQI", 0x07064B50, 0, 1 << 40, 1)
    full = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    ended = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, *full, 0)
    return local + table + record + locator + ended
