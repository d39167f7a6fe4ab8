"""Memory for bytes on their way: a range fills it, the file takes it, a hash reads it.

Large writes go past the page cache (O_DIRECT), for filling that costs a third of all
CPU of a fast download. So what is still to be hashed is kept here, not read back.
"""

from __future__ import annotations

import mmap
import threading

PAGE = 4096
"""What O_DIRECT counts by, in memory and in the file; a disk asks for 512 or this."""
SIZE = 4 * 1024 * 1024
"""Bytes of one block."""


class Block:
    """The bytes [start, end) of a file, which lie in their pages as in the file's."""

    def __init__(self) -> None:
        self._memory = memoryview(mmap.mmap(-1, PAGE + SIZE))
        self._lead = 0
        self.start = self.end = 0

    def begin(self, start: int) -> None:
        self.start = self.end = start
        self._lead = start % PAGE

    @property
    def room(self) -> int:
        return self.start + SIZE - self.end

    @property
    def data(self) -> memoryview:
        return self._memory[self._lead : self._lead + self.end - self.start]

    @property
    def page_left(self) -> int:
        """Bytes from the end on to where a page of the file begins."""
        return -self.end % PAGE

    def space(self, most: int) -> memoryview:
        """Where the next bytes go, at most so many; `end` is then to be moved."""
        at = self._lead + self.end - self.start
        return self._memory[at : at + min(most, self.room)]


class Blocks:
    """Up to `count` blocks, shared by all files of a transfer.

    An owner is who hashes a file. Blocks that wait for an owner who waits himself, for
    bytes before them, are taken when there is no other: they are in the file as well.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._made = 0
        self._free: list[Block] = []
        self._held: dict[tuple[object, int], Block] = {}
        self._busy: set[object] = set()
        self._change = threading.Condition()

    def take(self, start: int) -> Block:
        """An empty block for bytes from `start` on; waits for one."""
        with self._change:
            while (block := self._find()) is None:
                self._change.wait()
        block.begin(start)
        return block

    def _find(self) -> Block | None:
        if self._free:
            return self._free.pop()
        if self._made < self._count:
            self._made += 1
            return Block()
        for owner, start in reversed(self._held):
            if owner not in self._busy:
                return self._held.pop((owner, start))
        return None

    def give(self, block: Block) -> None:
        with self._change:
            self._free.append(block)
            self._change.notify_all()

    def hold(self, owner: object, block: Block) -> None:
        """Keeps a block that is in the file until its owner claims it."""
        with self._change:
            self._held[owner, block.start] = block
            self._change.notify_all()

    def claim(self, owner: object, start: int) -> Block | None:
        """The block that begins there, if it is held; the owner gives it back."""
        with self._change:
            return self._held.pop((owner, start), None)

    def next_held(self, owner: object, at: int) -> int | None:
        """Where the owner's first held block after `at` begins."""
        with self._change:
            starts = [
                start for other, start in self._held if other is owner and start > at
            ]
        return min(starts, default=None)

    def busy(self, owner: object) -> None:
        """The owner hashes, and will claim what it can."""
        with self._change:
            self._busy.add(owner)

    def idle(self, owner: object) -> None:
        """The owner waits for bytes that have not come."""
        with self._change:
            self._busy.discard(owner)
            self._change.notify_all()

    def forget(self, owner: object) -> None:
        """The owner hashes nothing more."""
        with self._change:
            self._busy.discard(owner)
            for key in [key for key in self._held if key[0] is owner]:
                self._free.append(self._held.pop(key))
            self._change.notify_all()
