from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.truvari import (
    TruvariLog,
    read_bench,
    read_log,
    read_params,
    read_refined,
    read_summary,
)
from benchmarks.parsers.truvari_classes import (
    ClassCounts,
    read_classes,
    size_class,
)
from tests.cases import case

COUNTS = {"TP-base": 6, "TP-comp": 5, "FP": 1, "FN": 2, "base cnt": 8, "comp cnt": 6}


def saved(folder: Path, data: object, name: str = "summary.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(data))
    return path


def test_zero_of_zero_is_none(tmp_path: Path) -> None:
    counts = dict.fromkeys(COUNTS, 0) | {
        "precision": 0,
        "recall": None,
        "f1": 0,
        "gt_concordance": 0,
        "TP-comp_TP-gt": 0,
        "TP-comp_FP-gt": 0,
    }
    summary = read_summary(saved(tmp_path, counts))
    assert (summary.precision, summary.recall, summary.f1) == (None, None, None)
    assert summary.gt_concordance is None


def test_other_json_is_refused_with_all_that_is_missing(tmp_path: Path) -> None:
    path = saved(tmp_path, COUNTS | {"FP": "1"} | {"FN": -1})
    with pytest.raises(ParseError, match=r"FP is '1'; FN is -1\."):
        read_summary(path)
    with pytest.raises(ParseError, match="not the expected object"):
        read_summary(saved(tmp_path, []))


def test_cut_and_missing_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text('{"TP-base": 3')
    with pytest.raises(ParseError, match="cut off"):
        read_summary(path)
    with pytest.raises(ParseError, match="No such file"):
        read_params(tmp_path / "params.json")
    with pytest.raises(ParseError, match="No such file"):
        read_log(tmp_path / "log.txt")


def test_a_folder_without_a_summary_did_not_finish(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="did not finish"):
        read_bench(tmp_path)


def test_refine_is_read_where_it_was_run(tmp_path: Path) -> None:
    assert read_refined(tmp_path) is None
    saved(tmp_path, COUNTS | {"recall": 0.75}, "refine.variant_summary.json")
    refined = read_refined(tmp_path)
    assert refined is not None
    assert refined.recall == 0.75


@pytest.mark.cases
@pytest.mark.parametrize(
    ("folder", "counts"),
    [
        ("v1_petermchale/ovltest/test", (1, 1, 0, 0, 1.0, 1.0, None)),
        ("v1_petermchale/sample-haplotype-test/test_output", (5, 5, 0, 0, 1, 1, 0.6)),
        ("v3_defrabb", (0, 0, 0, 10, None, 0.0, None)),
        (
            "v5_mims_output",
            (
                6236,
                6236,
                2783,
                27904,
                0.6914292050116421,
                0.18265963678968952,
                0.7937780628608082,
            ),
        ),
    ],
)
def test_real_summaries_of_every_version(
    folder: str, counts: tuple[float | None, ...]
) -> None:
    summary = read_bench(case("truvari-outputs") / folder)
    assert counts == (
        summary.tp_base,
        summary.tp_comp,
        summary.fp,
        summary.fn,
        summary.precision,
        summary.recall,
        summary.gt_concordance,
    )


@pytest.mark.cases
def test_nothing_of_a_real_summary_is_lost() -> None:
    path = case("truvari-outputs") / "v5_mims_output" / "summary.json"
    summary = read_summary(path)
    assert summary.columns == json.loads(path.read_text())
    assert summary.gt_matrix["(1, 0)"]["(0, 1)"] == 796
    assert (summary.tp_base_tp_gt, summary.tp_comp_fp_gt) == (4950, 1286)
    assert read_params(path.with_name("params.json"))["dup_to_ins"] is True


@pytest.mark.cases
@pytest.mark.parametrize(
    ("log", "version"),
    [
        ("v5_mims_output/log.txt", "5.3.0"),
        ("multiqc/bench12_v4.0.0/log.txt", "4.0.0.dev0+detached"),
        ("multiqc/bench12/log.txt", "3.5.0-dev"),
        ("v1_petermchale/ovltest/test/log.txt", ""),
    ],
)
def test_real_logs(log: str, version: str) -> None:
    read = read_log(case("truvari-outputs") / log)
    assert read.version == version
    assert read.finished
    assert " -b " in read.command


@pytest.mark.cases
def test_warnings_of_a_real_log() -> None:
    read = read_log(case("truvari-outputs") / "v5_mims_output" / "log.txt")
    assert isinstance(read, TruvariLog)
    [warning] = read.warnings
    assert warning.startswith("171 contigs present in comparison VCF header")
    assert read.errors == ()


@pytest.mark.parametrize(
    ("bases", "name"),
    [(49, "<50"), (50, "50-99"), (999, "500-999"), (10_000, ">=10000")],
)
def test_size_classes(bases: int, name: str) -> None:
    assert size_class(bases) == name


def bench(folder: Path, **records: list[str]) -> Path:
    for name in ("tp-base", "tp-comp", "fp", "fn"):
        lines = records.get(name.replace("-", "_"), [])
        with gzip.open(folder / f"{name}.vcf.gz", "wt") as file:
            file.write("##fileformat=VCFv4.2\n")
            file.writelines(f"{line}\tGT\t0/1\n" for line in lines)
    return folder


def test_types_and_sizes(tmp_path: Path) -> None:
    deletion = "1\t100\t.\tN\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=160"
    insertion = f"1\t200\t.\tA\tA{'C' * 400}\t.\tPASS\t."
    duplication = "1\t300\t.\tN\t<DUP:TANDEM>\t.\tPASS\tSVTYPE=DUP;SVLEN=-20000"
    breakend = "1\t9\t.\tN\tN[2:7[\t.\tPASS\tSVTYPE=BND"
    rows = read_classes(
        bench(
            tmp_path,
            tp_base=[deletion, insertion],
            tp_comp=[deletion, insertion],
            fp=[duplication, breakend, deletion],
            fn=[insertion],
        )
    )
    found = {(row.type, row.size_class): row for row in rows}
    assert found["DEL", "50-99"] == ClassCounts("DEL", "50-99", 1, 1, 1, 0)
    assert found["INS", "*"] == ClassCounts("INS", "*", 1, 1, 0, 1)
    assert found["DUP", ">=10000"].precision == 0
    assert found["DUP", ">=10000"].recall is None
    assert found["BND", "<50"].fp == 1
    assert found["*", "50-99"].precision == 0.5
    assert found["INS", "*"].f1 == pytest.approx(2 / 3)
    assert found["BND", "*"].f1 is None


def test_a_cut_vcf_is_named(tmp_path: Path) -> None:
    bench(tmp_path, fn=["1\t1\t.\tA\tC\t.\tPASS\t."] * 50)
    path = tmp_path / "fn.vcf.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ParseError, match=r"fn\.vcf\.gz: is damaged or cut off"):
        read_classes(tmp_path)


def test_a_missing_or_broken_vcf_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="No such file"):
        read_classes(tmp_path)
    bench(tmp_path)
    (tmp_path / "fp.vcf.gz").write_bytes(gzip.compress(b"1\t2\n"))
    with pytest.raises(ParseError, match="a line of 2 columns"):
        read_classes(tmp_path)


@pytest.mark.cases
@pytest.mark.parametrize("setting", ["default", "p0", "s20"])
def test_real_classes_add_up_to_the_summary(setting: str) -> None:
    folder = case("sv-hg19-chr20-1M-HG002") / "expected_truvari-5.4.0" / setting
    summary, rows = read_bench(folder), read_classes(folder)
    for total in (
        [row for row in rows if row.size_class == "*"],
        [row for row in rows if row.type == "*"],
    ):
        assert sum(row.tp_base for row in total) == summary.tp_base
        assert sum(row.tp_comp for row in total) == summary.tp_comp
        assert sum(row.fp for row in total) == summary.fp
        assert sum(row.fn for row in total) == summary.fn
