"""Where the inputs of a run come from: a bucket, an archive, a folder, addresses.

A source lists what it offers before the first byte, then brings what was chosen.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from runs.models import Run, Source
from runs.transfers.addresses import AddressRules
from runs.transfers.archive import extract
from runs.transfers.archive_table import ArchiveLimits
from runs.transfers.base import (
    Fetched,
    Limits,
    Progress,
    RemoteFile,
    TransferError,
    human_bytes,
)
from runs.transfers.fetch import Job, fetch_all
from runs.transfers.https import LONG_RANGES, HttpsSource, remote_file
from runs.transfers.layout import SampleFolder
from runs.transfers.paths import LocalFile, copy_local, take_path
from runs.transfers.pull import probe_all
from runs.transfers.s3 import S3Settings, S3Store
from runs.transfers.waiting import stoppable

UNPACKED = ".unpacked"
"""The folder of a run in which its archive lies unpacked, until it has been brought."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a transfer speaks and when it stops."""

    progress: Progress
    should_stop: Callable[[], bool]


class InputSource(Protocol):
    """A place that offers the files of one sample."""

    @property
    def place(self) -> str:
        """The address as people know it."""

    def offers(self, manner: Manner) -> list[RemoteFile]:
        """What is there. Raises TransferError."""

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        """Put the files into the folder, whole and verified. Raises TransferError."""

    def clear(self) -> None:
        """Remove what was only needed on the way; everything has been brought."""


class Kept:
    """A source whose files stay where they are: nothing lies on the way."""

    def clear(self) -> None:
        """Nothing to remove."""


def source_of(run: Run) -> InputSource:
    """The place that the run's inputs come from. Raises TransferError."""
    match run.source:
        case Source.S3:
            return S3Folder(run.sample.name, run.location.get("id"))
        case Source.ZIP:
            return ZipArchive(
                Path(settings.VCBENCH.data_dir, run.location["archive"]),
                run.folder / UNPACKED,
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


class S3Folder(Kept):
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

    def offers(self, manner: Manner) -> list[RemoteFile]:
        self._folder = stoppable(
            lambda: self.choose(self.folders()), manner.should_stop
        )
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
        missing = (
            f"No files of {self.sample_id} were found in {where.place}, looked for by "
            f"the layout {where.layout}."
        )
        try:
            known = self.store.samples()
        except TransferError:  # a help only, which needs more rights or time
            return missing
        some = ", ".join(known[:10]) + (" …" if len(known) > 10 else "")
        have = f"The samples there are: {some}." if known else "No sample is there."
        return f"{missing} {have}"

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        return fetch_all(
            self.store,
            [Job.into(folder, file) for file in files],
            progress=manner.progress,
            should_stop=manner.should_stop,
        )


def address_rules() -> AddressRules:
    """What the settings allow users to have fetched."""
    own = settings.VCBENCH
    return AddressRules(
        hosts=tuple(own.url_hosts),
        allow_loopback=own.url_private,
        allow_http=own.url_private,
    )


class Addresses(Kept):
    """Files by URL, of hosts in the allow-list."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = urls
        self.source = HttpsSource(rules=address_rules())

    @property
    def place(self) -> str:
        return ", ".join(self.source.describe(remote_file(url)) for url in self.urls)

    def offers(self, manner: Manner) -> list[RemoteFile]:
        remotes = [remote_file(url) for url in self.urls]
        return probe_all(self.source, remotes, should_stop=manner.should_stop)

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        return fetch_all(
            self.source,
            [Job.into(folder, file) for file in files],
            progress=manner.progress,
            should_stop=manner.should_stop,
            limits=LONG_RANGES,
        )


class ServerFolder(Kept):
    """A folder or a file on the server, below an allowed root."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        return str(self.path)

    def offers(self, manner: Manner) -> list[RemoteFile]:
        return offered(take_path(self.path, settings.VCBENCH.path_roots))

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        return copy_all(files, folder, manner)


class ZipArchive:
    """An uploaded archive, unpacked beside the run under the limits of an upload."""

    def __init__(self, path: Path, unpacked: Path) -> None:
        self.path = path
        self.unpacked = unpacked

    @property
    def place(self) -> str:
        return self.path.name

    def offers(self, manner: Manner) -> list[RemoteFile]:
        if not self.unpacked.is_dir():
            extract(
                self.path,
                self.unpacked,
                limits=ArchiveLimits(
                    total_bytes=round(settings.VCBENCH.upload_max_gb * 10**9)
                ),
                progress=manner.progress,
                should_stop=manner.should_stop,
            )
        return offered(take_path(self.unpacked, [self.unpacked.parent]))

    def bring(
        self, files: Sequence[RemoteFile], folder: Path, manner: Manner
    ) -> list[Fetched]:
        return copy_all(files, folder, manner)

    def clear(self) -> None:
        shutil.rmtree(self.unpacked)


def offered(files: Sequence[LocalFile]) -> list[RemoteFile]:
    """Files of this machine as a source offers them."""
    return [
        RemoteFile(
            name=file.path.name, size=file.size, md5=file.md5, address=str(file.path)
        )
        for file in files
    ]


def copy_all(
    files: Sequence[RemoteFile], folder: Path, manner: Manner
) -> list[Fetched]:
    """Copies of files of this machine, checked against the MD5 where one is known."""
    total = sum(file.size or 0 for file in files)
    copied: list[Fetched] = []
    for file in files:
        before = sum(one.size for one in copied)

        def told(done: int, _total: int | None, rate: float, at: int = before) -> None:
            manner.progress(at + done, total, rate)

        copied.append(
            copy_local(
                LocalFile(file.name, Path(file.address), file.size or 0, file.md5),
                folder / file.name,
                progress=told,
                should_stop=manner.should_stop,
            )
        )
    return copied
