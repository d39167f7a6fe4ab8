"""The heap of a comparison's own process."""

from __future__ import annotations

import subprocess
import sys

HEAP = """
from pathlib import Path
from benchmarks.haplotypes.memory import expect_large_arrays
expect_large_arrays()
import numpy as np
made = np.ones(1 << 20)
for part in Path("/proc/self/smaps").read_text().split("VmFlags:"):
    head, _, _ = part.partition("Size:")
    if "[heap]" in head:
        print(int(part.split()[part.split().index("Size:") + 1]))
flags = Path("/proc/self/smaps").read_text().split("[heap]")[-1]
print("hg" in flags.split("VmFlags:")[1].split("\\n")[0].split())
"""


def test_the_heap_is_large_and_of_huge_pages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAP], check=True, capture_output=True, text=True
    )
    *sizes, huge = done.stdout.split()
    assert huge == "True"
    assert sum(map(int, sizes)) > 1 << 20, "less than a GiB of addresses"
