"""Sockets on which nothing happens for ten minutes: are they open, and do they hear?

    python benches/idle.py [--seconds 600] [--sockets 200] [--postgres]

The sockets watch a running run that says nothing. After that time the run writes a few
lines and ends. Prints what came as one JSON line last; ends with 1 unless every socket
was still open and was sent every line, then closed after the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benches.log import Bench, cpu, serving  # noqa: E402
from benches.log_client import Client, Findings, Orders, latencies  # noqa: E402

if TYPE_CHECKING:
    from runs.models import Run

RATE, SECONDS = 10, 1
"""Lines a second after the silence, and for how long."""
PATIENCE = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    with serving(postgres=options.postgres, seconds=SECONDS) as bench:
        run = bench.run(status="running")
        orders = Orders(
            bench.port, f"/ws/runs/{run.uuid}/", bench.cookie, options.sockets
        )
        before = cpu(bench.web_pid)
        found = asyncio.run(hold(bench, run, orders, options.seconds))
        found["web_cpu_s"] = round(cpu(bench.web_pid) - before, 1)
    print(json.dumps(found))
    whole = {found["open"], found["told_all"], found["ended"]} == {options.sockets}
    return 0 if whole and not found["doubled"] + found["disordered"] else 1


async def hold(
    bench: Bench, run: Run, orders: Orders, seconds: float
) -> dict[str, Any]:
    findings = Findings()
    clients = [Client(orders, findings, timed=True) for _ in range(orders.steady)]
    for client in clients:
        client.expects_loss = True  # it is counted, not fatal
        await client.connect()
    await asyncio.gather(*(client.told.wait() for client in clients))
    print(f"{len(clients)} sockets are open; nothing happens now.", flush=True)
    await asyncio.sleep(seconds)
    still = sum(not client.lost.is_set() for client in clients)
    written = await asyncio.to_thread(write, run)
    ends = [asyncio.ensure_future(client.ended.wait()) for client in clients]
    await asyncio.wait(ends, timeout=PATIENCE)
    return {
        "idle_seconds": seconds,
        "sockets": len(clients),
        "open": still,
        "lines": written,
        "told_all": sum(client.last == written for client in clients),
        "ended": sum(client.ended.is_set() for client in clients),
        "doubled": findings.doubled,
        "disordered": findings.disordered,
        **(latencies(findings) if findings.seen else {}),
    }


def write(run: Run) -> int:
    """A few lines and the end, as a worker writes them; how many there were."""
    task = json.dumps([run.pk, str(run.claim), RATE, SECONDS])
    done = subprocess.run(
        [sys.executable, "-m", "benches.log_writer", task],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    written: int = json.loads(done.stdout)["written"]
    return written


if __name__ == "__main__":
    sys.exit(main())
