"""One range of a file over one connection, again and again until it is whole."""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from http.client import HTTPException
from typing import TypeVar

from urllib3 import BaseHTTPResponse

from runs.transfers.base import (
    Limits,
    RemoteFile,
    ShouldStop,
    Source,
    SpaceError,
    TransferError,
    human_bytes,
    never_stop,
)
from runs.transfers.blocks import Block
from runs.transfers.body import body_of
from runs.transfers.content import refuse_web_page
from runs.transfers.crew import GATE, Lines
from runs.transfers.hashing import Follower, known_proof
from runs.transfers.http import content_range, explain, http_time
from runs.transfers.part import DIRECT_BYTES, PartFile
from runs.transfers.waiting import stoppable

READ = 1024 * 1024
# a kill costs what is not in the file yet: a block, or what came in these seconds
PIECE_SECONDS = 0.005
Answer = TypeVar("Answer")


class ObjectChanged(TransferError):
    """The object is not the one that was probed; start again."""


class NoRanges(TransferError):
    """The server sends whole files only; start again in one piece."""


class CutWhole(TransferError):
    """A transfer in one piece broke off; start again from its first byte."""


@dataclass(slots=True)
class Cursor:
    """What is left of a range: [at, end)."""

    at: int
    end: int


def delay(failures: int, fault: TransferError, limits: Limits) -> float:
    """Seconds before the next try: what the server asks for, else doubling with noise.

    A failure after new bytes (`failures` 0) is followed up at once.
    """
    if fault.retry_after is not None:
        return fault.retry_after
    if failures == 0:
        return 0.0
    step: float = min(limits.backoff * 2.0 ** (failures - 1), limits.backoff_max)
    return step * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, no secret


def may_pass(fault: TransferError, limits: Limits) -> bool:
    """Whether to wait for it here; who is to come back later than that is told so."""
    return fault.transient and (fault.retry_after or 0) <= limits.backoff_max


def retrying(
    call: Callable[[], Answer],
    limits: Limits,
    lines: Lines,
    moved: Callable[[], bool] = lambda: False,
) -> Answer:
    """`call` until it succeeds; faults that may pass are waited out, others raised.

    `moved` tells whether the last call brought something: then the count of failures
    begins anew.
    """
    failures = 0
    while True:
        lines.check()
        try:
            return call()
        except TransferError as fault:
            lines.check()
            failures = 0 if moved() else failures + 1
            if not may_pass(fault, limits):
                raise
            if failures >= limits.attempts:
                raise TransferError(
                    f"{fault.sentence} Tried {failures} times.",
                    transient=True,
                    retry_after=fault.retry_after,
                ) from fault
            lines.pause(delay(failures, fault, limits))


def enter(
    source: Source, remote: RemoteFile, limits: Limits, lines: Lines
) -> contextlib.AbstractContextManager[None]:
    """A connection to the host of `remote` may be open within."""
    return GATE.enter(source.host(remote), limits, lines, shared=source.shared)


def ask(source: Source, remote: RemoteFile, limits: Limits, lines: Lines) -> RemoteFile:
    """One probe, counted as a connection."""
    with enter(source, remote, limits, lines):
        return source.probe(remote)


def probe_all(
    source: Source,
    remotes: Sequence[RemoteFile],
    *,
    should_stop: ShouldStop = never_stop,
    limits: Limits | None = None,
) -> list[RemoteFile]:
    """Each file as it is at the source now; transient faults are waited out."""
    limits, lines = limits or Limits(), Lines()

    def probe(remote: RemoteFile) -> RemoteFile:
        return retrying(lambda: ask(source, remote, limits, lines), limits, lines)

    try:
        return stoppable(lambda: [probe(remote) for remote in remotes], should_stop)
    finally:
        lines.halt()


