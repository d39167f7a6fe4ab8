from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.engines.base import (
    EngineError,
    EngineUnavailableError,
)
from benchmarks.engines.happy import HappyEngine, arguments, strata_folders
from tests.engines.contexts import Heard
from tests.engines.fake_tools import HAPPY, install
from tests.engines.jobs import JOB, real_job


def test_the_shortest_argument_list() -> None:
    assert arguments(replace(JOB, ci_alpha=0), Path("s")) == (
        *("t.vcf.gz", "q.vcf.gz", "-r", "r.fa", "-o", "o/p"),
        *("--engine=vcfeval", "--roc", "QUAL", "--threads", "1", "--gender", "auto"),
        *("--scratch-prefix", "s", "--verbose"),
    )


def test_every_option_has_its_argument() -> None:
    job = replace(
        JOB,
        confident=Path("c.bed"),
        targets=Path("x.bed"),
        stratification=Path("s.tsv"),
        sdf=Path("r.sdf"),
        roc="GQ",
        sex="male",
        pass_only=True,
        is_gvcf=True,
        threads=4,
    )
    given = arguments(job, Path("s"))
    for pair in (
        ("-f", "c.bed"),
        ("-T", "x.bed"),
        ("--stratification", "s.tsv"),
        ("--engine-vcfeval-template", "r.sdf"),
        ("--roc", "GQ"),
        ("--ci-alpha", "0.05"),
        ("--threads", "4"),
        ("--gender", "male"),
    ):
        assert given[given.index(pair[0]) + 1] == pair[1]
    assert {"--pass-only", "--convert-gvcf-query"} <= set(given)


def test_a_plain_vcf_is_never_converted_as_a_gvcf() -> None:
    assert "--convert-gvcf-query" not in arguments(JOB, Path("s"))


def test_where_it_is_missing_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    found = HappyEngine().probe()
    assert not found.available
    assert "not on PATH" in found.reason
    assert "VCBENCH_HAPPY_COMMAND" in found.remedy


def test_another_program_is_not_taken_for_it() -> None:
    found = HappyEngine(("echo",)).probe()
    assert not found.available
    assert "does not answer --version as hap.py does" in found.reason


def test_probe(tmp_path: Path) -> None:
    found = HappyEngine(install(tmp_path, "hap.py", HAPPY)).probe()
    assert (found.available, found.version) == (True, "0.3.15")


@pytest.mark.cases
def test_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "record"
    monkeypatch.setenv("FAKE_RECORD", str(record))
    engine = HappyEngine(install(tmp_path, "hap.py", HAPPY))
    heard, job = Heard(), real_job(tmp_path, memory_bytes=4 * 2**30)
    curves = job.out_prefix.with_name(f"{job.out_prefix.name}.roc.tsv")
    curves.write_text("what --verbose keeps")
    result = engine.run(job, heard.context())
    assert not curves.exists()
    [row] = result.rows
    assert (row.truth_tp, row.query_tp) == (3, 3)
    assert result.versions == {"hap.py": "0.3.15"}
    given, environment = json.loads(record.read_text())
    assert environment["RTG_MEM"] == "3072m"
    assert list(result.commands[0][1:]) == given
    assert "info: Comparing" in heard.text
    assert "info: Benchmarking Summary:" in heard.text
    assert not list(tmp_path.glob(".happy.*"))


@pytest.mark.cases
def test_its_own_words_on_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("FAKE_FAILURE", "Truth and reference share no chromosomes!")
    engine = HappyEngine(install(tmp_path, "hap.py", HAPPY))
    heard = Heard()
    with pytest.raises(
        EngineError,
        match=r"hap.py failed with exit code 1\. It said: Truth and reference share",
    ):
        engine.run(real_job(tmp_path), heard.context())
    assert "error: Truth and reference" in heard.text


@pytest.mark.cases
def test_a_region_that_vcfeval_gives_up_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "Evaluation too complex (50002 unresolved paths) at reference region 1:5-9."
    monkeypatch.setenv("FAKE_RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("FAKE_GIVEN_UP", told)
    heard = Heard()
    engine = HappyEngine(install(tmp_path, "hap.py", HAPPY))
    engine.run(real_job(tmp_path), heard.context())
    assert f"warning: {told}" in heard.text


@pytest.mark.cases
def test_a_silent_empty_result_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("FAKE_EMPTY", "1")
    engine = HappyEngine(install(tmp_path, "hap.py", HAPPY))
    with pytest.raises(EngineError, match="has compared nothing"):
        engine.run(real_job(tmp_path), Heard().context())


@pytest.mark.cases
def test_it_does_not_run_where_it_is_not(tmp_path: Path) -> None:
    engine = HappyEngine(("/nowhere/hap.py",))
    with pytest.raises(EngineUnavailableError, match="does not answer"):
        engine.run(real_job(tmp_path), Heard().context())


def test_the_folders_of_strata(tmp_path: Path) -> None:
    listing = tmp_path / "s.tsv"
    listing.write_text(f"a\tbeds/a.bed.gz\nb\t{tmp_path}/b.bed\n\n")
    (tmp_path / "b.bed").touch()
    assert strata_folders(listing) == [
        tmp_path / "beds/a.bed.gz",
        tmp_path / "b.bed",
    ]
    assert strata_folders(None) == []
