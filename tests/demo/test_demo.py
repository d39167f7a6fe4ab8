"""`make demo` as a newcomer runs it, after set-up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vcbench_site.embedded.ports import listen

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]


def demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith("VCBENCH_")}
    return subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**own, "DEMO_EXIT": "1", "VCBENCH_DEMO_DIR": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_the_demo_finds_what_its_data_holds(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        done = demo(tmp_path, VCBENCH_PORT=str(port))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("All numbers are those") == 2
    assert "NA24143_Lib3_Rep1: completed." in done.stdout
    assert "sign in as demo, password " in done.stdout
    assert "/runs/" in done.stdout
    assert f":{port}/" not in done.stdout


def test_a_demo_whose_folder_is_no_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = demo(tmp_path / "file")
    assert done.returncode != 0
    assert "VCBENCH_DEMO_DIR" in done.stderr
    assert "Traceback" not in done.stderr
