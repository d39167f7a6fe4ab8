"""What a call file is, told from its first bytes and lines, whatever its name.

VCF in plain text, gzip and bgzip, and BCF are read. A file that is none of them
(a web page in place of an archive, a file that was cut off) is named for what it is.
"""

from __future__ import annotations

import gzip
import io
import itertools
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from benchmarks.parsers.errors import ParseError

Container = Literal["plain", "gzip", "bgzip", "bcf"]
GZIP = b"\x1f\x8b"
BCF = b"BCF\x02"
# The empty block that ends every bgzip file (SAM specification, 4.1.2).
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
NON_REFERENCE = ("<NON_REF>", "<*>")
# Records looked at where the header leaves open whether this is a gVCF.
SAMPLED_RECORDS = 200
LONGEST_HEADER = 64 * 1024 * 1024
ENTRY = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,>]*)')
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")


class VcfError(ParseError):
    """The file is no call file that can be benchmarked; said in a sentence."""


@dataclass(frozen=True, slots=True)
class VcfHeader:
    """A call file's header and a look at its first records.

    `contigs` are the lengths in bases, None where the header gives none. `is_gvcf`
    is told from the content. `has_records` is False for a header alone.
    """

    path: Path
    container: Container
    version: str
    samples: tuple[str, ...]
    contigs: Mapping[str, int | None]
    is_gvcf: bool
    has_genotypes: bool
    has_records: bool
    filters: tuple[str, ...] = ()
    source: str = ""
    meta: tuple[str, ...] = field(default=(), repr=False, compare=False)


def sniff(
    path: Path, *, need_genotypes: bool = True, check_end: bool = True
) -> VcfHeader:
    """Read header and first records. Raises VcfError that says what is wrong.

    `check_end` looks for the block that ends a whole bgzip file, which costs one
    read; a plain gzip file can only be checked by reading it (see `check_whole`).
    """
    container = _container(path)
    if check_end and container in ("bgzip", "bcf"):
        _require_end(path)
    with _readable(path, container) as lines:
        meta, columns = _header(path, lines)
        records = [
            line.rstrip("\r\n").split("\t")
            for line in itertools.islice(lines, SAMPLED_RECORDS)
            if line.strip()
        ]
    header = _described(path, container, meta, columns, records)
    if need_genotypes:
        _require_genotypes(header, records)
    return header


def check_whole(path: Path) -> None:
    """Decompress the whole file: the only sure way to find damage. Raises VcfError."""
    container = _container(path)
    if container == "plain":
        return
    with _faults_named(path), gzip.open(path, "rb") as file:
        while file.read(1 << 20):
            pass


def _container(path: Path) -> Container:
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise VcfError(path, f"cannot be read: {error.strerror}.") from error
    if not start:
        raise VcfError(path, "the file is empty.")
    if start.startswith(GZIP):
        if not _is_bgzf(start):
            return "gzip"
        return "bcf" if _inflated_start(path).startswith(BCF) else "bgzip"
    if start.startswith(BCF):
        raise VcfError(path, "is uncompressed BCF; write it with bcftools view -Ob.")
    if start.startswith((b"##fileformat=VCF", b"\xef\xbb\xbf##file")):
        return "plain"
    raise VcfError(path, _foreign(path, start))


def _is_bgzf(start: bytes) -> bool:
    """The extra field BC of a gzip block that is a BGZF block."""
    return (
        len(start) >= 18
        and bool(start[3] & 4)
        and start[12:14] == b"BC"
        and struct.unpack_from("<H", start, 14) == (2,)
    )


def _inflated_start(path: Path) -> bytes:
    with _faults_named(path), gzip.open(path, "rb") as file:
        return file.read(512)


def _foreign(path: Path, start: bytes) -> str:
    text = start.lstrip().lower()
    zipped = path.suffix in (".gz", ".bgz")
    instead = f" instead of {'a gzip file' if zipped else 'a VCF'}"
    if text.startswith((b"<!doctype html", b"<html")):
        return (
            f"holds a web page{instead}; the address it came from may want a sign-in "
            "or be out of date."
        )
    if text.startswith(b"<?xml"):
        said = re.search(rb"<(?:Code|Message)>([^<]*)", start)
        reason = f" ({said[1].decode(errors='replace')})" if said else ""
        return f"holds an answer of the store{reason}{instead}."
    if text.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS; the file itself has not been fetched."
    if start.startswith(b"PK\x03\x04"):
        return f"is a ZIP archive{instead}."
    return "is no VCF or BCF: it does not start with ##fileformat=VCF."


