"""A finished log as one gzip file that can be read from any line.

The file is a series of gzip members, so `zcat` prints it as JSON lines. Each member
but the last two holds `BLOCK` lines (the last of them perhaps fewer), beginning with
sequence 1. Then follow two members without content:

- the index: its header's comment holds the offset of each block, 12 hexadecimal digits
  each;
- the footer, of fixed length: its extra field `VL` holds the offset of the first
  offset, the last sequence, and the sequence of the first error (0: none), each as an
  unsigned 64-bit integer, little-endian.

So any line costs three short reads and one block. Knows no Django.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = 1_000
"""Lines of one gzip member."""
OFFSET_DIGITS = 12

_GZIP = b"\x1f\x8b\x08"
_REST_OF_HEADER = b"\x00\x00\x00\x00\x00\xff"
_EMPTY = b"\x03\x00" + bytes(8)
_EXTRA, _COMMENT = b"\x04", b"\x10"
_FIELD = struct.Struct("<HccHQQQ")
_FOOTER_SIZE = 10 + _FIELD.size + len(_EMPTY)


class LogFileError(Exception):
    """The file is no log file, or is damaged."""


class LogFile:
    """A finished log, open for reading. `last` is its last sequence."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._index, self.last, self.first_error = self._footer()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[LogFile | None]:
        """The log at this path, or None when there is none."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            yield cls(file)

    def _footer(self) -> tuple[int, int, int]:
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - _FOOTER_SIZE))
        data = self._file.read()
        if len(data) != _FOOTER_SIZE or not data.startswith(_GZIP + _EXTRA):
            raise LogFileError(
                f"{self._file.name} has no index at its end: it is no log of VCBench, "
                "or was cut."
            )
        *_field, index, last, error = _FIELD.unpack_from(data, 10)
        return index, last, error

    def read(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Up to `limit` records after the sequence `since`."""
        records: list[dict[str, Any]] = []
        while since < self.last and len(records) < limit:
            block, skip = divmod(since, BLOCK)
            lines = self.lines(block)[skip : skip + limit - len(records)]
            records += map(json.loads, lines)
            since += len(lines)
        return records

    def lines(self, block: int) -> list[bytes]:
        return zlib.decompress(self.member(block), wbits=31).splitlines()

    def member(self, block: int) -> bytes:
        """The block as it lies in the file."""
        self._file.seek(self._index + OFFSET_DIGITS * block)
        blocks = -(-self.last // BLOCK)
        digits = self._file.read(OFFSET_DIGITS * 2)
        start = int(digits[:OFFSET_DIGITS], 16)
        more = block + 1 < blocks
        end = int(digits[OFFSET_DIGITS:], 16) if more else self._index - 10
        self._file.seek(start)
        return self._file.read(end - start)


def write(path: Path, records: Iterable[dict[str, Any]], old: LogFile | None) -> int:
    """Write a log file of the old file's lines and these; returns its last sequence.

    The records must go on where the old file ends. The file is in place, and safe on
    the disk, only when all of it is written and was read again.
    """
    work = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with work.open("w+b") as file:
            last = _Writer(file, old).write(records)
            file.flush()
            os.fsync(file.fileno())
            _verify(file, last)
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return last


class _Writer:
    def __init__(self, file: BinaryIO, old: LogFile | None) -> None:
        self.file = file
        self.old = old
        self.offsets: list[int] = []
        self.last = 0
        self.error = 0

    def write(self, records: Iterable[dict[str, Any]]) -> int:
        lines = self._copy(self.old) if self.old else []
        for record in records:
            self._count(record)
            text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            lines.append(text.encode())
            if len(lines) == BLOCK:
                self._member(lines)
                lines = []
        if lines:
            self._member(lines)
        self._end()
        return self.last

    def _count(self, record: dict[str, Any]) -> None:
        if record["sequence"] != self.last + 1:
            raise LogFileError(
                f"The log has no line {self.last + 1}: after {self.last} comes "
                f"{record['sequence']}."
            )
        self.last += 1
        if not self.error and record["level"] == "error":
            self.error = self.last

    def _copy(self, old: LogFile) -> list[bytes]:
        """The old file's full blocks as they are; the lines of the one that is not."""
        self.last, self.error = old.last, old.first_error
        full, rest = divmod(old.last, BLOCK)
        for block in range(full):
            self._raw(old.member(block))
        return old.lines(full) if rest else []

    def _member(self, lines: list[bytes]) -> None:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        self._raw(packer.compress(b"\n".join(lines) + b"\n") + packer.flush())

    def _raw(self, member: bytes) -> None:
        self.offsets.append(self.file.tell())
        self.file.write(member)

    def _end(self) -> None:
        index = self.file.tell() + 10
        offsets = "".join(f"{offset:0{OFFSET_DIGITS}x}" for offset in self.offsets)
        header = _GZIP + _COMMENT + _REST_OF_HEADER
        self.file.write(header + offsets.encode() + b"\x00" + _EMPTY)
        field = _FIELD.pack(
            _FIELD.size - 2, b"V", b"L", 24, index, self.last, self.error
        )
        self.file.write(_GZIP + _EXTRA + _REST_OF_HEADER + field + _EMPTY)


def _verify(file: BinaryIO, last: int) -> None:
    written = LogFile(file)
    lines = sum(len(written.lines(block)) for block in range(-(-last // BLOCK)))
    if written.last != last or lines != last:
        raise LogFileError(f"{file.name} holds {lines} lines instead of {last}.")
