"""The downloader: files from any HTTP source, resumable, verified, atomic.

A file is pulled in ranges over a few connections into `<target>.part`, hashed while
it grows, verified, brought to the disk and renamed. Bytes that are in the part file
are not asked for again, whatever ended the earlier attempt.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runs.transfers.base import (
    Fetched,
    Limits,
    Progress,
    RemoteFile,
    ShouldStop,
    Source,
    TransferCancelled,
    TransferError,
    human_bytes,
    is_file_name,
    never_stop,
    no_progress,
)
from runs.transfers.blocks import Blocks
from runs.transfers.content import check_content
from runs.transfers.crew import Batch, Crew, Lines, Meter, Task
from runs.transfers.hashing import ChecksumError, Digests, Follower, known_proof, verify
from runs.transfers.part import (
    Identity,
    PartFile,
    check_space,
    clear_journal,
    keep_names,
    missing,
)
from runs.transfers.pull import (
    Cursor,
    CutWhole,
    NoRanges,
    ObjectChanged,
    Puller,
    ask,
    delay,
    retrying,
)

TICK = 0.2  # seconds between two looks at `should_stop`
SYNC_SECONDS = 2.0
BLOCKS = 4
"""Blocks of memory for a connection: two are a chunk, two wait to be hashed."""
HALT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Job:
    """One file to be put at `target`, whose folder is made where it is missing."""

    remote: RemoteFile
    target: Path

    @classmethod
    def into(cls, folder: Path, remote: RemoteFile) -> Job:
        """In `folder` under its own name, which comes from outside and is no path.

        Raises TransferError for a name that is.
        """
        if not is_file_name(remote.name):
            raise TransferError(
                f"{remote.name[:300]!r} is no name that a file can have here. Give it "
                "a plain one where it comes from."
            )
        return cls(remote, folder / remote.name)


def fetch(
    source: Source,
    remote: RemoteFile,
    target: Path,
    *,
    progress: Progress = no_progress,
    should_stop: ShouldStop = never_stop,
    limits: Limits | None = None,
) -> Fetched:
    """Brings one file to `target`. What `remote` says of size and checksum must hold.

    Raises TransferCancelled, or TransferError with a sentence for the user.
    """
    return fetch_all(
        source,
        [Job(remote, target)],
        progress=progress,
        should_stop=should_stop,
        limits=limits,
    )[0]


def fetch_all(
    source: Source,
    jobs: Sequence[Job],
    *,
    progress: Progress = no_progress,
    should_stop: ShouldStop = never_stop,
    limits: Limits | None = None,
) -> list[Fetched]:
    """Brings several files, the largest first of all, then from the smallest on.

    Results are in jobs' order. All share the same few connections, which take range
    after range, of the largest and the smallest file in turn: small ones are work for
    the processor, large ones for the disk. Files are many at a time, so that the
    connections are busy while others are asked for, verified or synced.
    The first fault ends all; the parts stay, so that a retry goes on from there.
    """
    limits = limits or Limits()
    meter = Meter(limits)
    order = sorted(range(len(jobs)), key=lambda i: jobs[i].remote.size or 0)
    files = Crew(limits.files_at_once, "file")
    ranges = Crew(limits.connections, "range")
    blocks = Blocks(BLOCKS * max(1, limits.connections))
    transfers = [
        FileTransfer(source, job, limits, meter, ranges, blocks) for job in jobs
    ]
    batch = files.give([transfers[i].run for i in [*order[-1:], *order[:-1]]])
    try:
        _watch(batch, transfers, meter, progress, should_stop)
    finally:
        for transfer in transfers:
            transfer.lines.halt()
        until = time.monotonic() + HALT_SECONDS
        for crew in (files, ranges):
            crew.close(until)
    keep_names(job.target for job in jobs)
    progress(meter.done, meter.done, meter.rate())
    return [transfer.result for transfer in transfers if transfer.result]


def _watch(
    batch: Batch,
    transfers: Sequence[FileTransfer],
    meter: Meter,
    progress: Progress,
    should_stop: ShouldStop,
) -> None:
    while not batch.wait(TICK):
        if should_stop():
            raise TransferCancelled
        sizes = [transfer.remote.size for transfer in transfers]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        progress(meter.done, total, meter.rate())
        busy = [t.place for t in transfers if t.pulling and t.lines.busy]
        meter.check_stall(bool(busy), "".join(busy[:1]))
    if batch.fault:
        raise batch.fault


class FileTransfer:
    """One file on its way; `run` is called in a thread of its own."""

    def __init__(
        self,
        source: Source,
        job: Job,
        limits: Limits,
        meter: Meter,
        ranges: Crew,
        blocks: Blocks,
    ) -> None:
        self.source, self.limits, self.meter = source, limits, meter
        self.ranges, self.blocks = ranges, blocks
        self.wanted = self.remote = job.remote
        self.target = job.target
        self.place = source.describe(job.remote)
        self.lines = Lines()
        self.result: Fetched | None = None
        self.pulling = False
        self._counted = 0
        self._received = 0
        self._no_ranges = False
        self._trusted = job.remote.listed

    def run(self) -> None:
        """Starts again where the object changed, or what came was not what was sent."""
        seen: Counter[type] = Counter()
        while self.result is None:
            try:
                self.result = self._once()
            except (ObjectChanged, NoRanges, ChecksumError, CutWhole) as fault:
                seen[type(fault)] += 1
                self._start_again(fault, seen[type(fault)])

    def _start_again(self, fault: TransferError, times: int) -> None:
        """Raises `fault` where it came too often; else makes ready for another try."""
        allowed = {
            ObjectChanged: self.limits.restarts,
            CutWhole: self.limits.attempts - 1,
        }
        if times > allowed.get(type(fault), 1):
            raise fault
        self._no_ranges |= isinstance(fault, NoRanges)
        self._count(-self._counted, received=False)
        if isinstance(fault, CutWhole):
            self.lines.pause(delay(times, fault, self.limits))

    def _count(self, count: int, *, received: bool = True) -> None:
        self._counted += count
        self._received += count if received else 0
        self.meter.add(count, received=received)

    def _once(self) -> Fetched:
        self.remote = self._as_listed() or self._probe()
        if found := self._in_place():
            return found
        part = PartFile(self.target, Identity.of(self.remote))
        try:
            if not self._in_ranges:
                part.reset()
            resumed = part.bytes_done
            self._count(resumed, received=False)
            self._check_room(resumed)
            digests = self._pull(part)
            return self._publish(part, digests, resumed)
        except (TransferError, TransferCancelled):
            if self.remote.size is None:  # such a part is never taken up again
                part.discard()
            raise
        finally:
            part.close()

    @property
    def _in_ranges(self) -> bool:
        return self.remote.accepts_ranges and self.remote.size is not None

    def _as_listed(self) -> RemoteFile | None:
        """What a listing said, where a checksum proves the content: one request less.

        It is asked for under its ETag. Where that does not hold any more, or anything
        else was not as expected, the next try asks what there is.
        """
        wanted, trusted = self.wanted, self._trusted
        self._trusted = False
        if not (trusted and wanted.etag and (wanted.sha256 or wanted.md5)):
            return None
        self._check_size(wanted.size)
        return wanted

    def _ask(self) -> RemoteFile:
        return ask(self.source, self.wanted, self.limits, self.lines)

    def _probe(self) -> RemoteFile:
        """What is there now, held against what the caller knows of it."""
        found = retrying(self._ask, self.limits, self.lines)
        wanted = self.wanted
        if found.size is None:
            found = replace(found, size=wanted.size)
        self._check_size(found.size)
        return replace(
            found,
            md5=wanted.md5 or found.md5,
            sha256=wanted.sha256 or found.sha256,
            accepts_ranges=found.accepts_ranges and not self._no_ranges,
        )

    def _check_size(self, size: int | None) -> None:
        wanted, most = self.wanted, self.limits.max_bytes
        # a listing may be older than the object, a catalogue may not
        if wanted.size is not None and not wanted.etag and size != wanted.size:
            raise TransferError(
                f"{self.place} has {size} bytes, but {wanted.size} are expected. The "
                "file was replaced or cut at the source: check the address, or correct "
                "the catalogue."
            )
        if most is not None and size is not None and size > most:
            raise TransferError(
                f"{self.place} has {human_bytes(size)}, more than the "
                f"{human_bytes(most)} allowed."
            )

    def _in_place(self) -> Fetched | None:
        """The target itself, where an earlier attempt has put it and it still holds."""
        remote = self.remote
        if not known_proof(remote) or not self.target.is_file():
            return None
        if remote.size is not None and self.target.stat().st_size != remote.size:
            return None
        digests = Digests(remote, self.limits.with_sha256)
        fd = os.open(self.target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            digests = self._hash(fd, self.target.stat().st_size, digests)
            proof = verify(remote, digests, self.place)
        except ChecksumError:
            return None
        finally:
            os.close(fd)
        clear_journal(self.target)
        self._count(digests.size, received=False)
        return self._fetched(digests, proof, digests.size)

    def _hash(self, fd: int, size: int, digests: Digests) -> Digests:
        follower = Follower(fd, digests, self.blocks)
        follower.start()
        follower.advance(size)
        try:
            return self._caught_up(follower, size)
        finally:
            follower.abort()

    def _caught_up(self, follower: Follower, size: int) -> Digests:
        while not follower.reached(size, TICK):
            self.lines.check()
        return follower.finish()

    def _check_room(self, resumed: int) -> None:
        if self.remote.size is not None:
            check_space(
                self.target.parent,
                self.remote.size - resumed,
                self.limits.reserve_bytes,
            )

    def _pull(self, part: PartFile) -> Digests:
        """All bytes into the part file, and their digests."""
        digests = Digests(self.remote, self.limits.with_sha256)
        follower = Follower(part.fd, digests, self.blocks)
        follower.start()
        if part.done and part.done[0][0] == 0:
            follower.advance(part.done[0][1])
        try:
            self.pulling = True
            self._pull_spans(part, follower)
            self.pulling = False
            size = part.done[0][1] if part.done else 0
            if not follower.reached(size, TICK):
                part.sync()  # the disk works while hashing catches up
            return self._caught_up(follower, size)
        finally:
            self.pulling = False
            follower.abort()

    def _pull_spans(self, part: PartFile, follower: Follower) -> None:
        lines = self.lines.child()
        puller = Puller(self.source, self.remote, part, follower, self.limits, lines)
        puller.count = self._count
        tasks: list[Task] = [puller.whole]
        if self._in_ranges:
            spans = missing(part.done, self.remote.size or 0, self._range_bytes)
            tasks = [puller.task(Cursor(*span)) for span in spans]
        self._attend(self.ranges.give(tasks, self.remote.size or 0), part, lines)

    @property
    def _range_bytes(self) -> int:
        """Long ranges are shorter where a connection would have nothing to do."""
        even = -(-(self.remote.size or 0) // self.limits.connections)
        return min(self.limits.chunk_bytes, max(even, Limits().chunk_bytes))

    def _attend(self, batch: Batch, part: PartFile, lines: Lines) -> None:
        """Waits for the ranges of this file and syncs meanwhile.

        One that hangs in a connect is left alone at the end. It writes nothing more.
        """
        try:
            while not batch.wait(SYNC_SECONDS):
                lines.check()
                part.sync()
            if batch.fault:
                raise batch.fault
        finally:
            lines.halt()
            batch.join(HALT_SECONDS)

    def _publish(self, part: PartFile, digests: Digests, resumed: int) -> Fetched:
        try:
            proof = verify(self.remote, digests, self.place)
            check_content(
                part.path,
                self.remote.name,
                self.place,
                thorough=proof == "size",
                check_stop=self.lines.check,
            )
        except TransferError:
            part.discard()
            raise
        self.lines.check()
        part.publish(digests.size)
        return self._fetched(digests, proof, resumed)

    def _fetched(self, digests: Digests, proof: object, resumed: int) -> Fetched:
        return Fetched(
            path=self.target,
            size=digests.size,
            md5=digests.hex("md5"),
            sha256=digests.hex("sha256"),
            verified_by=proof,  # type: ignore[arg-type]
            resumed_bytes=resumed,
            downloaded_bytes=self._received,
            source=self.place,
            crc64nvme=digests.base64("crc64nvme"),
        )
