"""Honest archives are taken, hostile ones refused with every reason and no trace."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from runs.transfers.archive import ArchiveError, extract
from runs.transfers.archive_table import ArchiveLimits, name_faults
from runs.transfers.base import SpaceError, TransferCancelled, TransferError
from tests.transfers.conftest import gz, md5, noise
from tests.transfers.crafted import Entry, craft, long_table

SMALL = ArchiveLimits(
    members=20,
    member_bytes=2_000_000,
    total_bytes=5_000_000,
    ratio=50,
    ratio_from=10_000,
    reserve_bytes=0,
)


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "in" / "upload.zip"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def test_takes_an_honest_archive(tmp_path: Path) -> None:
    body = gz(50_000)
    files = {
        "S1/S1.hard-filtered.vcf.gz": body,
        "S1/S1.hard-filtered.vcf.gz.md5sum": f"{md5(body)}  other/name.gz\n".encode(),
        "S1/S1.mapping_metrics.csv": b"a,b\n",
        "S1/empty.csv": b"",
        "__MACOSX/._S1": b"junk",
        "S1/.DS_Store": b"junk",
        "S1/Ünï.csv": b"x",
    }
    steps: list[int] = []
    found = extract(
        put(tmp_path, packed(files)),
        tmp_path / "out" / "S1",
        progress=lambda done, _total, _rate: steps.append(done),
    )
    got = {file.name: file for file in found}
    assert sorted(got) == sorted(n for n in files if "junk" not in str(files[n]))
    for name, file in got.items():
        assert file.path.read_bytes() == files[name]
        assert file.md5 == md5(files[name])
    assert got["S1/S1.hard-filtered.vcf.gz"].verified_by == "md5"
    assert got["S1/S1.mapping_metrics.csv"].verified_by == "checksum-header"
    assert steps[-1] == sum(file.size for file in found)
    assert os.listdir(tmp_path / "out") == ["S1"]


def test_a_list_of_checksums_is_checked(tmp_path: Path) -> None:
    listing = f"{md5(b'one')}  a.csv\n{md5(b'other')} *./b.csv\n".encode()
    data = packed({"a.csv": b"one", "b.csv": b"two", "md5sum.txt": listing})
    with pytest.raises(
        ArchiveError, match=r"b\.csv does not match its checksum"
    ) as caught:
        extract(put(tmp_path, data), tmp_path / "out")
    assert len(caught.value.faults) == 1


# -- fifty hostile archives ------------------------------------------------------------

LINK = 0o120777
BOMB = Entry("bomb.csv", b"\0" * 1_900_000, deflate=True)
QUOTE = Entry("a.csv", noise(5000))


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"), io.BytesIO())
    return buffer.getvalue()


def streamed_bomb() -> bytes:
    """Says 100 bytes and unpacks to a megabyte."""
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(b"\0" * 1_000_000) + packer.flush()
    return craft(Entry("a.csv", b"\0" * 100, deflate=True, packed=body))


def flipped() -> bytes:
    data = bytearray(craft(Entry("a.csv", noise(5000), deflate=True)))
    data[2000] ^= 0xFF
    return bytes(data)


def zip64_table() -> bytes:
    """Announces a table of 2 GB."""
    data = bytearray(craft(QUOTE))
    data[-10:-6] = (2_000_000_000).to_bytes(4, "little")
    return bytes(data)


def many(count: int) -> bytes:
    return craft(*(Entry(f"{n}.csv", b"") for n in range(count)))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty file": (lambda: b"", "it is empty"),
    "text": (lambda: b"hello, this is text", "no ZIP archive"),
    "gzip": (lambda: gz(), "gzip and not ZIP"),
    "web page": (lambda: b"<!doctype html><p>Sign in", "no ZIP archive"),
    "no members": (lambda: craft(), "holds no files"),
    "only junk": (lambda: craft(Entry("__MACOSX/x")), "holds no files"),
    "cut in half": (lambda: packed({"a": noise(9000)})[:4000], "cut off or damaged"),
    "cut table": (lambda: craft(QUOTE)[:-30], "cut off or damaged"),
    "cut by a byte": (lambda: craft(QUOTE)[:-1], "cut off or damaged"),
    "missing start": (lambda: craft(QUOTE)[100:], "damaged|does not lie"),
    "huge table": (zip64_table, "damaged"),
    "bomb": (lambda: craft(BOMB), "times its size"),
    "bomb of one member": (
        lambda: craft(Entry("a", b"", size=4_000_000_000)),
        "unpacks to 4.00 GB",
    ),
    "bomb of many": (
        lambda: craft(*(Entry(f"{n}", noise(1_500_000, n)) for n in range(4))),
        "6.00 MB in all",
    ),
    "says less than it is": (streamed_bomb, "damaged|unpacks to more"),
    "says more than it is": (
        lambda: craft(Entry("a", b"abc", deflate=True, size=900)),
        "damaged|instead of 900",
    ),
    "stored with two sizes": (
        lambda: craft(Entry("a", b"abc", size=900)),
        "two different",
    ),
    "too many": (lambda: many(21), "at most 20 allowed"),
    "very many": (lambda: many(2000), "2000 members, at most 20 allowed"),
    "overlapping": (
        lambda: craft(QUOTE, Entry("b.csv", QUOTE.data, offset=0, local_name="a.csv")),
        "overlaps",
    ),
    "half overlapping": (
        lambda: craft(Entry("a", craft(QUOTE)), Entry("a.csv", QUOTE.data, offset=31)),
        "overlaps",
    ),
    "offset outside": (
        lambda: craft(Entry("a", offset=900_000)),
        "does not lie|damaged",
    ),
    "beyond its end": (
        lambda: craft(Entry("a", b"abc", size=9000, packed_size=9000)),
        "cut off",
    ),
    "other name inside": (lambda: craft(Entry("a", local_name="b")), "damaged"),
    "something before": (
        lambda: craft(QUOTE, before=b"#!/bin/sh\n"),
        "before its first",
    ),
    "symbolic link": (
        lambda: craft(Entry("a", b"/etc/passwd", mode=LINK)),
        "symbolic link",
    ),
    "device": (lambda: craft(Entry("a", mode=0o020666)), "special file"),
    "named pipe": (lambda: craft(Entry("a", mode=0o010666)), "special file"),
    "parent": (lambda: craft(Entry("../a")), "leads out"),
    "parent in the middle": (lambda: craft(Entry("a/../../b")), "leads out"),
    "parent with backslashes": (lambda: craft(Entry("..\\..\\a")), "leads out"),
    "absolute": (lambda: craft(Entry("/etc/cron.d/a")), "absolute name"),
    "absolute with backslash": (lambda: craft(Entry("\\\\server\\a")), "absolute name"),
    "drive letter": (lambda: craft(Entry("C:/a")), "absolute name"),
    "dot": (lambda: craft(Entry("./a")), "empty part"),
    "double slash": (lambda: craft(Entry("a//b")), "empty part"),
    "NUL in a name": (lambda: craft(Entry(b"a.csv\0.exe")), "characters in its name"),
    "newline in a name": (lambda: craft(Entry("a\nb")), "characters in its name"),
    "escape in a name": (lambda: craft(Entry("a\x1b[31m")), "characters in its name"),
    "reversed text": (lambda: craft(Entry("a\u202evsc")), "characters in its name"),
    "like an option": (lambda: craft(Entry("-rf")), "begins with a hyphen"),
    "ends with a space": (lambda: craft(Entry("a ")), "ends with a space"),
    "no name": (lambda: craft(Entry("")), "empty part"),
    "long name": (lambda: craft(Entry("a" * 300)), "longer than 255"),
    "deep": (lambda: craft(Entry("a/" * 11 + "b")), "deeper than 10"),
    "twice": (lambda: craft(Entry("a"), Entry("a")), "there 2 times"),
    "twice but for case": (lambda: craft(Entry("a"), Entry("A")), "there 2 times"),
    "file and folder": (lambda: craft(Entry("a"), Entry("a/b")), "a file and a folder"),
    "folder with content": (lambda: craft(Entry("a/")), "folder with content"),
    "encrypted": (lambda: craft(Entry("a", flags=1)), "is encrypted"),
    "strongly encrypted": (lambda: craft(Entry("a", flags=0x41)), "is encrypted"),
    "unknown method": (lambda: craft(Entry("a", method=99)), "not taken"),
    "bzip2": (lambda: craft(Entry("a", method=12)), "not taken"),
    "wrong CRC": (lambda: craft(Entry("a", crc=1)), "a is damaged"),
    "flipped byte": (flipped, r"a\.csv is damaged"),
    "ZIP inside": (lambda: craft(Entry("a.zip", craft(QUOTE))), "inside the archive"),
    "ZIP in disguise": (
        lambda: craft(Entry("a.csv", craft(QUOTE))),
        "a ZIP archive inside",
    ),
    "tar inside": (lambda: craft(Entry("a.csv", tar())), "tar archive inside"),
    "tgz inside": (lambda: craft(Entry("a.tar.gz", gz())), "inside the archive"),
    "7z in disguise": (
        lambda: craft(Entry("a", b"7z\xbc\xaf\x27\x1c..")),
        "a 7z archive",
    ),
    "wrong checksum file": (
        lambda: packed({"a.csv": b"x", "a.csv.md5sum": md5(b"y").encode()}),
        "does not match its checksum",
    ),
}


def test_there_are_fifty_of_them() -> None:
    assert len(HOSTILE) >= 50


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_are_refused(kind: str, tmp_path: Path) -> None:
    build, words = HOSTILE[kind]
    archive = put(tmp_path, build())
    (tmp_path / "data").mkdir()
    with pytest.raises(ArchiveError, match=words) as caught:
        extract(archive, tmp_path / "data" / "S1", limits=SMALL)
    assert caught.value.sentence.startswith("The archive upload.zip is refused: ")
    assert caught.value.sentence.isprintable()
    assert list((tmp_path / "data").iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "in"]


@pytest.mark.parametrize("end", ["long comment", "two zip64 records"])
def test_a_long_table_is_refused_before_it_is_read(end: str, tmp_path: Path) -> None:
    """However its end record is hidden from whoever looks for it first."""
    archive = put(tmp_path, long_table(20_000, end))
    tracemalloc.start()
    with pytest.raises(ArchiveError, match="more than 20 members"):
        extract(archive, tmp_path / "out", limits=SMALL)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("name", ["../../out.csv", "/etc/out.csv", "a\0b"])
def test_a_second_name_is_checked_as_the_first(name: str) -> None:
    """From Python 3.12 on zipfile takes `filename` from an extra field."""
    info = zipfile.ZipInfo("honest.csv")
    info.filename = name
    assert name_faults(info, SMALL)
    assert not name_faults(zipfile.ZipInfo("honest.csv"), SMALL)


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / "out" / ".S1.k1ll3d"
    left.mkdir(parents=True)
    (left / "half.csv").write_text("ha")
    extract(put(tmp_path, packed({"a.csv": b"a"})), tmp_path / "out" / "S1")
    assert os.listdir(tmp_path / "out") == ["S1"]


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    data = craft(Entry("../a"), Entry("b", mode=LINK), Entry("c", flags=1))
    with pytest.raises(ArchiveError) as caught:
        extract(put(tmp_path, data), tmp_path / "out")
    assert len(caught.value.faults) == 3


def test_disk_use_is_bounded_by_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies about its size is stopped at the size it gave."""
    most = 0
    real = shutil.rmtree

    def measured(path: Path, ignore_errors: bool) -> None:
        nonlocal most
        most = max(most, sum(p.stat().st_size for p in Path(path).rglob("*")))
        real(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", measured)
    with pytest.raises(ArchiveError):
        extract(put(tmp_path, streamed_bomb()), tmp_path / "out", limits=SMALL)
    assert most <= 100


def test_too_little_space_is_said_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(SpaceError, match=r"5\.00 kB are needed .* 1\.00 kB are free"):
        extract(put(tmp_path, craft(QUOTE)), tmp_path / "out", limits=SMALL)
    assert not (tmp_path / "out").exists()


def test_stops_when_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TransferCancelled):
        extract(
            put(tmp_path, craft(QUOTE)), tmp_path / "o" / "S", should_stop=lambda: True
        )
    assert list((tmp_path / "o").iterdir()) == []


def test_never_writes_into_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(TransferError, match="exists already"):
        extract(put(tmp_path, craft(QUOTE)), tmp_path / "out")
