"""Where the real cases lie; tests that need them skip, saying so, without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(
    os.environ.get(
        "VCBENCH_CASES",
        Path(__file__).resolve().parents[2] / "shared" / "cases",
    )
)


def case(name: str) -> Path:
    """The folder of a real case, or skip the test that asked for it."""
    folder = ROOT / name
    if not folder.is_dir():
        pytest.skip(f"real cases not found: {folder} (set VCBENCH_CASES)")
    return folder
