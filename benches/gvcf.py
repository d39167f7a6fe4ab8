"""Reading a gVCF that is mostly reference blocks, against inflating the file alone.

    python benches/gvcf.py [--lines 20000000] [--repeats 3]

The file is made once under VCBENCH_BENCH_DATA (default: the temporary folder), one
line in 80 a variant. Last line: JSON with seconds of inflating, of inflating and
scanning, and their ratio, and of bgzip.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DATA = Path(os.environ.get("VCBENCH_BENCH_DATA", tempfile.gettempdir()))
SPACING = 140
VARIANT_EVERY = 80
HEAD = (
    '##fileformat=VCFv4.2\n##ALT=<ID=NON_REF,Description="any">\n'
    "##contig=<ID=chr1,length={length}>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
)


def simulated(lines: int) -> Path:
    """A bgzip gVCF of so many lines, in the shape of a 30x whole genome."""
    import pysam

    path = DATA / f"vcbench-blocks-{lines}.g.vcf.gz"
    if path.exists():
        return path
    rng = np.random.default_rng(1)
    part = path.with_suffix(".part")
    with pysam.BGZFile(str(part), "wb") as out:
        out.write(HEAD.format(length=min(lines * SPACING + 1, 2_000_000_000)).encode())
        for first in range(0, lines, 100_000):
            out.write(_chunk(rng, first, min(100_000, lines - first)).encode())
    part.rename(path)
    return path


def _chunk(rng: np.random.Generator, first: int, count: int) -> str:
    depths = rng.integers(15, 60, count).tolist()
    bases = rng.choice(list("ACGT"), count).tolist()
    rows = []
    for k in range(count):
        pos, depth, base = (first + k) * 90 + 1, depths[k], bases[k]
        if k % VARIANT_EVERY:
            rows.append(
                f"chr1\t{pos}\t.\t{base}\t<NON_REF>\t.\tPASS\tEND={pos + 89}\t"
                f"GT:GQ:MIN_DP:PL\t0/0:{depth}:{depth}:0,{depth * 2},{depth * 30}\n"
            )
        else:
            alt = "C" if base != "C" else "G"
            rows.append(
                f"chr1\t{pos}\t.\t{base}\t{alt},<NON_REF>\t48.7\tPASS\tDP={depth}\t"
                f"GT:AD:DP:GQ\t0/1:{depth // 2},{depth // 2}:{depth}:46\n"
            )
    return "".join(rows)


def fastest(work: Callable[[], object], repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    from benchmarks.haplotypes.inflate import SLAB, Slab, slabs
    from benchmarks.haplotypes.load import read_records
    from benchmarks.haplotypes.memory import expect_large_arrays
    from benchmarks.haplotypes.records import Contigs

    expect_large_arrays()
    path = simulated(options.lines)
    threads = len(os.sched_getaffinity(0))
    contigs = Contigs(("chr1",), np.array([2_000_000_000], dtype=np.int64))
    with ThreadPoolExecutor(threads) as pool:

        def inflate() -> None:
            room = threading.local()

            def one(slab: Slab) -> int:
                if not hasattr(room, "text"):
                    room.text = np.empty(SLAB + (1 << 17), dtype=np.uint8)
                return len(slab(room.text))

            sum(pool.map(one, slabs(path)))

        def read() -> None:
            records = read_records(path, contigs=contigs, pool=pool, threads=threads)
            assert records.lines_read == options.lines, "lines lost"  # noqa: S101

        read()
        bgzip = shutil.which("bgzip")
        command = [bgzip or "", "-dc", f"-@{threads}", str(path)]
        theirs = (
            fastest(
                lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL),
                options.repeats,
            )
            if bgzip
            else None
        )
        alone, scanned = (
            fastest(inflate, options.repeats),
            fastest(read, options.repeats),
        )
    figures = {
        "lines": options.lines,
        "file_mb": round(path.stat().st_size / 1e6),
        "inflate_s": round(alone, 3),
        "inflate_and_scan_s": round(scanned, 3),
        "ratio": round(scanned / alone, 2),
        "bgzip_s": theirs and round(theirs, 3),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
