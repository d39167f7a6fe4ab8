"""Memory that ranges fill, and hashes empty or lose."""

from __future__ import annotations

import threading

from runs.transfers.blocks import PAGE, SIZE, Block, Blocks
from tests.transfers.conftest import fill


def filled(blocks: Blocks, start: int, data: bytes = b"data") -> Block:
    block = blocks.take(start)
    return fill(block, data)


def hashing(blocks: Blocks) -> tuple[object, Block]:
    """An owner that hashes, and the block that it holds."""
    owner, block = object(), filled(blocks, 0)
    blocks.busy(owner)
    blocks.hold(owner, block)
    return owner, block


def taker(blocks: Blocks, start: int) -> tuple[threading.Thread, list[Block]]:
    """A thread that takes a block, and what it got."""
    got: list[Block] = []
    thread = threading.Thread(target=lambda: got.append(blocks.take(start)))
    thread.start()
    return thread, got


def test_a_block_keeps_its_bytes_in_the_pages_of_the_file() -> None:
    block = Block()
    block.begin(3 * PAGE + 5)
    fill(block, b"some")
    fill(block, b"thing")
    assert bytes(block.data) == b"something"
    assert (block.start, block.end) == (3 * PAGE + 5, 3 * PAGE + 14)
    assert block.room == SIZE - 9
    assert block.page_left == PAGE - 14
    fill(block, bytes(SIZE))
    assert (block.room, len(block.data)) == (0, SIZE)
    block.begin(0)
    assert (bytes(block.data), block.room) == (b"", SIZE)


def test_an_owner_claims_what_it_holds_and_nobody_elses() -> None:
    blocks = Blocks(2)
    one, other = object(), object()
    first, second = filled(blocks, 0), filled(blocks, 100)
    blocks.hold(one, first)
    blocks.hold(other, second)
    assert blocks.claim(one, 100) is None
    assert blocks.next_held(one, 0) is None
    assert blocks.next_held(other, 0) == 100
    assert blocks.claim(one, 0) is first
    assert blocks.claim(one, 0) is None
    assert blocks.claim(other, 100) is second


def test_who_needs_a_block_takes_the_newest_of_an_owner_that_waits() -> None:
    blocks = Blocks(2)
    owner = object()
    first, second = filled(blocks, 0), filled(blocks, 100)
    blocks.hold(owner, first)
    blocks.hold(owner, second)
    assert blocks.take(7) is second
    assert (second.start, second.end) == (7, 7)
    assert blocks.claim(owner, 100) is None
    assert blocks.claim(owner, 0) is first


def test_an_owner_that_hashes_keeps_its_blocks_until_it_waits() -> None:
    blocks = Blocks(1)
    owner, block = hashing(blocks)
    thread, got = taker(blocks, 7)
    thread.join(0.05)
    assert thread.is_alive()
    blocks.idle(owner)
    thread.join(10)
    assert got == [block]


def test_a_block_given_back_goes_to_who_waits() -> None:
    blocks = Blocks(1)
    block = blocks.take(0)
    thread, got = taker(blocks, 7)
    blocks.give(block)
    thread.join(10)
    assert got == [block]


def test_what_is_forgotten_is_free() -> None:
    blocks = Blocks(1)
    owner, block = hashing(blocks)
    blocks.forget(owner)
    assert blocks.claim(owner, 0) is None
    assert blocks.take(7) is block
