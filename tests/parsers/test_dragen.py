from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.parsers.dragen import MetricRow, parse_metrics, read_metrics
from benchmarks.parsers.dragen_files import classify
from benchmarks.parsers.errors import ParseError
from tests.cases import case

NAMES = [
    f"s.{suffix}.csv"
    for suffix in (
        "mapping_metrics",
        "vc_metrics",
        "gvcf_metrics",
        "vc_hethom_ratio_metrics",
        "sv_metrics",
        "cnv_metrics",
        "roh_metrics",
        "ploidy_estimation_metrics",
        "wgs_coverage_metrics",
        "wgs_overall_mean_cov",
        "wgs_contig_mean_cov",
        "wgs_hist",
        "wgs_fine_hist",
        "fragment_length_hist",
        "trimmer_metrics",
        "time_metrics",
        "gc_metrics",
        "fastqc_metrics",
        "brand_new_metrics",
    )
]


def parsed(name: str, text: str) -> list[MetricRow]:
    return list(parse_metrics(text, classify(name)))


def test_a_line_with_a_percentage() -> None:
    line = "MAPPING/ALIGNING PER RG,S_L1,Reads with MAPQ [ 0:10),72,0.50\n"
    [row] = parsed("s.mapping_metrics.csv", line)
    assert row == MetricRow(
        category="Mapping",
        kind="mapping_metrics",
        section="MAPPING/ALIGNING PER RG",
        scope="S_L1",
        metric="Reads with MAPQ [0:10)",
        value_text="72",
        value=72.0,
        percent=0.5,
        line=1,
        percent_text="0.50",
    )


@pytest.mark.parametrize("text", ["NA", "inf", "-inf", "nan", "XX", "", "1_0"])
def test_what_is_no_finite_number_is_kept_as_text(text: str) -> None:
    [row] = parsed("s.vc_metrics.csv", f"VARIANT CALLER SUMMARY,,M,{text}")
    assert row.value is None
    assert row.value_text == text


def test_coverage_files_have_their_region_as_scope() -> None:
    line = "COVERAGE SUMMARY,,Aligned reads,5"
    [row] = parsed("s.qc-coverage-region-3_coverage_metrics_tumor.csv", line)
    assert row.scope == "qc-coverage-region-3 tumor"


def test_sex_genotyper_gives_sex_and_confidence() -> None:
    sex, sure = parsed("s.cnv_metrics.csv", "SEX GENOTYPER,,S,XX,0.9532")
    assert (sex.scope, sex.value_text, sex.value) == ("S", "XX", None)
    assert (sure.metric, sure.value) == ("Sex genotype confidence", 0.9532)


def test_times_are_seconds() -> None:
    clock, seconds = parsed(
        "s.time_metrics.csv", "RUN TIME,,Total runtime,01:57:46.878,7066.88"
    )
    assert (clock.value_text, clock.value) == ("01:57:46.878", 7066.878)
    assert seconds.value == 7066.88


def test_gc_bias_has_a_fraction_not_a_percentage() -> None:
    count, share = parsed(
        "s.gc_metrics.csv", "GC BIAS DETAILS,,Windows at GC 50,9,0.123"
    )
    assert (count.value, count.percent) == (9, None)
    assert (share.metric, share.value) == ("Windows at GC 50 (fraction)", 0.123)


def test_contig_coverage() -> None:
    text = "chr1,10,0.5\nHLA-A*01:01,0,0\nAutosomal regions ,7,1.5\n"
    rows = parsed("s.wgs_contig_mean_cov.csv", text)
    assert [(row.metric, row.value) for row in rows] == [
        ("chr1 bases", 10),
        ("chr1 mean depth", 0.5),
        ("HLA-A*01:01 bases", 0),
        ("HLA-A*01:01 mean depth", 0),
        ("Autosomal regions bases", 7),
        ("Autosomal regions mean depth", 1.5),
    ]


def test_histograms_have_a_header() -> None:
    rows = parsed("s.wgs_fine_hist.csv", "Depth,Overall\n0,5\n1000+,7\n")
    assert [(row.line, row.metric, row.value) for row in rows] == [
        (2, "Depth 0", 5),
        (3, "Depth 1000+", 7),
    ]
    assert {row.section for row in rows} == {"Overall"}


def test_histograms_of_several_columns() -> None:
    rows = parsed("s.target_bed_fine_hist.csv", "Depth,Overall,Target\n0,5,6\n")
    assert [row.metric for row in rows] == ["Depth 0: Overall", "Depth 0: Target"]


def test_fragment_lengths_come_in_blocks_of_read_groups() -> None:
    block = "#Sample: {}\nFragmentLength,Count\n36,{}\n"
    rows = parsed(
        "s.fragment_length_hist.csv", block.format("L1", 4) + block.format("L2", 5)
    )
    assert [(row.scope, row.metric, row.value) for row in rows] == [
        ("L1", "FragmentLength 36", 4),
        ("L2", "FragmentLength 36", 5),
    ]


