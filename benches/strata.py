"""What strata cost: the same comparison without and with 50 BEDs.

    python benches/strata.py [--variants 1000000] [--strata 50] [--intervals 20000]

Each BED has about `--intervals` intervals that together cover 2 to 60 % of the genome,
as those of GIAB do; half of them are bgzipped. Runs alternate, each in a fresh process;
the fastest of the repeats counts. Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benches.engine import Measured, measure, simulated  # noqa: E402


def make_strata(folder: Path, out: Path, strata: int, intervals: int) -> Path:
    """A stratification TSV over the contigs of the simulated reference."""
    import pysam

    lengths = [
        (name, int(length))
        for name, length, *_ in (
            line.split("\t")
            for line in (folder / "ref.fa.fai").read_text().splitlines()
        )
    ]
    rng = np.random.default_rng(1)
    lines = []
    for s in range(strata):
        share = 0.02 + 0.58 * s / max(strata - 1, 1)
        path = out / f"stratum{s:02d}.bed"
        with path.open("w") as bed:
            for name, length in lengths:
                count = max(intervals // len(lengths), 1)
                starts = np.sort(rng.integers(0, length, count))
                sizes = rng.exponential(share * length / count, count).astype(int) + 1
                bed.writelines(
                    f"{name}\t{start}\t{min(start + size, length)}\n"
                    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
                )
        if s % 2:
            pysam.tabix_compress(str(path), f"{path}.gz")
            path = path.with_name(f"{path.name}.gz")
        lines.append(f"stratum{s:02d}\t{path.name}\n")
    tsv = out / "strata.tsv"
    tsv.write_text("".join(lines))
    return tsv


def child(folder: Path, out: Path, tsv: Path | None) -> None:
    from benchmarks.haplotypes.memory import expect_large_arrays
    from benchmarks.haplotypes.run import Job, benchmark

    expect_large_arrays()
    started = time.perf_counter()
    job = Job(
        truth=folder / "truth.vcf.gz",
        query=folder / "calls.vcf.gz",
        reference=folder / "ref.fa",
        confident=folder / "confident.bed",
        stratification=tsv,
        out_prefix=out / "out",
    )
    timings = benchmark(job).timings
    print(json.dumps({"inside_s": time.perf_counter() - started, **timings}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--contigs", type=int, default=22)
    parser.add_argument("--strata", type=int, default=50)
    parser.add_argument("--intervals", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--tsv", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.out, options.tsv)
        return
    from benchmarks.haplotypes.warm import warm

    warm()
    folder = simulated(options.variants, options.contigs, 700)
    without: list[Measured] = []
    with_strata: list[Measured] = []
    with tempfile.TemporaryDirectory() as out:
        tsv = make_strata(folder, Path(out), options.strata, options.intervals)
        command = [sys.executable, __file__, "--child", str(folder), "--out", out]
        for _ in range(options.repeats):
            without.append(measure(command))
            with_strata.append(measure([*command, "--tsv", str(tsv)]))
    plain = min(without, key=lambda m: m.wall)
    strata = min(with_strata, key=lambda m: m.wall)
    print(
        json.dumps(
            {
                "variants": options.variants,
                "strata": options.strata,
                "intervals_each": options.intervals,
                "without_s": round(plain.wall, 2),
                "with_s": round(strata.wall, 2),
                "times": round(strata.wall / plain.wall, 2),
                "without_cpu_s": round(plain.cpu, 2),
                "with_cpu_s": round(strata.cpu, 2),
                "steps_without": plain.steps,
                "steps_with": strata.steps,
            }
        )
    )


if __name__ == "__main__":
    main()
