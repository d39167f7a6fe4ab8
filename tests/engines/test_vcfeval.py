from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.engines.base import EngineError, SmallVariantJob
from benchmarks.engines.builtin import child_values, run_child
from benchmarks.engines.vcfeval import Rtg, VcfevalEngine, arguments
from benchmarks.engines.vcfeval_child import read
from benchmarks.haplotypes.records import Match
from benchmarks.parsers.happy import read_extended, read_summary
from tests.cases import case
from tests.engines.contexts import Heard
from tests.engines.fake_tools import RTG, install
from tests.engines.jobs import JOB


def real_job(folder: Path, name: str = "p") -> SmallVariantJob:
    real = case("hg19-chr20-10kb-NA12878")
    return SmallVariantJob(
        truth=real / "truth.HG001_v3.3.2.vcf.gz",
        query=real / "query.deepvariant.vcf.gz",
        reference=real / "reference.fa.gz",
        confident=real / "truth.bed",
        out_prefix=folder / name,
        cache_dir=folder / "cache",
    )


@pytest.fixture
def rtg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VcfevalEngine:
    monkeypatch.setenv("FAKE_RECORD", str(tmp_path / "record"))
    return VcfevalEngine(install(tmp_path, "rtg", RTG))


def called(folder: Path) -> list[tuple[list[str], str | None]]:
    return [json.loads(line) for line in (folder / "record").read_text().splitlines()]


def test_the_argument_list() -> None:
    job = replace(JOB, sdf=Path("r.sdf"), threads=3)
    expected = (
        *("vcfeval", "-b", "t.vcf.gz", "-c", "q.vcf.gz", "-t", "r.sdf", "-o", "e"),
        *("-T", "3", "-m", "ga4gh", "--ref-overlap", "-f", "QUAL"),
        "--Xloose-match-distance=30",
    )
    assert arguments(job, Path("e")) == (*expected, "--all-records")
    assert arguments(replace(job, pass_only=True), Path("e")) == expected


def test_where_it_is_missing_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    found = VcfevalEngine().probe()
    assert "rtg is not on PATH" in found.reason
    assert "VCBENCH_RTG_COMMAND" in found.remedy
    assert "does not answer" in VcfevalEngine(("echo",)).probe().reason


def test_probe(rtg: VcfevalEngine) -> None:
    found = rtg.probe()
    assert (found.available, found.version) == (True, "3.12.1")


@pytest.mark.cases
def test_rtgs_verdicts_are_counted_as_hap_py_counts(
    rtg: VcfevalEngine, tmp_path: Path
) -> None:
    """The fake's verdicts are the built-in engine's, so its numbers have to follow."""
    job = real_job(tmp_path)
    result = rtg.run(replace(job, memory_bytes=4 * 2**30), Heard().context())
    values = {**child_values(real_job(tmp_path, "own")), "leftshift": False}
    values["decompose"] = False
    module = "benchmarks.engines.builtin_child"
    run_child(
        [sys.executable, "-P", "-m", module, json.dumps(values)], Heard().context()
    )
    assert list(result.rows) == read_summary(tmp_path / "own.summary.csv")
    assert read_extended(result.files["extended"]) == read_extended(
        tmp_path / "own.extended.csv"
    )
    assert {row.truth_tp for row in result.rows} - {0}
    assert [call[0][0] for call in called(tmp_path)] == ["format", "vcfeval"]
    assert {call[1] for call in called(tmp_path)} == {"3072m"}
    assert not list(tmp_path.glob(".vcfeval.*"))


def test_the_template_is_made_once_for_a_reference(
    rtg: VcfevalEngine, tmp_path: Path
) -> None:
    reference = tmp_path / "r.fa"
    reference.write_text(">1\nACGT\n")
    job = SmallVariantJob(
        truth=tmp_path / "t.vcf.gz",
        query=tmp_path / "q.vcf.gz",
        reference=reference,
        out_prefix=tmp_path / "p",
        cache_dir=tmp_path / "cache",
    )
    command = rtg.probe().command
    for _ in range(2):
        kept = Rtg(command, job, Heard().context()).template(tmp_path)
        assert kept == tmp_path / "cache" / "r.fa.sdf"
        assert len(called(tmp_path)) == 1
    reference.write_text(">1\nACGTT\n")  # another file under the same name
    Rtg(command, job, Heard().context()).template(tmp_path)
    assert len(called(tmp_path)) == 2
    given = replace(job, sdf=tmp_path / "given.sdf")
    assert Rtg(command, given, Heard().context()).template(tmp_path) == given.sdf
    assert len(called(tmp_path)) == 2


def test_a_template_that_was_cut_short_is_made_anew(
    rtg: VcfevalEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = tmp_path / "r.fa"
    reference.write_text(">1\nACGT\n")
    (tmp_path / "r.fa.sdf").mkdir()  # no mark: left by something else
    job = SmallVariantJob(reference, reference, reference, tmp_path / "p")
    Rtg(rtg.probe().command, job, Heard().context()).template(tmp_path)
    assert (tmp_path / "r.fa.sdf" / "made-from.json").is_file()
    assert len(called(tmp_path)) == 1


@pytest.mark.cases
def test_its_own_words_on_failure(
    rtg: VcfevalEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FAILURE", "No sequences in common")
    with pytest.raises(
        EngineError,
        match=r"rtg vcfeval failed with exit code 1\. It said: No sequences in common",
    ):
        rtg.run(real_job(tmp_path), Heard().context())


@pytest.mark.cases
def test_a_region_that_it_gives_up_is_a_warning(
    rtg: VcfevalEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "Evaluation too complex (50002 unresolved paths) at reference region 1:5-9."
    monkeypatch.setenv("FAKE_GIVEN_UP", told)
    heard = Heard()
    rtg.run(real_job(tmp_path), heard.context())
    assert f"warning: {told}" in heard.text


@pytest.mark.cases
def test_several_samples_have_to_be_named(rtg: VcfevalEngine, tmp_path: Path) -> None:
    job = replace(real_job(tmp_path), query_sample="NOBODY")
    with pytest.raises(EngineError, match="no sample NOBODY; it holds NA12878"):
        rtg.run(job, Heard().context())


@pytest.mark.cases
def test_verdicts_of_a_real_annotated_file() -> None:
    truth, query = read(
        case("hg38-chr20-5M-HG002") / "hap.py-vcfeval" / "output.vcf.gz"
    )
    levels = [level for found in truth.verdicts.values() for level, _ in found]
    assert levels.count(Match.GENOTYPE) >= 7021 + 1075
    assert levels.count(Match.ALLELE) > 0
    assert query.verdicts