def test_unknown_files_sections_and_cells_are_kept() -> None:
    text = "NEW SECTION,,New metric,1,2,3,four\nalone\ntwo,cells\na,b,3\n"
    rows = parsed("s.brand_new_metrics.csv", text)
    assert [(row.section, row.metric, row.value_text) for row in rows] == [
        ("NEW SECTION", "New metric", "1"),
        ("NEW SECTION", "New metric (column 6)", "3"),
        ("NEW SECTION", "New metric (column 7)", "four"),
        ("", "alone", ""),
        ("", "two", "cells"),
        ("a", "b", "3"),
    ]
    assert rows[0].percent == 2


def test_a_stray_quote_loses_no_line() -> None:
    rows = parsed("s.vc_metrics.csv", 'A,,"broken,1\nA,,fine,2\n')
    assert rows[-1].value == 2


def test_windows_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "s.sv_metrics.csv"
    path.write_bytes(b"\xef\xbb\xbfSV SUMMARY,S,Number,3\r\nSV SUMMARY,S,Other,4\r\n")
    rows = read_metrics(path)
    assert rows[0].section == "SV SUMMARY"
    assert [(row.line, row.value) for row in rows] == [(1, 3), (2, 4)]


def test_names_of_a_line_differ_and_are_not_endless() -> None:
    rows = parsed("s.wgs_fine_hist.csv", "Depth,A,A\n0,1,2\n")
    assert [row.metric for row in rows] == ["Depth 0: A", "Depth 0: A (2)"]
    [long] = parsed("s.vc_metrics.csv", f"{'s' * 999},{'c' * 999},{'m' * 999},1")
    assert (len(long.section), len(long.scope), len(long.metric)) == (100, 200, 280)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="No such file"):
        read_metrics(tmp_path / "s.vc_metrics.csv")


@given(
    name=st.sampled_from(NAMES),
    text=st.text(alphabet=st.sampled_from('ab,"\n\r\0#:[]0.5 éRUN TIME'), max_size=80),
)
def test_no_text_breaks_a_reader(name: str, text: str) -> None:
    rows = parsed(name, text)
    assert max(Counter((row.line, row.metric) for row in rows).values(), default=1) == 1


@given(section=st.sampled_from(["SEX GENOTYPER", "RUN TIME", "GC BIAS DETAILS"]))
@pytest.mark.parametrize("tail", [",,a,b", ",,a,b,", ",,,,,,", ",,a,1:2:3,x,y,z"])
def test_short_and_long_special_lines(section: str, tail: str) -> None:
    assert parsed("s.time_metrics.csv", section + tail)


def cells(path: Path) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split(",")]
        for line in path.read_text().splitlines()
    ]


def values(path: Path) -> Counter[tuple[int, str]]:
    """Every value cell of a real file by line, read without the parser."""
    kind = classify(path.name).kind
    first = {"contig_mean_cov": 1, "fine_hist": 1, "hist": -1, "overall_mean_cov": -1}
    found = Counter[tuple[int, str]]()
    for line, row in enumerate(cells(path), start=1):
        if row == ["Depth", "Overall"]:
            continue
        found.update((line, cell) for cell in row[first.get(kind, 3) :])
    return found


@pytest.mark.cases
def test_every_value_of_the_real_files_is_there() -> None:
    total = 0
    for path in sorted(case("dragen-metrics-NA12878").iterdir()):
        kept = Counter[tuple[int, str]]()
        for row in read_metrics(path):
            kept[row.line, row.value_text] += 1
            if row.percent_text:
                kept[row.line, row.percent_text] += 1
        expected = values(path)
        assert kept == expected, path.name
        total += expected.total()
    assert total == 9320


@pytest.mark.cases
def test_every_number_of_the_real_files_is_a_number() -> None:
    numeric = re.compile(r"-?\d+(\.\d+)?")
    for path in sorted(case("dragen-metrics-NA12878").iterdir()):
        for row in read_metrics(path):
            if numeric.fullmatch(row.value_text):
                assert row.value == float(row.value_text)
            if row.percent_text:
                assert row.percent == float(row.percent_text)


@pytest.mark.cases
def test_some_real_values() -> None:
    folder = case("dragen-metrics-NA12878")
    rows = {
        (row.section, row.scope, row.metric): row
        for path in folder.iterdir()
        for row in read_metrics(path)
    }
    mapped = rows["MAPPING/ALIGNING SUMMARY", "", "Mapped reads"]
    assert (mapped.value, mapped.percent) == (1051286345, 99.58)
    coverage = rows["COVERAGE SUMMARY", "wgs", "PCT of genome with coverage [20x:inf)"]
    assert coverage.value == 95.82
    assert rows["PLOIDY ESTIMATION", "", "Ploidy estimation"].value_text == "XX"
