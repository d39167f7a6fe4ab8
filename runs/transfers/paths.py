"""Intake of files that already lie on the server: only below the allowed folders."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from runs.transfers.base import (
    Fetched,
    Progress,
    ShouldStop,
    TransferCancelled,
    TransferError,
    VerifiedBy,
    never_stop,
    no_progress,
)
from runs.transfers.content import check_content
from runs.transfers.hashing import BLOCK, ChecksumError
from runs.transfers.part import check_space, full_disk, sync_folder
from runs.transfers.sidecars import MOST_BYTES, is_sidecar, sums_of

MOST_FILES = 5000


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A regular file below an allowed folder; `path` holds no links any more."""

    name: str
    path: Path
    size: int
    md5: str | None = None


def _roots(roots: Sequence[Path]) -> list[Path]:
    return [root.resolve() for root in roots]


def resolve_below(path: str | Path, roots: Sequence[Path]) -> Path:
    """The real path of `path`, which must exist below one of `roots`.

    Raises TransferError. What lies outside is never told apart from what is missing.
    """
    text = str(path)
    allowed = ", ".join(str(root) for root in roots) or "none is set"
    if not text.strip() or "\0" in text or not Path(text).is_absolute():
        raise TransferError(
            f"{text!r} is not a full path. Give the path from the root, /…, of a file "
            f"or folder below an allowed folder ({allowed})."
        )
    try:
        real = Path(text).resolve(strict=True)
    except (OSError, RuntimeError):
        real = None
    if real is None or not any(real.is_relative_to(root) for root in _roots(roots)):
        raise TransferError(
            f"{text} does not exist below an allowed folder ({allowed}). Check the "
            "path; an administrator can add folders in the settings."
        )
    if not os.access(real, os.R_OK | (os.X_OK if real.is_dir() else 0)):
        raise TransferError(
            f"{text} may not be read by this server. Give its account the right to."
        )
    return real


def take_path(path: str | Path, roots: Sequence[Path]) -> list[LocalFile]:
    """The files of a path: itself, or those right in the folder and below it.

    Links are followed while they stay below `roots`; all that do not are named at
    once. Checksum files among them give the others their MD5.
    """
    real = resolve_below(path, roots)
    if real.is_file():
        return [LocalFile(real.name, real, real.stat().st_size)]
    if not real.is_dir():
        raise TransferError(f"{path} is neither a file nor a folder.")
    files, faults = _walk(real, _roots(roots))
    if faults:
        raise TransferError(
            f"The folder {path} cannot be taken: {'; '.join(faults[:20])}."
        )
    if not files:
        raise TransferError(f"The folder {path} holds no files.")
    return _with_sums(files)


def _walk(folder: Path, roots: Sequence[Path]) -> tuple[list[LocalFile], list[str]]:
    files: list[LocalFile] = []
    faults: list[str] = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(base) / name
            try:
                files.append(_local(path, folder, roots))
            except (OSError, TransferError) as fault:
                faults.append(_clause(path.relative_to(folder), fault))
        if len(files) > MOST_FILES:
            return [], [f"it holds more than {MOST_FILES} files"]
    return files, faults


def _clause(name: Path, fault: OSError | TransferError) -> str:
    if isinstance(fault, TransferError):
        return f"{name} {fault.sentence}"
    return f"{name} cannot be read ({fault.strerror})"


def _local(path: Path, folder: Path, roots: Sequence[Path]) -> LocalFile:
    real = path.resolve(strict=True)
    if not any(real.is_relative_to(root) for root in roots):
        raise TransferError("is a link that leads out of the allowed folders")
    status = real.stat()
    if not stat.S_ISREG(status.st_mode):
        raise TransferError("is not a regular file")
    if not os.access(real, os.R_OK):
        raise TransferError("may not be read by this server")
    return LocalFile(str(path.relative_to(folder)), real, status.st_size)


def _with_sums(files: Sequence[LocalFile]) -> list[LocalFile]:
    sums: dict[tuple[str, str], str] = {}
    for file in files:
        if is_sidecar(file.path.name) and file.size <= MOST_BYTES:
            text = file.path.read_text("utf-8", "replace")
            folder = str(Path(file.name).parent)
            for name, digest in sums_of(file.path.name, text).items():
                sums[folder, name] = digest
    return [
        LocalFile(file.name, file.path, file.size, sums.get(_place(file)))
        for file in files
    ]


def _place(file: LocalFile) -> tuple[str, str]:
    return str(Path(file.name).parent), Path(file.name).name


def copy_local(
    file: LocalFile,
    target: Path,
    *,
    progress: Progress = no_progress,
    should_stop: ShouldStop = never_stop,
) -> Fetched:
    """A verified copy: written beside the target, brought to the disk, renamed."""

    def check_stop() -> None:
        if should_stop():
            raise TransferCancelled

    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    check_space(target.parent, file.size)
    try:
        md5, sha256 = _copy(file, part, progress, check_stop)
        proof = _proof(file, md5)
        check_content(
            part,
            Path(file.name).name,
            "the server",
            thorough=proof == "size",
            check_stop=check_stop,
        )
        os.replace(part, target)
        sync_folder(target.parent)
    except OSError as fault:
        raise full_disk(target.parent, fault) from fault
    finally:
        part.unlink(missing_ok=True)
    return Fetched(target, file.size, md5, sha256, proof, source=str(file.path))


def _copy(
    file: LocalFile, part: Path, progress: Progress, check_stop: Callable[[], None]
) -> tuple[str, str]:
    """MD5 and SHA-256 of what was copied."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    started, done = time.monotonic(), 0
    with closing(_pieces(file.path)) as pieces, part.open("wb") as out:
        for data in pieces:
            check_stop()
            md5.update(data)
            sha256.update(data)
            out.write(data)
            done += len(data)
            progress(done, file.size, done / max(time.monotonic() - started, 1e-6))
        out.flush()
        os.fsync(out.fileno())
    if done != file.size:
        raise TransferError(
            f"{file.path} changed its size from {file.size} to {done} bytes while it "
            "was copied. Wait until it is written to its end, and retry.",
            transient=True,
        )
    return md5.hexdigest(), sha256.hexdigest()


def _pieces(path: Path) -> Generator[bytes]:
    """The content of a source; TransferError where it cannot be read."""
    try:
        with path.open("rb") as source:
            while data := source.read(BLOCK):
                yield data
    except FileNotFoundError as fault:
        raise TransferError(
            f"{path} is gone since it was listed. Put it back and retry, or start a "
            "run with the folder where it lies now."
        ) from fault
    except OSError as fault:
        raise TransferError(
            f"Reading {path} failed: {fault.strerror or fault}. Check the file, its "
            "rights and its disk, and retry."
        ) from fault


def _proof(file: LocalFile, md5: str) -> VerifiedBy:
    if file.md5 is None:
        return "size"
    if file.md5 != md5:
        raise ChecksumError(
            f"{file.path} does not match its checksum file (md5 {md5} instead of "
            f"{file.md5}). Copy it again from where it was made."
        )
    return "md5"