class Puller:
    """Pulls ranges of one file into its part file."""

    def __init__(
        self,
        source: Source,
        remote: RemoteFile,
        part: PartFile,
        follower: Follower,
        limits: Limits,
        lines: Lines,
    ) -> None:
        self.source, self.remote, self.part = source, remote, part
        self.follower, self.limits, self.lines = follower, limits, lines
        self.blocks = follower.blocks
        self.place = source.describe(remote)
        self.count: Callable[[int], None] = lambda _count: None

    def task(self, cursor: Cursor) -> Callable[[], None]:
        return lambda: self.range(cursor)

    def range(self, cursor: Cursor) -> None:
        mark = cursor.at

        def moved() -> bool:
            nonlocal mark
            before, mark = mark, cursor.at
            return cursor.at > before

        while cursor.at < cursor.end:
            retrying(lambda: self._get(cursor), self.limits, self.lines, moved)

    def whole(self) -> None:
        """The file in one piece, for servers without ranges."""
        try:
            self._get_whole()
        except TransferError as fault:
            if not may_pass(fault, self.limits):
                raise
            raise CutWhole(
                fault.sentence, transient=True, retry_after=fault.retry_after
            ) from fault

    def _conditions(self) -> dict[str, str]:
        """Headers by which the server itself refuses a changed object (412)."""
        remote = self.remote
        if remote.etag and not remote.etag.startswith("W/"):
            return {"If-Match": remote.etag}
        if remote.last_modified:
            when = format_datetime(remote.last_modified.astimezone(UTC), usegmt=True)
            return {"If-Unmodified-Since": when}
        return {}

    @contextlib.contextmanager
    def _response(self, headers: dict[str, str]) -> Iterator[BaseHTTPResponse]:
        with enter(self.source, self.remote, self.limits, self.lines):
            response = self.source.open(
                self.remote, {**self._conditions(), **headers}, self.limits
            )
            with self.lines.hold(response):
                self._check_status(response)
                yield response

    def _check_status(self, response: BaseHTTPResponse) -> None:
        if response.status in {412, 416}:
            raise ObjectChanged(
                f"{self.place} was changed again and again while it was downloaded "
                f"(status {response.status}). Wait until the source is at rest, and "
                "retry."
            )
        if response.status not in {200, 206}:
            raise self.source.refuse(self.remote, response)
        refuse_web_page(
            self.remote.name, response.headers.get("Content-Type", ""), self.place
        )
        self._check_same(response)

    def _check_same(self, response: BaseHTTPResponse) -> None:
        """For servers that ignore If-Match."""
        etag = response.headers.get("ETag", "")
        modified = http_time(response.headers.get("Last-Modified"))
        remote = self.remote
        changed = (
            etag.removeprefix("W/") != remote.etag.removeprefix("W/")
            if etag and remote.etag
            else modified and remote.last_modified and modified != remote.last_modified
        )
        if changed:
            raise ObjectChanged(
                f"{self.place} was changed while it was downloaded. Wait until the "
                "source is at rest, and retry."
            )

    def _get(self, cursor: Cursor) -> None:
        with self._response({"Range": f"bytes={cursor.at}-{cursor.end - 1}"}) as got:
            self._check_range(got, cursor)
            self._drain(got, cursor)

    def _check_range(self, response: BaseHTTPResponse, cursor: Cursor) -> None:
        whole = (cursor.at, cursor.end) == (0, self.remote.size)
        if response.status == 200:
            length = response.headers.get("Content-Length")
            if whole and length == str(self.remote.size):
                return
            raise NoRanges(f"{self.place} answers ranges with the whole file.")
        expected = (cursor.at, cursor.end, self.remote.size)
        sent = content_range(response.headers.get("Content-Range", ""))
        if (
            sent is None
            or sent[:2] != expected[:2]
            or sent[2] not in {None, expected[2]}
        ):
            raise ObjectChanged(
                f"{self.place} sent other bytes than asked for "
                f"({response.headers.get('Content-Range', 'no Content-Range')} "
                f"instead of {cursor.at}-{cursor.end - 1} of {self.remote.size}). "
                "The server or a proxy before it is at fault; try another source."
            )

    def _get_whole(self) -> None:
        with self._response({}) as response:
            cursor = Cursor(0, self._announced(response))
            self._drain(response, cursor)
            self._check_end(response, cursor)

    def _announced(self, response: BaseHTTPResponse) -> int:
        """Bytes to come; the most there is room for where the server does not say."""
        if self.remote.size is not None:
            return self.remote.size
        chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if not chunked and not known_proof(self.remote):
            raise TransferError(
                f"{self.place} does not say how long the file is, and no checksum is "
                "known, so that a cut could not be noticed. Give a checksum, or "
                "another source."
            )
        room = shutil.disk_usage(self.part.path.parent).free - self.limits.reserve_bytes
        if room <= 0:
            raise self._no_room()
        return min(self.limits.max_bytes or room, room)

    def _no_room(self) -> SpaceError:
        return SpaceError(
            f"Not enough space in {self.part.path.parent} for {self.place}, which does "
            "not say how long it is: only the reserve of "
            f"{human_bytes(self.limits.reserve_bytes)} is left. Make room there and "
            "retry."
        )

    def _check_end(self, response: BaseHTTPResponse, cursor: Cursor) -> None:
        whole = cursor.at == cursor.end
        if not (whole and self._read(response, memoryview(bytearray(1)))):
            return
        if cursor.end not in {self.remote.size, self.limits.max_bytes}:
            raise self._no_room()
        raise TransferError(
            f"{self.place} sends more than the {human_bytes(cursor.end)} announced "
            "or allowed. It was broken off and nothing was kept."
        )

    def _drain(self, response: BaseHTTPResponse, cursor: Cursor) -> None:
        """Piece by piece into memory, the file, the journal; then it may be hashed."""
        more = True
        while more and cursor.at < cursor.end:
            block = self.blocks.take(cursor.at)
            try:
                more = self._fill(block, response, cursor.end)
            finally:
                cursor.at = self._keep(block)
        if not more:
            self._check_cut(cursor)

    def _fill(self, block: Block, response: BaseHTTPResponse, end: int) -> bool:
        """Until it is full, or its time is over; False once nothing more comes.

        What will go past the page cache ends where a page does, for the rest of one
        would not. Where bytes come slowly, none waits for that.
        """
        due = time.monotonic() + PIECE_SECONDS
        while most := min(block.room, end - block.end):
            if time.monotonic() >= due:
                large = block.end - block.start >= DIRECT_BYTES
                if not (large and block.page_left):
                    break
                most = min(most, block.page_left)
            count = self._read(response, block.space(min(most, READ)))
            if not count:
                return False
            block.end += count
        return True

    def _keep(self, block: Block) -> int:
        """Where the next piece begins."""
        start, end = block.start, block.end
        self.count(end - start)
        held = False
        try:
            if end > start and self.part.write(block.data, start):
                self.blocks.hold(self.follower, block)
                held = True
        finally:
            if not held:
                self.blocks.give(block)
        if end > start:
            self._record(start, end)
        return end

    def _record(self, start: int, end: int) -> None:
        self.part.record(start, end)
        first = self.part.done[0]
        if first[0] == 0:
            self.follower.advance(first[1])

    def _check_cut(self, cursor: Cursor) -> None:
        if self.remote.size is None:
            return
        raise TransferError(
            f"{self.place} broke off at byte {cursor.at} of {self.remote.size}.",
            transient=True,
        )

    def _read(self, response: BaseHTTPResponse, memory: memoryview) -> int:
        """Bytes that may count: none that came after a halt.

        A socket of TLS that was shut down hands out what lies in it still encrypted.
        """
        try:
            count = body_of(response).read_once(memory)
        except (HTTPException, OSError, ValueError) as fault:
            self.lines.check()
            raise explain(fault, self.place) from fault
        self.lines.check()
        return count
