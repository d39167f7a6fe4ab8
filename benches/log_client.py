"""The load of `benches.log`: many WebSocket clients in one process, cheap ones.

Reads its orders as JSON from the command line, writes `ready` and then its findings as
JSON. Frames that are the same for many clients are parsed once.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import numpy as np


@dataclass
class Orders:
    """What this load is to do."""

    port: int
    path: str
    cookie: str
    steady: int
    reconnecting: int = 0
    slow: int = 0


@dataclass
class Parsed:
    """A log frame: its sequences, and when each line was written (s since 1970)."""

    first: int
    last: int
    written: np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Findings:
    """What all clients saw, kept cheap while the load runs."""

    frames: dict[bytes, Parsed | None] = field(default_factory=dict)
    seen: list[tuple[Parsed, float]] = field(default_factory=list)
    doubled: int = 0
    disordered: int = 0
    statuses: int = 0

    def parse(self, payload: bytes) -> Parsed | dict[str, Any]:
        known = self.frames.get(payload)
        if known is not None:
            return known
        frame = json.loads(payload)
        if frame["type"] != "log":
            return dict(frame)
        entries = frame["entries"]
        sequences = [entry["sequence"] for entry in entries]
        self.disordered += sum(b != a + 1 for a, b in pairwise(sequences))
        written = [float(entry["message"].split(" ", 1)[0]) for entry in entries]
        parsed = Parsed(sequences[0], sequences[-1], np.array(written))
        self.frames[payload] = parsed
        return parsed


class Client(asyncio.Protocol):
    """A WebSocket client that reads frames of the server and answers pings."""

    def __init__(self, orders: Orders, findings: Findings, *, timed: bool) -> None:
        self.orders = orders
        self.findings = findings
        self.timed = timed
        self.last = 0
        self.ended = asyncio.Event()
        self.told = asyncio.Event()
        self.lost = asyncio.Event()
        self.reconnects = 0
        self.pauses = 0
        self.expects_loss = False
        self._buffer = bytearray()
        self._open = False
        self.transport: asyncio.Transport

    async def connect(self) -> None:
        self.lost = asyncio.Event()
        self._buffer.clear()
        self._open = False
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", self.orders.port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        host = f"127.0.0.1:{self.orders.port}"
        self.transport.write(
            f"GET {self.orders.path}?since={self.last} HTTP/1.1\r\nHost: {host}\r\n"
            f"Origin: http://{host}\r\nCookie: {self.orders.cookie}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set()
        if not (self.ended.is_set() or self.expects_loss):
            print(f"A connection was lost: {error}", file=sys.stderr, flush=True)
            os._exit(1)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        buffer = self._buffer
        buffer += data
        if not self._open:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in bytes(buffer[:20]):
                raise RuntimeError(bytes(buffer[:end]).decode())
            del buffer[: end + 4]
            self._open = True
        at = 0
        while (step := self._frame(buffer, at, now)) is not None:
            at = step
        del buffer[:at]

    def _frame(self, buffer: bytearray, at: int, now: float) -> int | None:
        """Read the frame at this place; the place of the next, None if incomplete."""
        if len(buffer) < at + 2:
            return None
        code, size, head = buffer[at] & 0x0F, buffer[at + 1], 2
        if size == 126:
            head, size = 4, int.from_bytes(buffer[at + 2 : at + 4], "big")
        elif size == 127:
            head, size = 10, int.from_bytes(buffer[at + 2 : at + 10], "big")
        end = at + head + size
        if len(buffer) < end:
            return None
        payload = bytes(memoryview(buffer)[at + head : end])
        if code == 1:
            self._told(payload, now)
        elif code == 9:
            self.transport.write(
                bytes([0x8A, 0x80 | len(payload)]) + bytes(4) + payload
            )
        elif code == 8:
            self.transport.close()
        return end

    def _told(self, payload: bytes, now: float) -> None:
        self.told.set()
        found = self.findings.parse(payload)
        if isinstance(found, dict):
            self.findings.statuses += 1
            if found["type"] == "end":
                self.ended.set()
            return
        if found.first <= self.last:
            self.findings.doubled += self.last - found.first + 1
        elif found.first > self.last + 1:
            self.findings.disordered += 1
        self.last = found.last
        if self.timed:
            self.findings.seen.append((found, now))


async def reconnect(client: Client) -> None:
    """Cut the connection at random moments and come back where it stopped."""
    client.expects_loss = True
    while not client.ended.is_set():
        await asyncio.sleep(random.uniform(0.3, 2.0))
        if client.ended.is_set():
            return
        client.transport.abort()
        await client.lost.wait()
        await asyncio.sleep(random.uniform(0, 0.5))
        client.reconnects += 1
        await client.connect()


async def read_slowly(client: Client) -> None:
    """Read a little, then not for a while."""
    while not client.ended.is_set():
        client.transport.pause_reading()
        await asyncio.sleep(1.0)
        client.transport.resume_reading()
        client.pauses += 1
        await asyncio.sleep(0.02)


async def load(orders: Orders) -> dict[str, Any]:
    findings = Findings()
    steady = [Client(orders, findings, timed=True) for _ in range(orders.steady)]
    wild = [Client(orders, findings, timed=False) for _ in range(orders.reconnecting)]
    slow = [Client(orders, findings, timed=False) for _ in range(orders.slow)]
    clients = [*steady, *wild, *slow]
    for client in clients:
        await client.connect()
    await asyncio.gather(*(client.told.wait() for client in clients))
    print("ready", flush=True)
    tasks = [asyncio.create_task(reconnect(client)) for client in wild]
    tasks += [asyncio.create_task(read_slowly(client)) for client in slow]
    started = time.monotonic()
    await asyncio.gather(*(client.ended.wait() for client in steady))
    done = time.monotonic() - started
    await asyncio.wait_for(asyncio.gather(*(c.ended.wait() for c in clients)), 120)
    for task in tasks:
        task.cancel()
    return {
        "lasts": sorted({client.last for client in clients}),
        "doubled": findings.doubled,
        "disordered": findings.disordered,
        "frames": len(findings.seen),
        "statuses": findings.statuses,
        "reconnects": sum(client.reconnects for client in wild),
        "slow_behind_s": round(time.monotonic() - started - done, 2),
        "cpu_s": round(time.process_time(), 1),
        **latencies(findings),
    }


def latencies(findings: Findings) -> dict[str, float]:
    """Milliseconds from before the write to receipt, over all lines and clients."""
    every = np.concatenate([now - frame.written for frame, now in findings.seen])
    p50, p99 = np.percentile(every * 1000, [50, 99])
    return {
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "max_ms": round(float(every.max() * 1000), 1),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(Orders(**json.loads(sys.argv[1]))))))
