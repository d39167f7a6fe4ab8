"""The real readers of hap.py's files read ours: MultiQC and ga4gh-happy-report.

They live in a venv of their own (VCBENCH_READERS, by default var/readers), which is
made once; without a package index these tests skip.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.haplotypes.small import Bench, Call, bench, deletion

# One worker makes the venv, and the others do not meet it half made.
pytestmark = pytest.mark.xdist_group("readers")

ROOT = Path(__file__).resolve().parents[2]
PINS = Path(__file__).with_name("readers.txt")
OFFLINE = """
import io, sys, urllib.request
from ga4gh_happy_report.report import main
urllib.request.urlopen = lambda *a, **k: io.BytesIO(b"/* library */")
sys.argv = ["ga4gh-happy-report", *sys.argv[1:]]
main()
"""
"""The report loads chart libraries from the web: that edge is faked."""


@pytest.fixture(scope="session")
def readers() -> Path:
    """The folder of the readers' programs."""
    folder = Path(os.environ.get("VCBENCH_READERS", ROOT / "var" / "readers"))
    if not (folder / "bin" / "multiqc").is_file():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "-q", "--retries", "2"]
        done = subprocess.run(
            [*pip, "-r", str(PINS)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
            pytest.skip(f"MultiQC cannot be installed here: {' '.join(errors)}")
    return folder / "bin"


@pytest.fixture
def made(tmp_path: Path) -> Bench:
    truth = [Call(pos, qual=str(pos)) for pos in range(100, 2000, 100)]
    truth.append(deletion(2100, 4))
    query = [Call(50), *truth[:-3], truth[-1]]
    return bench(tmp_path, truth, query, ci_alpha=0.05)


def test_multiqc_shows_our_summary(readers: Path, made: Bench, tmp_path: Path) -> None:
    out = tmp_path / "report"
    command = [str(readers / "multiqc"), "-o", str(out), str(made.prefix.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "happy | Found 1 reports" in done.stderr + done.stdout
    with (out / "multiqc_data" / "happy_snp_plot.txt").open(newline="") as handle:
        rows = {row["Sample"]: row for row in csv.DictReader(handle, delimiter="\t")}
    found = rows["out_SNP_ALL"]
    wanted = made.summary("SNP", "ALL")
    assert int(float(found["Truth: True Positive"])) == int(wanted["TRUTH.TP"])
    assert float(found["Recall"]) == float(wanted["METRIC.Recall"])
    assert int(float(found["Query: False Positive"])) == 1


def test_ga4gh_happy_report_draws_our_curves(
    readers: Path, made: Bench, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    roc = made.prefix.with_name("out.roc.all.csv.gz")
    command = [str(readers / "python"), "-c", OFFLINE, f"vcbench_test:{roc}"]
    done = subprocess.run(
        [*command, "-o", str(page)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "vcbench" in text
    assert made.summary("SNP", "ALL")["METRIC.Recall"][:6] in text
