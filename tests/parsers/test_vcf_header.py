from __future__ import annotations

import gzip
from pathlib import Path

import pysam
import pytest

from benchmarks.parsers.vcf_header import (
    BGZF_END,
    VcfError,
    check_whole,
    sniff,
)
from tests.cases import case

HEAD = (
    "##fileformat=VCFv4.2\n"
    '##FILTER=<ID=LowGQ,Description="a, b">\n'
    "##contig=<ID=chr1,length=248956422,assembly=x>\n"
    "##contig=<ID=chrUn>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "##source=DRAGEN 4.4\n"
)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n"
RECORD = "chr1\t5\t.\tA\tC\t9\tPASS\t.\tGT:DP\t0/1:3\n"
VCF = HEAD + COLUMNS + RECORD


def saved(folder: Path, data: str | bytes, name: str = "x.vcf") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def bgzipped(folder: Path, text: str = VCF) -> Path:
    plain = saved(folder, text, "plain.vcf")
    pysam.tabix_compress(str(plain), str(folder / "x.vcf.gz"), force=True)
    return folder / "x.vcf.gz"


def test_plain_text(tmp_path: Path) -> None:
    header = sniff(saved(tmp_path, VCF))
    assert header.container == "plain"
    assert header.version == "VCFv4.2"
    assert header.samples == ("S1",)
    assert header.contigs == {"chr1": 248956422, "chrUn": None}
    assert header.filters == ("LowGQ",)
    assert header.source == "DRAGEN 4.4"
    assert header.has_genotypes
    assert header.has_records
    assert not header.is_gvcf


def test_windows_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeff" + VCF.replace("\n", "\r\n")
    assert sniff(saved(tmp_path, text)).samples == ("S1",)


def test_gzip_and_bgzip_are_told_apart(tmp_path: Path) -> None:
    packed = saved(tmp_path, gzip.compress(VCF.encode()), "y.vcf.gz")
    assert sniff(packed).container == "gzip"
    assert sniff(bgzipped(tmp_path)).container == "bgzip"


def test_bcf(tmp_path: Path) -> None:
    text = VCF.replace(":DP", "").replace(":3", "")
    with (
        pysam.VariantFile(str(saved(tmp_path, text))) as source,
        pysam.VariantFile(str(tmp_path / "x.bcf"), "wb", header=source.header) as copy,
    ):
        for record in source:
            copy.write(record)
    header = sniff(tmp_path / "x.bcf")
    assert header.container == "bcf"
    assert header.samples == ("S1",)
    assert header.has_genotypes


@pytest.mark.parametrize("symbol", ["<NON_REF>", "A,<NON_REF>", "<*>"])
def test_a_gvcf_is_told_by_its_records(tmp_path: Path, symbol: str) -> None:
    text = HEAD + COLUMNS + RECORD.replace("\tC\t", f"\t{symbol}\t")
    assert sniff(saved(tmp_path, text)).is_gvcf


def test_blocks_without_a_symbol_make_a_gvcf(tmp_path: Path) -> None:
    block = RECORD.replace("\tC\t", "\t.\t").replace("PASS\t.", "PASS\tEND=90")
    assert sniff(saved(tmp_path, HEAD + COLUMNS + block)).is_gvcf


