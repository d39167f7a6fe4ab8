"""The shared cache of references and truth sets: fetched once, for all who wait.

A row (`Reference`, `TruthSet`) says where the files are. Whoever needs one that is not
ready takes the lock of its folder and fetches it; the others wait for that lock and
find it ready. A file is in place only after its checksum, or where none is known its
size, has matched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone
from filelock import FileLock, Timeout

from benchmarks.catalog import FileEntry, ReferenceEntry, TruthSetEntry
from benchmarks.models import Cached, Reference, State, TruthSet
from runs.database import steady
from runs.preparation import Preparation, PreparationError
from runs.transfers.base import (
    Fetched,
    Progress,
    TransferError,
    human_bytes,
)
from runs.transfers.https import (
    LONG_RANGES,
    Candidate,
    HttpsSource,
    fetch_first,
    remote_file,
)

Row = TypeVar("Row", Reference, TruthSet)
WAIT_SECONDS = 1.0
ETIQUETTE = replace(LONG_RANGES, connections=4, with_sha256=True)
"""NCBI asks for no more than four connections at a time."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How to speak and when to stop while something is fetched."""

    say: Callable[[str], None]
    progress: Progress
    should_stop: Callable[[], bool]
    check: Callable[[], None]

    def reference(self, entry: ReferenceEntry) -> Reference:
        """The reference genome, bgzipped and indexed, fetched if it is not here."""
        row = _row(Reference, entry.key, build=entry.build)
        return self._ensure(row, entry.files, self._preparation.fasta)

    def truth_set(self, entry: TruthSetEntry) -> TruthSet:
        """The truth set with its index, fetched if it is not here."""
        row = _row(
            TruthSet,
            entry.key,
            build=entry.build,
            individual=entry.individual,
            kind=entry.kind,
            version=entry.version,
        )
        return self._ensure(row, entry.files, self._preparation.truth_set)

    def strata(self, key: str, beds: dict[str, FileEntry], folder: Path) -> Path:
        """A stratification list (label, path) with the BEDs that it names."""
        target = folder / f"{key}.tsv"
        with _Lock(folder / ".lock", self):
            if not target.exists():
                for bed in beds.values():
                    self._fetch(bed, folder / bed.name)
                text = "".join(f"{name}\t{bed.name}\n" for name, bed in beds.items())
                partial = target.with_suffix(".part")
                partial.write_text(text)
                partial.replace(target)
        return target

    @property
    def _preparation(self) -> Preparation:
        return Preparation(self.say, self.progress, self.should_stop)

    def _ensure(
        self,
        row: Row,
        files: dict[str, FileEntry],
        prepare: Callable[[dict[str, Path]], dict[str, Path]],
    ) -> Row:
        if not _is_ready(row):
            folder = _folder(row)
            folder.mkdir(parents=True, exist_ok=True)
            with _Lock(folder / ".lock", self):
                row.refresh_from_db()
                if not _is_ready(row):
                    self._fetch_into(row, files, prepare)
        _mark(row, used_at=timezone.now())
        return row

    def _fetch_into(
        self,
        row: Row,
        files: dict[str, FileEntry],
        prepare: Callable[[dict[str, Path]], dict[str, Path]],
    ) -> None:
        _mark(row, state=State.FETCHING, message="")
        folder = _folder(row)
        try:
            got = {
                role: self._fetch(entry, folder / entry.name)
                for role, entry in files.items()
            }
            paths = prepare({role: fetched.path for role, fetched in got.items()})
        except (TransferError, PreparationError) as error:
            _mark(row, state=State.ERROR, message=str(error))
            raise
        except BaseException:  # cancelled, handed back, or a fault of ours
            _mark(row, state=State.ABSENT)
            raise
        known = {role: _described(got.get(role), path) for role, path in paths.items()}
        _mark(
            row,
            state=State.READY,
            files=known,
            size=sum(file["size"] for file in known.values()),
            fetched_at=timezone.now(),
        )

    def _fetch(self, entry: FileEntry, target: Path) -> Fetched:
        size = "" if entry.bytes is None else f" ({human_bytes(entry.bytes)})"
        self.say(f"Fetching {entry.name}{size}.")
        source = HttpsSource()
        fetched = fetch_first(
            [
                Candidate(
                    source,
                    remote_file(
                        url, size=entry.bytes, md5=entry.md5, sha256=entry.sha256
                    ),
                )
                for url in entry.urls
            ],
            target,
            progress=self.progress,
            should_stop=self.should_stop,
            limits=ETIQUETTE,
        )
        self.say(f"{entry.name} is in place, verified by {fetched.verified_by}.")
        return fetched


class _Lock:
    """A lock file that is waited for while `check` allows it."""

    def __init__(self, path: Path, fetcher: Fetcher) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path)
        self._fetcher = fetcher

    def __enter__(self) -> None:
        said = False
        while True:
            try:
                self._lock.acquire(timeout=WAIT_SECONDS if said else 0)
            except Timeout:
                self._fetcher.check()
                if not said:
                    self._fetcher.say("Another run is fetching it; waiting.")
                said = True
            else:
                return

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def _folder(row: Cached) -> Path:
    return Path(settings.VCBENCH.data_dir, "references", row.key)


@steady
def _row(model: type[Row], key: str, **fields: Any) -> Row:
    return model.objects.get_or_create(key=key, defaults=fields)[0]


@steady
def _mark(row: Cached, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))


def _is_ready(row: Cached) -> bool:
    """Ready by its row, and its files still there with their sizes."""
    return row.state == State.READY and all(
        _has_size(row.path(role), file["size"]) for role, file in row.files.items()
    )


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _described(fetched: Fetched | None, path: Path) -> dict[str, Any]:
    """What the row keeps of a file; one that was made here has no origin."""
    known = {
        "path": str(path.relative_to(settings.VCBENCH.data_dir)),
        "size": path.stat().st_size,
    }
    if fetched is None or fetched.path != path:
        return known
    return known | {
        "md5": fetched.md5 or "",
        "sha256": fetched.sha256 or "",
        "verified_by": fetched.verified_by,
        "origin": fetched.source,
    }
