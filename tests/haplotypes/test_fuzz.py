"""Hostile call files: a clear refusal or right numbers, never a crash or a hang.

`make bench-fuzz` runs thousands; the seeds that once failed are kept below.
"""

from __future__ import annotations

import faulthandler
import os
from pathlib import Path

import pytest

from tests.haplotypes.mutate import DONE, REFUSED, try_one

COUNT = int(os.environ.get("VCBENCH_FUZZ", "150"))
ONCE_FAILED = (15, 27, 83, 131, 265)
LIMIT = 120
"""Seconds after which a seed counts as hanging; the process then says where."""


def test_mutated_files_are_refused_or_counted(tmp_path: Path) -> None:
    seen = {DONE: 0, REFUSED: 0}
    for seed in range(COUNT):
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        try:
            seen[try_one(seed, tmp_path)] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        finally:
            faulthandler.cancel_dump_traceback_later()
    assert min(seen.values()) > COUNT // 20


@pytest.mark.parametrize("seed", ONCE_FAILED)
def test_what_once_failed_holds(seed: int, tmp_path: Path) -> None:
    assert try_one(seed, tmp_path) in (DONE, REFUSED)