def test_a_declared_symbol_alone_makes_no_gvcf(tmp_path: Path) -> None:
    declared = '##ALT=<ID=NON_REF,Description="x">\n'
    assert not sniff(saved(tmp_path, HEAD + declared + COLUMNS + RECORD)).is_gvcf
    assert sniff(saved(tmp_path, HEAD + declared + COLUMNS)).is_gvcf


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("", "the file is empty"),
        ("<!DOCTYPE html><html>Sign in", "a web page instead of a gzip file"),
        (
            '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
            r"an answer of the store \(AccessDenied\)",
        ),
        ("version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (b"PK\x03\x04....", "is a ZIP archive"),
        (b"BCF\x02\x02....", "uncompressed BCF"),
        ("chr1\t5\tA\n", "no VCF or BCF"),
        (gzip.compress(b"hello\n", mtime=0), "no line that starts with #CHROM"),
        (gzip.compress(b"#CHROM POS\n", mtime=0), "not split by tabs"),
        (gzip.compress(COLUMNS.encode(), mtime=0), "does not start with ##fileformat"),
        (b"\x1f\x8bnonsense....", "the gzip file is damaged"),
        (gzip.compress(VCF.encode() * 90, mtime=0)[:80], "ends too early"),
    ],
)
def test_other_files_are_named_for_what_they_are(
    tmp_path: Path, data: str | bytes, fault: str
) -> None:
    with pytest.raises(VcfError, match=fault):
        sniff(saved(tmp_path, data, "x.vcf.gz"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(VcfError, match="No such file"):
        sniff(tmp_path / "none.vcf.gz")


def test_a_bgzip_file_without_its_end_was_cut_off(tmp_path: Path) -> None:
    path = bgzipped(tmp_path)
    path.write_bytes(path.read_bytes().removesuffix(BGZF_END))
    with pytest.raises(VcfError, match="was cut off"):
        sniff(path)
    assert sniff(path, check_end=False).samples == ("S1",)


def test_damage_deep_in_a_file_is_found_by_reading_it(tmp_path: Path) -> None:
    data = bytearray(gzip.compress((VCF + RECORD * 20_000).encode()))
    check_whole(saved(tmp_path, bytes(data), "whole.vcf.gz"))
    with pytest.raises(VcfError, match="cut off"):
        check_whole(saved(tmp_path, bytes(data[:-20]), "cut.vcf.gz"))
    data[-6] ^= 255
    with pytest.raises(VcfError, match="damaged"):
        check_whole(saved(tmp_path, bytes(data), "bad.vcf.gz"))
    check_whole(saved(tmp_path, VCF))


def test_without_samples_or_genotypes(tmp_path: Path) -> None:
    sites = COLUMNS.replace("\tFORMAT\tS1", "")
    site = "chr1\t5\t.\tA\tC\t9\tPASS\t.\n"
    path = saved(tmp_path, HEAD + sites + site)
    with pytest.raises(VcfError, match="no sample column"):
        sniff(path)
    assert not sniff(path, need_genotypes=False).has_genotypes
    with pytest.raises(VcfError, match="none of the first 1 records has GT"):
        sniff(saved(tmp_path, VCF.replace("GT:DP", "AD:DP")))


def test_a_ragged_record_and_a_doubled_sample(tmp_path: Path) -> None:
    with pytest.raises(VcfError, match="a record has 3 columns, the header 10"):
        sniff(saved(tmp_path, VCF + "chr1\t7\t.\n"))
    with pytest.raises(VcfError, match="samples S1 are there twice"):
        sniff(saved(tmp_path, VCF.replace("\tS1", "\tS1\tS1")))


@pytest.mark.cases
@pytest.mark.parametrize(
    ("name", "sample", "gvcf"),
    [
        ("gatk.dragen.g.vcf", "sample", True),
        ("gatk.chrY_haploid_dragen.g.vcf", "sample1", True),
        ("ngs-bits.VcfFilter_in04.vcf", "NA12878-WGS-DRAGEN_01", False),
        ("ngs-bits.MantaVcfFix_in2.vcf", "NA24385_03", False),
        ("ngs-bits.VcfToBedpe_in6_dragen_ambigous_bug.vcf", "DNA2502743A1_01", False),
        ("HCC1395_WES_DRAGEN4.1.0.cnv.vcf", "WES_EA_T_1", False),
    ],
)
def test_real_dragen_files(name: str, sample: str, gvcf: bool) -> None:
    header = sniff(case("dragen-vcf") / name)
    assert header.samples == (sample,)
    assert header.is_gvcf == gvcf
    assert header.contigs["chr1"] == 248956422


@pytest.mark.cases
def test_real_bgzip_files() -> None:
    folder = case("hg38-chr20-5M-HG002")
    for name in ("truth.vcf.gz", "query.vcf.gz"):
        header = sniff(folder / name)
        assert header.container == "bgzip"
        assert header.samples == ("HG002",)
        assert header.contigs["chr20"] == 5_000_000
        assert not header.is_gvcf
