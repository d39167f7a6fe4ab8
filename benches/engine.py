"""The small-variant engine against `bcftools isec`: time, memory, scaling, density.

    python benches/engine.py [--variants 1000000] [--contigs 22] [--repeats 3] [--large]

Inputs come from simulate_calls.py (VCBENCH_TOOLS, default ../shared/tools) and are kept
under VCBENCH_BENCH_DATA (default: the temporary folder). Every run of the engine is a
fresh process with its compiled code in place, writes all files, and alternates with
isec on the same files; the fastest of the repeats counts. Last line: JSON.
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
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
TOOLS = Path(os.environ.get("VCBENCH_TOOLS", ROOT.parent / "shared" / "tools"))
DATA = Path(os.environ.get("VCBENCH_BENCH_DATA", tempfile.gettempdir()))


@dataclass
class Measured:
    wall: float
    """Seconds, start of the process included."""
    cpu: float
    memory_mb: int
    steps: dict[str, float]


def simulated(variants: int, contigs: int, spacing: int, seed: int = 1) -> Path:
    """Folder with ref.fa (.fai), truth and calls (bgzip, tabix), confident.bed."""
    import pysam

    folder = DATA / f"vcbench-calls-{variants}-{contigs}-{spacing}-{seed}"
    if (folder / "ready").exists():
        return folder
    script = TOOLS / "simulate_calls.py"
    if not script.is_file():
        sys.exit(f"{script} does not exist: set VCBENCH_TOOLS to its folder.")
    options = {
        "variants": variants,
        "contigs": contigs,
        "spacing": spacing,
        "seed": seed,
        "out": folder,
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    subprocess.run([sys.executable, str(script), *arguments], check=True)
    pysam.faidx(str(folder / "ref.fa"))
    for name in ("truth", "calls"):
        pysam.tabix_index(str(folder / f"{name}.vcf"), preset="vcf", force=True)
    (folder / "ready").touch()
    return folder


def run_here(folder: Path, out: Path) -> dict[str, float]:
    """One comparison in this process; seconds by step."""
    from benchmarks.haplotypes.memory import expect_large_arrays
    from benchmarks.haplotypes.run import Job, benchmark

    expect_large_arrays()
    job = Job(
        truth=folder / "truth.vcf.gz",
        query=folder / "calls.vcf.gz",
        reference=folder / "ref.fa",
        confident=folder / "confident.bed",
        out_prefix=out / "out",
    )
    return benchmark(job).timings


def measure(command: list[str]) -> Measured:
    """Run a command; its peak memory and CPU time are the child's own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = (done.stdout.strip().splitlines() or ["{}"])[-1]
    told = json.loads(last) if last.startswith("{") else {}
    memory = told.pop("memory_mb", after.ru_maxrss // 1024)
    return Measured(wall, cpu, int(memory), told)


def engine(folder: Path, repeats: int) -> Measured:
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, __file__, "--child", str(folder), "--out", out]
        return min((measure(command) for _ in range(repeats)), key=lambda m: m.wall)


def against_isec(folder: Path, repeats: int) -> tuple[Measured, Measured | None]:
    """The fastest of alternating runs of the engine and of isec."""
    bcftools = shutil.which("bcftools")
    ours: list[Measured] = []
    theirs: list[Measured] = []
    for _ in range(repeats):
        ours.append(engine(folder, 1))
        if bcftools:
            with tempfile.TemporaryDirectory() as out:
                command = [bcftools, "isec", "-n=2", "-w1", "-Oz"]
                command += ["-o", str(Path(out, "both.vcf.gz"))]
                command += [str(folder / f"{n}.vcf.gz") for n in ("truth", "calls")]
                theirs.append(measure(command))
    fastest = min(theirs, key=lambda m: m.wall) if theirs else None
    return min(ours, key=lambda m: m.wall), fastest


def child(folder: Path, out: Path) -> None:
    steps = {k: round(v, 3) for k, v in run_here(folder, out).items()}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"memory_mb": memory, **steps}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--contigs", type=int, default=22)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="4,000,000 variants, too")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.out)
        return
    from benchmarks.haplotypes.warm import warm

    print(f"compiled in {warm():.1f} s; {len(os.sched_getaffinity(0))} cores")
    n, contigs, repeats = options.variants, options.contigs, options.repeats
    ours, isec = against_isec(simulated(n, contigs, 700), repeats)
    half = engine(simulated(n // 2, contigs, 700), repeats)
    dense = engine(simulated(n, contigs, 70), repeats)
    figures: dict[str, object] = {
        "variants": n,
        "engine": asdict(ours),
        "isec": asdict(isec) if isec else None,
        "times_isec": round(ours.wall / isec.wall, 2) if isec else None,
        "doubling": round(ours.wall / half.wall, 2),
        "dense_per_variant": round(dense.wall / ours.wall, 2),
        "dense": asdict(dense),
    }
    if options.large:
        whole = engine(simulated(4_000_000, contigs, 700), 1)
        figures["whole_genome"] = asdict(whole)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
