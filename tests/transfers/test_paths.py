"""Server paths: what lies below the allowed folders is taken, nothing else."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from runs.transfers.base import SpaceError, TransferCancelled, TransferError
from runs.transfers.paths import LocalFile, copy_local, resolve_below, take_path
from tests.transfers.conftest import gz, md5, sha256


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "allowed" / "S1" / "sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("x")
    return tmp_path / "allowed"


def test_takes_a_folder_with_its_checksums(root: Path) -> None:
    body = gz()
    (root / "S1" / "a.vcf.gz").write_bytes(body)
    (root / "S1" / "a.vcf.gz.md5sum").write_text(md5(body))
    (root / "S1" / "sub" / "a.vcf.gz").write_bytes(b"of another folder")
    (root / "S1" / ".hidden").write_bytes(b"x")
    files = {file.name: file for file in take_path(root / "S1", [root])}
    assert sorted(files) == ["a.vcf.gz", "a.vcf.gz.md5sum", "sub/a.vcf.gz"]
    assert files["a.vcf.gz"].md5 == md5(body)
    assert files["sub/a.vcf.gz"].md5 is None


def test_takes_one_file(root: Path) -> None:
    (root / "a.csv").write_text("abc")
    [file] = take_path(str(root / "a.csv"), [root])
    assert (file.name, file.size) == ("a.csv", 3)


@pytest.mark.parametrize(
    "path", ["", "  ", "relative/x", "../x", "~/x", "file:///etc/passwd", "/a\0b"]
)
def test_what_is_no_full_path(root: Path, path: str) -> None:
    with pytest.raises(TransferError, match="not a full path"):
        resolve_below(path, [root])


def test_outside_and_missing_sound_the_same(root: Path) -> None:
    for path in (
        root / ".." / "outside" / "secret",
        root / "missing",
        Path("/etc/passwd"),
        root.parent / "allowed-too",
    ):
        with pytest.raises(TransferError, match="does not exist below an allowed"):
            resolve_below(path, [root])


def test_no_folder_is_allowed_by_default(root: Path) -> None:
    with pytest.raises(TransferError, match="none is set"):
        resolve_below(root, [])


def test_links_that_lead_out_are_refused_all_at_once(root: Path) -> None:
    (root / "S1" / "one").symlink_to(root.parent / "outside" / "secret")
    (root / "S1" / "two").symlink_to("/etc/passwd")
    (root / "S1" / "dangling").symlink_to(root / "nowhere")
    with pytest.raises(TransferError) as caught:
        take_path(root / "S1", [root])
    assert caught.value.sentence.count("leads out of the allowed") == 2
    assert "dangling cannot be read" in caught.value.sentence
    (root / "link").symlink_to(root.parent / "outside")
    with pytest.raises(TransferError, match="does not exist below"):
        take_path(root / "link", [root])


def test_links_inside_are_followed(root: Path) -> None:
    (root / "real.csv").write_text("abc")
    (root / "S1" / "link.csv").symlink_to(root / "real.csv")
    [file] = take_path(root / "S1", [root])
    assert (file.name, file.path) == ("link.csv", root / "real.csv")


def test_pipes_are_no_files(root: Path) -> None:
    os.mkfifo(root / "S1" / "pipe")
    with pytest.raises(TransferError, match="pipe is not a regular file"):
        take_path(root / "S1", [root])


def test_an_empty_folder(root: Path) -> None:
    with pytest.raises(TransferError, match="holds no files"):
        take_path(root / "S1", [root])


def test_copies_and_verifies(root: Path, tmp_path: Path) -> None:
    body = gz()
    (root / "S1" / "a.vcf.gz").write_bytes(body)
    (root / "S1" / "a.md5").write_text(md5(body))
    (root / "S1" / "a.vcf.gz.md5").write_text(md5(body).upper() + "  x\n")
    file = next(f for f in take_path(root / "S1", [root]) if f.name == "a.vcf.gz")
    got = copy_local(file, tmp_path / "to" / "a.vcf.gz")
    assert got.path.read_bytes() == body
    assert (got.md5, got.sha256, got.verified_by) == (md5(body), sha256(body), "md5")


@pytest.mark.parametrize(
    ("body", "sidecar", "words"),
    [
        (gz(), md5(b"other"), "does not match its checksum file"),
        (b"<!DOCTYPE html><p>", None, "web page instead"),
        (b"plain", None, "not gzip"),
        (gz()[:-5], None, "cut off"),
        (b"", None, "empty"),
    ],
)
def test_copies_nothing_that_is_damaged(
    root: Path, tmp_path: Path, body: bytes, sidecar: str | None, words: str
) -> None:
    (root / "S1" / "a.vcf.gz").write_bytes(body)
    if sidecar:
        (root / "S1" / "a.vcf.gz.md5sum").write_text(sidecar)
    file = take_path(root / "S1", [root])[0]
    with pytest.raises(TransferError, match=words):
        copy_local(file, tmp_path / "to" / "a.vcf.gz")
    assert list((tmp_path / "to").iterdir()) == []


def test_a_stopped_copy_leaves_nothing(root: Path, tmp_path: Path) -> None:
    (root / "a.csv").write_text("abc")
    [file] = take_path(root / "a.csv", [root])
    with pytest.raises(TransferCancelled):
        copy_local(file, tmp_path / "to" / "a.csv", should_stop=lambda: True)
    assert list((tmp_path / "to").iterdir()) == []


def test_a_copy_that_would_not_fit(root: Path, tmp_path: Path) -> None:
    with (root / "big.csv").open("wb") as handle:
        handle.truncate(1 << 43)
    [file] = take_path(root / "big.csv", [root])
    with pytest.raises(SpaceError, match="Not enough space"):
        copy_local(file, tmp_path / "to" / "big.csv")


def test_a_stop_is_seen_while_a_copy_is_unpacked(root: Path, tmp_path: Path) -> None:
    body = gzip.compress(bytes(64_000_000))
    (root / "a.vcf.gz").write_bytes(body)
    [file] = take_path(root / "a.vcf.gz", [root])
    copied: list[int] = []
    with pytest.raises(TransferCancelled):
        copy_local(
            file,
            tmp_path / "to" / "a.vcf.gz",
            progress=lambda done, _total, _rate: copied.append(done),
            should_stop=lambda: copied == [len(body)],
        )
    assert list((tmp_path / "to").iterdir()) == []


def test_a_file_that_is_gone_is_named(root: Path, tmp_path: Path) -> None:
    path = root / "a.csv"
    path.write_text("abc")
    [file] = take_path(path, [root])
    path.unlink()
    with pytest.raises(TransferError) as told:
        copy_local(file, tmp_path / "to" / "a.csv")
    assert told.value.sentence == (
        f"{path} is gone since it was listed. Put it back and retry, or start a run "
        "with the folder where it lies now."
    )
    assert list((tmp_path / "to").iterdir()) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = LocalFile("a.csv", tmp_path, 3)
    with pytest.raises(TransferError, match=f"Reading {tmp_path} failed: Is a dir"):
        copy_local(folder, tmp_path / "to" / "a.csv")
