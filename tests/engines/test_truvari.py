from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.engines.base import (
    EngineCancelledError,
    EngineError,
    StructuralVariantJob,
)
from benchmarks.engines.tools import ToolRunner
from benchmarks.engines.truvari import (
    PRESETS,
    TruvariEngine,
    bench_command,
    refine_command,
)
from tests.cases import case
from tests.engines.contexts import Heard

needs_truvari = pytest.mark.skipif(
    importlib.util.find_spec("truvari") is None, reason="truvari is not installed"
)
JOB = StructuralVariantJob(
    truth=Path("t.vcf.gz"),
    query=Path("q.vcf.gz"),
    reference=Path("r.fa"),
    out_dir=Path("out"),
)


SETTINGS: dict[str, tuple[str, ...]] = {
    "default": (),
    "p0": ("--pctseq", "0", "--refdist", "1000"),
    "s20": ("--sizemin", "20", "--sizefilt", "15"),
}


def real_job(folder: Path, preset: str = "default") -> StructuralVariantJob:
    real = case("sv-hg19-chr20-1M-HG002")
    return StructuralVariantJob(
        truth=real / "truth.HG002_SVs_Tier1_v0.6.vcf.gz",
        query=real / "query.pbsv_2.6.2.vcf.gz",
        reference=real / "ref.hs37d5_chr20_1_1000000.fa.gz",
        confident=real / "truth.bed",
        out_dir=folder / "tv",
        preset=preset,
    )


def test_the_argument_list() -> None:
    job = replace(
        JOB, confident=Path("c.bed"), truth_sample="HG002", query_sample="S 1"
    )
    assert bench_command(("truvari",), job, PRESETS["q100"]) == (
        *("truvari", "bench", "-b", "t.vcf.gz", "-c", "q.vcf.gz", "-f", "r.fa"),
        *("-o", "out", "--includebed", "c.bed"),
        *("--bSample", "HG002", "--cSample", "S 1"),
        *("--pick", "ac", "--passonly", "-r", "2000", "-C", "5000"),
    )


def test_refine_avoids_the_aligner_that_is_not_deterministic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/mafft")
    command, note = refine_command(("truvari",), JOB)
    assert command == (
        *("truvari", "refine", "-a", "mafft", "-t", "1", "-f", "r.fa", "out"),
    )
    assert note == ""
    monkeypatch.setattr("shutil.which", lambda _: None)
    command, note = refine_command(("truvari",), JOB)
    assert "wfa" in command
    assert "mafft is not installed" in note


def test_without_the_package_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    found = TruvariEngine().probe()
    assert not found.available
    assert "not installed" in found.reason
    assert "C compiler" in found.remedy


def test_a_broken_installation_is_no_engine() -> None:
    broken = (sys.executable, "-c", "import sys; sys.exit('no libdeflate')")
    found = TruvariEngine(broken).probe()
    assert not found.available
    assert "failed with exit code 1" in found.reason
    assert "no libdeflate" in found.remedy


def test_all_faults_of_a_job_at_once(tmp_path: Path) -> None:
    (tmp_path / "q.vcf.gz").touch()
    job = replace(JOB, query=tmp_path / "q.vcf.gz", out_dir=tmp_path, preset="fancy")
    with pytest.raises(EngineError) as caught:
        TruvariEngine().run(job, Heard().context())
    assert [fault.partition(" ")[0] for fault in caught.value.details] == [
        "The",  # truth
        "The",  # reference
        f"{tmp_path / 'q.vcf.gz'}",  # no index
        "The",  # folder exists
        "There",  # no such preset
    ]


@needs_truvari
def test_probe_finds_the_version() -> None:
    found = TruvariEngine().probe()
    assert found.available
    assert found.version[0].isdigit()


@needs_truvari
@pytest.mark.cases
@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_real_truvari_equals_the_expected_summary(tmp_path: Path, setting: str) -> None:
    heard = Heard()
    job = replace(real_job(tmp_path), extra=SETTINGS[setting])
    result = TruvariEngine().run(job, heard.context())
    expected = case("sv-hg19-chr20-1M-HG002") / "expected_truvari-5.4.0" / setting
    assert result.summary.columns == json.loads((expected / "summary.json").read_text())
    wanted = json.loads((expected / "params.json").read_text())
    paths = {"base", "comp", "output", "includebed", "reference"}
    assert {
        name: value for name, value in result.parameters.items() if name not in paths
    } == {name: value for name, value in wanted.items() if name not in paths}
    assert result.versions == {"truvari": "5.4.0"}
    assert {"summary", "tp_base", "fp", "fn", "log"} <= set(result.files)
    assert "info: Finished bench" in heard.text
    assert "TP-base" not in heard.text


@needs_truvari
@pytest.mark.cases
def test_real_refinement(tmp_path: Path) -> None:
    job = replace(real_job(tmp_path, "q100"), extra=("--pctseq", "0.98"))
    result = TruvariEngine().run(job, Heard().context())
    assert len(result.commands) == 2
    assert result.refined is not None
    assert result.refined.tp_base + result.refined.fn == result.summary.base_count
    assert result.files["refined_summary"].is_file()


@needs_truvari
@pytest.mark.cases
def test_a_failed_refinement_does_not_lose_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "refine.py"
    broken.write_text("raise SystemExit('no memory')")
    monkeypatch.setattr("benchmarks.engines.truvari.REFINE", broken)
    heard = Heard()
    result = TruvariEngine().run(real_job(tmp_path, "q100"), heard.context())
    assert result.summary.tp_base == 6
    assert result.refined is None
    assert (
        "which failed: python failed with exit code 1. It said: no memory"
        in (result.notes[-1])
    )
    assert "error: Without refinement" in heard.text


@needs_truvari
@pytest.mark.cases
def test_where_nothing_needs_refinement_bench_stands(tmp_path: Path) -> None:
    result = TruvariEngine().run(real_job(tmp_path, "q100"), Heard().context())
    assert result.refined is None
    assert "No region needed refinement" in result.notes[-1]
    assert result.summary.tp_base == 6


@needs_truvari
@pytest.mark.cases
def test_bad_input_is_told_in_truvaris_own_words(tmp_path: Path) -> None:
    job = replace(real_job(tmp_path), query_sample="NOBODY")
    heard = Heard()
    with pytest.raises(EngineError, match="NOBODY"):
        TruvariEngine().run(job, heard.context())
    assert "error: " in heard.text


@needs_truvari
@pytest.mark.cases
def test_cancel(tmp_path: Path) -> None:
    tools = ToolRunner(should_stop=lambda: True)
    with pytest.raises(EngineCancelledError):
        TruvariEngine().run(real_job(tmp_path), Heard().context(tools))
