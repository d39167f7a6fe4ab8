"""Where the inputs of a run come from: a bucket, an archive, a folder, addresses.

A source lists what it offers before the first byte, then brings what was chosen.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from runs.models import Run, Source
from runs.transfers import archive, paths
from runs.transfers.addresses import AddressRules
from runs.transfers.base import (
    Fetched,
    Limits,
    Progress,
    RemoteFile,
    TransferError,
    human_bytes,
)
from runs.transfers.fetch import Job, fetch_all
from runs.transfers.https import HttpsSource, remote_file
from runs.transfers.layout import SampleFolder
from runs.transfers.s3 import S3Settings, S3Store

COPY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manner:
    """How a transfer speaks and when it stops."""

    progress: Progress
    should_stop: Callable[[], bool]
    check: Callable[[], None]


class InputSource(Protocol):
    """A place that offers the files of one sample."""

    @property
    def place(self) -> str:
        """The address as people know it."""

    def offers(self) -> list[RemoteFile]:
        """What is there. Raises TransferError."""

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        """Put the files into the folder, whole and verified. Raises TransferError."""


def source_of(run: Run) -> InputSource:
    """The place that the run's inputs come from. Raises TransferError."""
    match run.source:
        case Source.S3:
            return S3Folder(run.sample.name, run.location.get("id"))
        case Source.ZIP:
            return ZipArchive(
                Path(settings.VCBENCH.data_dir, run.location["archive"]),
                run.folder / ".unpacked",
            )
        case Source.PATH:
            return ServerFolder(Path(run.location["path"]))
        case _:
            return Addresses(run.location["urls"])


def s3_store(limits: Limits | None = None) -> S3Store:
    """The bucket of the settings. Raises TransferError."""
    own = settings.VCBENCH
    if not own.s3_bucket:
        raise TransferError(
            "No S3 bucket is set. Name it by VCBENCH_S3_BUCKET, and its credentials "
            "as usual for AWS (profile, environment or instance role)."
        )
    return S3Store(
        S3Settings(
            bucket=own.s3_bucket,
            prefix=own.s3_prefix,
            layout=own.s3_layout,
            endpoint_url=own.s3_endpoint or None,
            region=own.s3_region or None,
            profile=own.s3_profile or None,
            anonymous=own.s3_anonymous,
            when_required=own.s3_checksums == "when_required",
        ),
        limits,
    )


class S3Folder:
    """The folder of a sample in the bucket."""

    def __init__(
        self, sample_id: str, folder_id: str | None, limits: Limits | None = None
    ) -> None:
        self.sample_id = sample_id
        self.folder_id = folder_id
        self.store = s3_store(limits)
        self._folder: SampleFolder | None = None

    @property
    def place(self) -> str:
        return self._folder.address if self._folder else self.store.settings.place

    def offers(self) -> list[RemoteFile]:
        self._folder = self.choose(self.folders())
        return list(self._folder.files)

    def folders(self) -> list[SampleFolder]:
        """The choices there are, the newest first. Raises TransferError."""
        return self.store.sample_folders(self.sample_id)

    def choose(self, folders: list[SampleFolder]) -> SampleFolder:
        """The folder that was asked for, or the only one. Raises TransferError."""
        if not folders:
            raise TransferError(self._nothing())
        if self.folder_id is None and len(folders) == 1:
            return folders[0]
        for folder in folders:
            if folder.id == self.folder_id:
                return folder
        choices = ", ".join(
            f"{folder.id} ({len(folder.files)} files, {human_bytes(folder.size)})"
            for folder in folders
        )
        problem = (
            f"has no folder {self.folder_id}"
            if self.folder_id
            else f"has {len(folders)} folders; say which one to take"
        )
        raise TransferError(f"{self.sample_id} {problem}. There are: {choices}.")

    def _nothing(self) -> str:
        where = self.store.settings
        known = self.store.samples()
        some = ", ".join(known[:10]) + (" …" if len(known) > 10 else "")
        have = f"The samples there are: {some}." if known else "No sample is there."
        return (
            f"No files of {self.sample_id} were found in {where.place}, looked for by "
            f"the layout {where.layout}. {have}"
        )

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        return fetch_all(
            self.store,
            [Job(file, folder / file.name) for file in files],
            progress=manner.progress,
            should_stop=manner.should_stop,
        )


class Addresses:
    """Files by URL, of hosts in the allow-list."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = urls
        self.source = HttpsSource(
            rules=AddressRules(
                hosts=tuple(settings.VCBENCH.url_hosts),
                allow_loopback=settings.VCBENCH.url_private,
                allow_http=settings.VCBENCH.url_private,
            )
        )

    @property
    def place(self) -> str:
        return ", ".join(self.source.describe(remote_file(url)) for url in self.urls)

    def offers(self) -> list[RemoteFile]:
        return [self.source.probe(remote_file(url)) for url in self.urls]

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        return fetch_all(
            self.source,
            [Job(file, folder / file.name) for file in files],
            progress=manner.progress,
            should_stop=manner.should_stop,
        )


class ServerFolder:
    """A folder or a file on the server, below an allowed root."""

    def __init__(self, path: Path) -> None:
        self.path = paths.allowed_path(path, settings.VCBENCH.path_roots)

    @property
    def place(self) -> str:
        return str(self.path)

    def offers(self) -> list[RemoteFile]:
        return list_folder(self.path)

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        return copy_all(files, folder, manner)


class ZipArchive:
    """An uploaded archive, unpacked beside the run under its limits."""

    def __init__(self, path: Path, unpacked: Path) -> None:
        self.path = path
        self.unpacked = unpacked

    @property
    def place(self) -> str:
        return self.path.name

    def offers(self) -> list[RemoteFile]:
        if not self.unpacked.is_dir():
            archive.extract(self.path, self.unpacked)
        return list_folder(self.unpacked)

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        brought = copy_all(files, folder, manner)
        shutil.rmtree(self.unpacked)
        return brought


def list_folder(path: Path) -> list[RemoteFile]:
    """The files of a folder, with those of the folders in it; or the file itself."""
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    return [
        RemoteFile(name=file.name, size=file.stat().st_size, address=str(file))
        for file in found
        if file.is_file() and not file.is_symlink()
    ]


def copy_all(
    files: Sequence[RemoteFile], folder: Path, manner: Manner
) -> list[Fetched]:
    """Copies of files of this machine, checked against the MD5 where one is known."""
    total = sum(file.size or 0 for file in files)
    copied: list[Fetched] = []
    for file in files:
        before = sum(one.size for one in copied)
        copied.append(_copy(file, folder / file.name, manner, before, total))
    return copied


def _copy(
    file: RemoteFile, target: Path, manner: Manner, before: int, total: int
) -> Fetched:
    partial = target.with_name(f"{target.name}.part")
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    with Path(file.address).open("rb") as source, partial.open("wb") as sink:
        while block := source.read(COPY_BYTES):
            manner.check()
            sink.write(block)
            digest.update(block)
            size += len(block)
            manner.progress(before + size, total, 0.0)
    if file.md5 and file.md5 != digest.hexdigest():
        raise TransferError(
            f"{file.name} has the MD5 {digest.hexdigest()}, but its .md5sum file says "
            f"{file.md5}. The file is damaged, or the .md5sum file is of another."
        )
    partial.replace(target)
    return Fetched(
        path=target,
        size=size,
        md5=digest.hexdigest(),
        sha256=None,
        verified_by="md5" if file.md5 else "size",
        source=file.address,
    )
