from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.engines import builtin
from benchmarks.engines.base import (
    EngineCancelledError,
    EngineError,
    SmallVariantJob,
)
from benchmarks.engines.builtin import BuiltinEngine, equivalent_command
from benchmarks.engines.builtin_child import job_of
from benchmarks.engines.files import with_suffix
from benchmarks.engines.tools import ToolRunner
from benchmarks.parsers.happy import read_summary
from tests.cases import case
from tests.engines.contexts import Heard
from tests.engines.jobs import JOB, real_job


def test_it_works_wherever_its_packages_are(monkeypatch: pytest.MonkeyPatch) -> None:
    found = BuiltinEngine().probe()
    assert found.available
    assert found.version[0].isdigit()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    missing = BuiltinEngine().probe()
    assert "numpy, numba are not installed" in missing.reason


def test_every_option_reaches_the_engine(tmp_path: Path) -> None:
    job = SmallVariantJob(
        truth=Path("t"),
        query=Path("q"),
        reference=Path("r"),
        out_prefix=tmp_path / "p",
        confident=Path("c"),
        targets=Path("x"),
        stratification=Path("s"),
        roc="GQ",
        pass_only=True,
        ci_alpha=0.1,
        threads=3,
        truth_sample="T",
        query_sample="Q",
        sex="male",
    )
    made = job_of(json.loads(json.dumps(builtin.child_values(job))))
    for name in (
        *("truth", "query", "reference", "out_prefix", "confident", "targets"),
        *("stratification", "roc", "pass_only", "ci_alpha", "threads"),
        *("truth_sample", "query_sample", "sex"),
    ):
        assert getattr(made, name) == getattr(job, name), name
    with pytest.raises(TypeError, match="no options speed"):
        job_of({"speed": 1})
    assert equivalent_command(job)[-3:] == ("--sample", "T,Q", "--pass-only")


def test_a_prefix_keeps_its_dots() -> None:
    assert with_suffix(Path("o/p.1"), "summary.csv") == Path("o/p.1.summary.csv")


def test_missing_inputs_are_all_named() -> None:
    with pytest.raises(EngineError) as caught:
        BuiltinEngine().run(JOB, Heard().context())
    assert len(caught.value.details) == 4


@pytest.mark.cases
def test_a_real_case(tmp_path: Path) -> None:
    heard = Heard()
    result = BuiltinEngine().run(real_job(tmp_path, threads=2), heard.context())
    expected = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval" / "summary.csv"
    assert list(result.rows) == read_summary(expected)
    assert {"summary", "extended", "roc_all", "vcf", "vcf_index"} <= set(result.files)
    assert result.versions["builtin"] != "unknown"
    assert "info: Truth: 8,513 variant lines" in heard.text
    assert heard.progress[-1] == (1000, 1000)


@pytest.mark.cases
def test_faults_of_the_inputs_are_sentences(tmp_path: Path) -> None:
    job = real_job(tmp_path)
    bad = tmp_path / "q.vcf"
    bad.write_text("nothing\n")
    with pytest.raises(EngineError, match=r"q\.vcf") as caught:
        BuiltinEngine().run(
            SmallVariantJob(job.truth, bad, job.reference, job.out_prefix),
            Heard().context(),
        )
    assert "Traceback" not in str(caught.value)


@pytest.mark.cases
def test_cancel(tmp_path: Path) -> None:
    heard = Heard()
    tools = ToolRunner(should_stop=lambda: bool(heard.progress))
    with pytest.raises(EngineCancelledError):
        BuiltinEngine().run(real_job(tmp_path), heard.context(tools))
    assert not list(tmp_path.glob("p.*"))


@pytest.mark.cases
def test_a_crash_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = [sys.executable, "-c", "import os; os.abort()"]
    monkeypatch.setattr(builtin, "child_command", lambda _: crash)
    with pytest.raises(
        EngineError, match=r"The built-in engine broke off \(signal 6\)"
    ):
        BuiltinEngine().run(real_job(tmp_path), Heard().context())
