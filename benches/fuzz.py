"""Mutated call files by the thousand: `make bench-fuzz` (ARGS: count and first seed).

Prints the seeds that fail, and one JSON line last.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.haplotypes.mutate import DONE, REFUSED, try_one

COUNT = 5_000


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else COUNT
    first = int(arguments[1]) if len(arguments) > 1 else 0
    seen = {DONE: 0, REFUSED: 0}
    failed: list[int] = []
    slowest, started = 0.0, time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="vcbench-fuzz-") as folder:
        for seed in range(first, first + count):
            begun = time.perf_counter()
            try:
                seen[try_one(seed, Path(folder))] += 1
            except Exception:  # noqa: BLE001 (what is looked for)
                failed.append(seed)
                print(f"seed {seed}:", traceback.format_exc(), file=sys.stderr)
            slowest = max(slowest, time.perf_counter() - begun)
    print(
        json.dumps(
            {
                "files": count,
                **seen,
                "failed_seeds": failed,
                "slowest_s": round(slowest, 2),
                "wall_s": round(time.perf_counter() - started, 1),
            }
        )
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
