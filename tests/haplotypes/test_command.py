from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper

from benchmarks.engines.base import (
    Availability,
    EngineContext,
    EngineError,
    EngineResult,
    SmallVariantJob,
)
from benchmarks.management.commands import happy
from benchmarks.management.terminal import Terminal
from tests.haplotypes.small import Call, write_bed, write_fasta, write_vcf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    calls = [Call(100), Call(200)]
    return [
        str(write_vcf(tmp_path / "truth.vcf", calls)),
        str(write_vcf(tmp_path / "query.vcf", calls[:1])),
        "-r", str(write_fasta(tmp_path / "ref.fa")),
        "-f", str(write_bed(tmp_path / "c.bed", ("chr1", 0, 1000))),
        "-o", str(tmp_path / "made" / "out"),
    ]  # fmt: skip


def run(arguments: list[str], *more: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("happy", *arguments, *more, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_summary_is_printed_as_a_table(
    arguments: list[str], tmp_path: Path
) -> None:
    out, err = run(arguments)
    lines = out.splitlines()
    assert lines[0] == "Benchmarking Summary:"
    assert lines[1].split()[:4] == ["Type", "Filter", "TRUTH.TOTAL", "TRUTH.TP"]
    snp = next(line.split() for line in lines if line.split()[:2] == ["SNP", "ALL"])
    assert snp[2:6] == ["2", "1", "1", "1"]
    assert len({len(line) for line in lines[1:]}) == 1
    assert "2 variant lines" in err
    assert (tmp_path / "made" / "out.vcf.gz.tbi").is_file()


def test_quiet_says_nothing(arguments: list[str]) -> None:
    assert run(arguments, "--quiet") == ("", "")


def test_faults_of_the_inputs_are_all_named(
    arguments: list[str], tmp_path: Path
) -> None:
    arguments[0], arguments[1] = "gone.vcf", "too.vcf"
    with pytest.raises(CommandError) as caught:
        run(arguments)
    assert caught.value.returncode == happy.BAD_INPUT
    assert "gone.vcf" in str(caught.value)
    assert "too.vcf" in str(caught.value)


def test_the_process_ends_with_the_code(arguments: list[str]) -> None:
    """Without a database or Redis that could be reached."""
    environment = os.environ | {
        "VCBENCH_DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "VCBENCH_REDIS_URL": "redis://127.0.0.1:9/0",
    }
    for name, code in (("ref.fa", 0), ("gone.fa", happy.BAD_INPUT)):
        arguments[3] = str(Path(arguments[3]).with_name(name))
        command = [sys.executable, "manage.py", "happy", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
    assert "gone.fa does not exist" in done.stderr


def test_samples_are_named_for_both_files() -> None:
    assert happy._samples("A,B") == ("A", "B")
    assert happy._samples("A,") == ("A", None)
    assert happy._samples("B") == (None, "B")
    assert happy._samples("") == (None, None)


def test_options_reach_the_engine(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(
        "benchmarks.haplotypes.run.benchmark", lambda job, **_: seen.append(job)
    )
    monkeypatch.setattr(happy, "read_summary", lambda path: [])
    run(arguments, "--pass-only", "--ci-alpha", "0.05", "--roc", "INFO.VQ",
        "--sample", "S,S", "--gender", "male", "-l", "chr1,chr2", "--no-leftshift",
        "--threads", "3", "--roc-filter", "*")  # fmt: skip
    (job,) = seen
    assert (job.pass_only, job.ci_alpha, job.roc) == (True, 0.05, "INFO.VQ")
    assert (job.truth_sample, job.query_sample, job.sex) == ("S", "S", "male")
    assert (job.locations, job.leftshift, job.threads) == (("chr1", "chr2"), False, 3)


class Other:
    """An engine that writes a summary, or fails."""

    name = "happy"

    def __init__(self, fault: EngineError | None = None, *, here: bool = True) -> None:
        self.fault, self.here = fault, here
        self.jobs: list[SmallVariantJob] = []

    def probe(self) -> Availability:
        return Availability(self.here, reason="hap.py is not here.", remedy="Get it.")

    def run(self, job: SmallVariantJob, context: EngineContext) -> EngineResult:
        self.jobs.append(job)
        context.log("info", "comparing")
        context.progress(1, 2)
        if self.fault:
            raise self.fault
        job.out_prefix.with_name("out.summary.csv").write_text(SUMMARY)
        return EngineResult(engine="happy", versions={})


SUMMARY = (
    "Type,Filter,TRUTH.TOTAL,TRUTH.TP,TRUTH.FN,QUERY.TOTAL,QUERY.FP,QUERY.UNK,"
    "METRIC.Recall,METRIC.Precision,METRIC.Frac_NA,METRIC.F1_Score\n"
    "SNP,ALL,7,7,0,7,0,0,1.0,1.0,0.0,1.0\n"
)


def with_engine(monkeypatch: pytest.MonkeyPatch, engine: Other) -> None:
    monkeypatch.setattr(happy, "small_variant_engine", lambda name: engine)


def test_other_engines_get_the_same_job(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Other()
    with_engine(monkeypatch, engine)
    out, err = run(arguments, "--engine", "happy", "--pass-only")
    assert engine.jobs[0].pass_only
    assert engine.jobs[0].confident is not None
    assert "comparing" in err
    assert "  7  " in out


@pytest.mark.parametrize(
    ("engine", "more", "code", "words"),
    [
        (Other(here=False), (), happy.UNAVAILABLE, "hap.py is not here. Get it."),
        (Other(EngineError("It broke.", ("line 9",))), (), happy.FAILED, "line 9"),
        (Other(), ("--roc-delta", "2"), happy.BAD_INPUT, "--roc-delta: only"),
    ],
)
def test_exit_codes_mean_something(
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    engine: Other,
    more: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    with_engine(monkeypatch, engine)
    with pytest.raises(CommandError, match=words) as caught:
        run(arguments, "--engine", "happy", *more)
    assert caught.value.returncode == code


def test_an_interrupt_has_its_code(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.haplotypes.run.benchmark", interrupted)
    with pytest.raises(CommandError) as caught:
        run(arguments)
    assert caught.value.returncode == happy.INTERRUPTED


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_below_the_lines_of_a_terminal() -> None:
    screen = Tty()
    terminal = Terminal(OutputWrapper(screen))
    terminal.progress(0.5)
    terminal.log("warning", "careful")
    terminal.close()
    text = screen.getvalue()
    assert " 50%" in text
    assert "warning: careful\n" in text
    assert text.endswith("\r")


def test_no_bar_without_a_terminal() -> None:
    stream = io.StringIO()
    Terminal(OutputWrapper(stream)).progress(0.5)
    assert stream.getvalue() == ""
