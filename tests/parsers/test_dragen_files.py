from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parsers.dragen_files import (
    CATEGORIES,
    classify,
    is_wanted,
    md5_of,
    owner,
)
from tests.cases import case


@pytest.mark.parametrize("prefix", ["NA24143_Lib3_Rep1", "S.dragen", "S.v4.final"])
@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("hard-filtered.vcf.gz", "smvar_vcf"),
        ("hard-filtered.gvcf.gz", "smvar_gvcf"),
        ("hard-filtered.g.vcf.gz", "smvar_gvcf"),
        ("vcf.gz", "smvar_vcf_unfiltered"),
        ("gvcf.gz", "smvar_gvcf_unfiltered"),
        ("sv.vcf.gz", "sv_vcf"),
        ("sv.small_indel_dedup.vcf.gz", "sv_vcf_dedup"),
        ("cnv.vcf.gz", "cnv_vcf"),
        ("cnv_sv.vcf.gz", "cnv_sv_vcf"),
        ("ploidy.vcf.gz", "ploidy_vcf"),
        ("repeats.vcf.gz", "str_vcf"),
        ("targeted.vcf.gz", "targeted_vcf"),
        ("vc_metrics.csv", "vc_metrics"),
        ("gvcf_metrics.csv", "gvcf_metrics"),
        ("vc_hethom_ratio_metrics.csv", "vc_hethom_ratio_metrics"),
        ("cnv_metrics.csv", "cnv_metrics"),
        ("sv_metrics.csv", "sv_metrics"),
        ("wgs_hist.csv", "hist"),
        ("wgs_fine_hist.csv", "fine_hist"),
        ("fragment_length_hist.csv", "fragment_length_hist"),
        ("new_thing_metrics.csv", "other_metrics"),
        ("bam", "alignment"),
        ("cram.crai", "alignment"),
        ("metrics.json", "metrics_json"),
    ],
)
def test_kind_and_prefix(prefix: str, suffix: str, kind: str) -> None:
    file = classify(f"x/y/{prefix}.{suffix}")
    assert (file.prefix, file.kind) == (prefix, kind)


@pytest.mark.parametrize(
    ("name", "kind", "region", "side"),
    [
        ("s.wgs_coverage_metrics.csv", "coverage_metrics", "wgs", ""),
        (
            "s.qc-coverage-region-3_coverage_metrics.csv",
            "coverage_metrics",
            "qc-coverage-region-3",
            "",
        ),
        (
            "s.target_bed_coverage_metrics_tumor.csv",
            "coverage_metrics",
            "target_bed",
            "tumor",
        ),
        (
            "s.wgs_overall_mean_cov_normal.csv",
            "overall_mean_cov",
            "wgs",
            "normal",
        ),
        ("s.wgs_contig_mean_cov.csv", "contig_mean_cov", "wgs", ""),
    ],
)
def test_regions(name: str, kind: str, region: str, side: str) -> None:
    file = classify(name)
    assert (file.prefix, file.kind, file.region, file.side) == ("s", kind, region, side)


@pytest.mark.parametrize(
    ("name", "role", "of"),
    [
        ("s.hard-filtered.gvcf.gz.tbi", "index", "smvar_gvcf"),
        ("s.sv.vcf.gz.tbi", "index", "sv_vcf"),
        ("s.sv.vcf.gz.md5sum", "checksum", "sv_vcf"),
        ("s.hard-filtered.recal.gvcf.gz.md5", "checksum", "smvar_gvcf"),
    ],
)
def test_side_files_know_whose_they_are(name: str, role: str, of: str) -> None:
    file = classify(name)
    assert (file.role, file.of) == (role, of)
    assert owner(name) != name


def test_what_an_import_takes() -> None:
    wanted = [
        "s.hard-filtered.vcf.gz",
        "s.hard-filtered.vcf.gz.tbi",
        "s.hard-filtered.vcf.gz.tbi.md5sum",
        "s.sv.vcf.gz.md5sum",
        "s.mapping_metrics.csv",
        "s-replay.json",
    ]
    left = ["s.bam", "s.bam.md5sum", "s.cram.crai", "s.html", "notes.csv", "metrics"]
    assert all(is_wanted(classify(name)) for name in wanted)
    assert not any(is_wanted(classify(name)) for name in left)


@pytest.mark.parametrize(
    "text",
    [
        "D41D8CD98F00B204E9800998ECF8427E\n",
        "d41d8cd98f00b204e9800998ecf8427e  /staging/s.vcf.gz\n",
        "\\d41d8cd98f00b204e9800998ecf8427e *odd\\name",
    ],
)
def test_md5sum_files_with_and_without_a_name(text: str) -> None:
    assert md5_of(text) == "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize("text", ["", "<html>", "d41d8cd9", "a" * 64])
def test_other_files_hold_no_md5(text: str) -> None:
    assert md5_of(text) is None


@pytest.mark.cases
def test_real_metrics_files_are_all_known() -> None:
    files = [
        classify(path.name) for path in Path(case("dragen-metrics-NA12878")).iterdir()
    ]
    assert len(files) == 15
    assert {file.role for file in files} == {"metrics"}
    assert {file.prefix for file in files} == {"NA12878-PCRF450-1"}
    assert "other_metrics" not in {file.kind for file in files}
    assert {file.category for file in files} == set(CATEGORIES)