def _require_end(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(0, io.SEEK_END)
        file.seek(max(file.tell() - len(BGZF_END), 0))
        if file.read() != BGZF_END:
            raise VcfError(
                path,
                "the end of the bgzip file is missing: it was cut off. Fetch it again.",
            )


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    try:
        yield
    except EOFError:
        raise VcfError(
            path, "the gzip file ends too early: it was cut off. Fetch it again."
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise VcfError(path, f"the gzip file is damaged ({error}).") from error
    except OSError as error:
        raise VcfError(path, f"cannot be read: {error.strerror or error}.") from error


@contextmanager
def _readable(path: Path, container: Container) -> Iterator[Iterator[str]]:
    with _faults_named(path):
        if container == "bcf":
            yield _bcf_lines(path)
            return
        with _opened(path, container) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")
            # a line without end must not fill the memory
            yield iter(lambda: text.readline(LONGEST_HEADER + 1), "")


def _opened(path: Path, container: Container) -> BinaryIO:
    if container == "plain":
        return path.open("rb")
    return gzip.open(path, "rb")  # type: ignore[return-value]


def _bcf_lines(path: Path) -> Iterator[str]:
    # pysam is large; only BCF needs it here
    import pysam

    try:
        with pysam.VariantFile(str(path)) as file:
            yield from str(file.header).splitlines(keepends=True)
            yield from (str(record) for record in file)
    except ValueError as error:
        raise VcfError(path, f"the BCF file cannot be read ({error}).") from error


def _header(path: Path, lines: Iterator[str]) -> tuple[list[str], list[str]]:
    meta: list[str] = []
    size = 0
    for line in lines:
        size += len(line)
        if size > LONGEST_HEADER:
            raise VcfError(path, "the header does not end within 64 MB.")
        if line.startswith("##"):
            meta.append(line.rstrip("\r\n"))
            continue
        if not line.startswith("#CHROM"):
            break
        columns = line.rstrip("\r\n").split("\t")
        if tuple(columns[:8]) != COLUMNS:
            raise VcfError(
                path, "the line #CHROM lacks columns, or they are not split by tabs."
            )
        return _checked_meta(path, meta), columns
    raise VcfError(path, "the header has no line that starts with #CHROM.")


def _checked_meta(path: Path, meta: list[str]) -> list[str]:
    if not meta or not meta[0].startswith("##fileformat=VCF"):
        raise VcfError(path, "is no VCF: it does not start with ##fileformat=VCF.")
    return meta


def _described(
    path: Path,
    container: Container,
    meta: list[str],
    columns: list[str],
    records: list[list[str]],
) -> VcfHeader:
    samples = tuple(columns[9:])
    twice = {name for name in samples if samples.count(name) > 1}
    if twice:
        raise VcfError(path, f"the samples {', '.join(sorted(twice))} are there twice.")
    for record in records:
        if len(record) != len(columns):
            raise VcfError(
                path,
                f"a record has {len(record)} columns, the header {len(columns)}: "
                f"{' '.join(record)[:60]!r}.",
            )
    return VcfHeader(
        path=path,
        container=container,
        version=meta[0].partition("=")[2],
        samples=samples,
        contigs=_contigs(meta),
        is_gvcf=_is_gvcf(meta, records),
        has_genotypes=_has_genotypes(columns, records),
        has_records=bool(records),
        filters=tuple(
            entry["ID"] for entry in _entries(meta, "FILTER") if "ID" in entry
        ),
        source=next(
            (line.partition("=")[2] for line in meta if line.startswith("##source=")),
            "",
        ),
        meta=tuple(meta),
    )


def _entries(meta: Sequence[str], key: str) -> Iterator[dict[str, str]]:
    start = f"##{key}=<"
    for line in meta:
        if line.startswith(start):
            yield {
                name: value.strip('"')
                for name, value in ENTRY.findall(line[len(start) :])
            }


def _contigs(meta: Sequence[str]) -> dict[str, int | None]:
    return {
        entry["ID"]: int(length)
        if (length := entry.get("length", "")).isdigit()
        else None
        for entry in _entries(meta, "contig")
        if "ID" in entry
    }


def _is_gvcf(meta: Sequence[str], records: list[list[str]]) -> bool:
    """A gVCF has blocks without variants: END and no called allele.

    The header alone does not tell: a joint caller can leave `##ALT=<ID=NON_REF>`
    in a plain VCF. So a record has to have the allele, or be such a block.
    """
    if any(_is_block(record) for record in records):
        return True
    declared = any(
        entry.get("ID") in ("NON_REF", "*") for entry in _entries(meta, "ALT")
    )
    blocks = any(line.startswith("##GVCFBlock") for line in meta)
    return not records and (declared or blocks)


def _is_block(record: list[str]) -> bool:
    alternatives = record[4].split(",")
    if any(symbol in alternatives for symbol in NON_REFERENCE):
        return True
    # segments of a copy-number file have an END and no allele, too
    keys = {part.partition("=")[0] for part in record[7].split(";")}
    return record[4] == "." and "END" in keys and not keys & {"REFLEN", "SVTYPE"}


def _has_genotypes(columns: list[str], records: list[list[str]]) -> bool:
    if len(columns) < 10:
        return False
    return not records or any(record[8].split(":")[0] == "GT" for record in records)


def _require_genotypes(header: VcfHeader, records: list[list[str]]) -> None:
    if not header.samples:
        raise VcfError(
            header.path, "has no sample column, so there is nothing to benchmark."
        )
    if not header.has_genotypes:
        raise VcfError(
            header.path,
            f"has no genotypes: none of the first {len(records)} records has GT in its "
            "FORMAT column. Benchmarking needs them.",
        )
