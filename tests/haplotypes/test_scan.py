"""Reading call files: every kind of file and line, and what is said of bad ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pysam
import pytest

from benchmarks.haplotypes import inflate, load
from benchmarks.haplotypes.compare import compare
from benchmarks.haplotypes.load import Header, pick_sample, read_header, read_records
from benchmarks.haplotypes.records import (
    HAPLOID,
    MISSING,
    Contigs,
    Field,
    HaplotypesError,
    Records,
    Status,
)
from benchmarks.haplotypes.reference import open_reference
from tests.haplotypes.build import random_sequence, vcf_text, write_fasta

LENGTH = 1000
CONTIGS = Contigs(("chr1", "chr2"), np.array([LENGTH, LENGTH], dtype=np.int64))
HEAD = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=1000>\n"
    "##contig=<ID=chr2,length=1000>\n"
)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"


def file(folder: Path, lines: list[str], samples: str = "S") -> Path:
    path = folder / "calls.vcf"
    names = "".join(f"\t{name}" for name in samples.split(","))
    path.write_text(HEAD + COLUMNS + names + "\n" + "".join(f"{x}\n" for x in lines))
    return path


def read(path: Path, **options: str) -> Records:
    return read_records(path, contigs=CONTIGS, **options)  # type: ignore[arg-type]


def line(gt: str = "0/1", **fields: str) -> str:
    parts = {
        "chrom": "chr1", "pos": "10", "id": ".", "ref": "A", "alt": "C", "qual": "50",
        "filter": "PASS", "info": "DP=7", "format": "GT:GQ", "sample": f"{gt}:40",
    } | fields  # fmt: skip
    return "\t".join(parts.values())


def test_fields_of_a_line(tmp_path: Path) -> None:
    calls = read(file(tmp_path, [line(id="rs1", alt="C,G", gt="1|2")]))
    values = [calls.value(0, column) for column in Field if column != Field.END]
    assert values[:8] == ["10", "rs1", "A", "C,G", "50", "PASS", ".", "GT:GQ"]
    assert calls.value(0, Field.SAMPLE) == "1|2:40"
    assert (calls.pos[0], calls.n_alts[0], calls.ref_len[0]) == (9, 2, 1)
    assert calls.gt[0].tolist() == [1, 2]
    assert calls.phased[0]


@pytest.mark.parametrize(
    ("gt", "alleles"),
    [
        ("0/1", [0, 1]),
        ("1", [1, HAPLOID]),
        ("./1", [MISSING, 1]),
        (".", [MISSING, HAPLOID]),
        ("./.", [MISSING, MISSING]),
        ("10|12", [10, 12]),
        ("x/y", [MISSING, MISSING]),
    ],
)
def test_genotypes(tmp_path: Path, gt: str, alleles: list[int]) -> None:
    calls = read(file(tmp_path, [line(gt=gt)]))
    assert calls.gt[0].tolist() == alleles


@pytest.mark.parametrize(
    ("text", "value"),
    [("50", 50.0), ("48.77", 48.77), ("1e3", 1000.0), ("2.5E-1", 0.25), ("-3", -3.0)],
)
def test_numbers(tmp_path: Path, text: str, value: float) -> None:
    assert read(file(tmp_path, [line(qual=text)])).qual[0] == pytest.approx(value)


@pytest.mark.parametrize("text", [".", "", "abc", "1.2.3"])
def test_what_is_no_number_is_missing(tmp_path: Path, text: str) -> None:
    assert np.isnan(read(file(tmp_path, [line(qual=text)])).qual[0])


def test_scores(tmp_path: Path) -> None:
    path = file(tmp_path, [line(info="XDP=1;DP=7,8"), line(pos="11", info="Y")])
    assert read(path, roc_field="GQ").score.tolist() == [40.0, 40.0]
    by_info = read(path, roc_field="INFO.DP").score
    assert by_info[0] == 7.0
    assert np.isnan(by_info[1])
    with pytest.raises(HaplotypesError, match=r"use QUAL, GQ or INFO\.<key>"):
        read(path, roc_field="VQSLOD")


def test_reference_blocks_are_counted_and_left(tmp_path: Path) -> None:
    alts = ("<NON_REF>", ".", "<*>", "C,<NON_REF>", "<DEL>")
    calls = read(file(tmp_path, [line(alt=alt) for alt in alts]))
    assert calls.reference_blocks == 3
    assert [calls.value(i, Field.ALT) for i in range(2)] == ["C,<NON_REF>", "<DEL>"]


def test_filters(tmp_path: Path) -> None:
    kinds = ("PASS", ".", "LowQual", "PASSED")
    calls = read(file(tmp_path, [line(filter=kind) for kind in kinds]))
    assert calls.passed.tolist() == [True, True, False, False]


def test_unsorted_lines_are_sorted_and_said_to_be(tmp_path: Path) -> None:
    lines = [line(pos="30"), line(chrom="chr2", pos="5"), line(pos="10")]
    calls = read(file(tmp_path, lines))
    assert calls.resorted
    assert calls.pos.tolist() == [9, 29, 4]
    assert calls.contig.tolist() == [0, 0, 1]


def test_lines_on_other_contigs_are_counted(tmp_path: Path) -> None:
    calls = read(file(tmp_path, [line(), line(chrom="chrUn_1")]))
    assert len(calls) == 1
    assert "1 lines lie on contigs" in calls.warnings[0]


def test_windows_line_ends(tmp_path: Path) -> None:
    path = file(tmp_path, [line()])
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    calls = read(path)
    assert calls.value(0, Field.SAMPLE) == "0/1:40"
    assert calls.sample == "S"


def test_last_line_without_an_end(tmp_path: Path) -> None:
    path = file(tmp_path, [line(), line(pos="20")])
    path.write_text(path.read_text().rstrip("\n"))
    assert read(path).pos.tolist() == [9, 19]


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip", "bcf"])
def test_kinds_of_files(tmp_path: Path, kind: str) -> None:
    path = file(tmp_path, [line(), line(pos="20", alt="C,G", gt="1/2")])
    header = path.read_text().replace(
        "##contig=<ID=chr1",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n'
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="">\n'
        '##INFO=<ID=DP,Number=1,Type=Integer,Description="">\n##contig=<ID=chr1',
    )
    path.write_text(header)
    other = tmp_path / f"calls.{kind}"
    if kind == "plain":
        other = path
    elif kind == "gzip":
        other.write_bytes(gzip.compress(path.read_bytes()))
    elif kind == "bgzip":
        pysam.tabix_compress(str(path), str(other))
    else:
        with (
            pysam.VariantFile(str(path)) as source,
            pysam.VariantFile(str(other), "wb", header=source.header) as target,
        ):
            for record in source:
                target.write(record)
    calls = read(other)
    assert calls.pos.tolist() == [9, 19]
    assert calls.gt.tolist() == [[0, 1], [1, 2]]
    assert calls.score.tolist() == [50.0, 50.0]


def test_lines_across_slabs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slabs far smaller than a line give the same columns."""
    lines = [line(pos=str(i + 1), info="X" * (i % 50)) for i in range(300)]
    path = file(tmp_path, lines)
    whole = read(path)
    for size in (16, 64, 1024):
        monkeypatch.setattr(inflate, "SLAB", size)
        parts = read(path)
        assert parts.pos.tolist() == whole.pos.tolist()
        assert [parts.value(i, Field.SAMPLE) for i in (0, 150, 299)] == [
            whole.value(i, Field.SAMPLE) for i in (0, 150, 299)
        ]
        assert parts.text.tobytes() == whole.text.tobytes()


def test_one_of_several_samples(tmp_path: Path) -> None:
    path = file(tmp_path, [line() + "\t1/1:30"], samples="MOTHER,CHILD")
    assert read(path, sample="CHILD").gt[0].tolist() == [1, 1]
    with pytest.raises(HaplotypesError, match=r"2 samples \(MOTHER, CHILD\): name"):
        read(path)
    with pytest.raises(HaplotypesError, match=r"no sample FATHER. It has: MOTHER"):
        read(path, sample="FATHER")


def test_a_file_without_samples() -> None:
    header = Header("sites.vcf", "", {}, ())
    with pytest.raises(HaplotypesError, match="no sample column"):
        pick_sample(header, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no #CHROM line"),
        (b"not a VCF\n", "no #CHROM line"),
        (b"\x1f\x8b\x08\x00broken", "damaged or cut off"),
    ],
)
def test_what_is_no_call_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "calls.vcf.gz"
    path.write_bytes(content)
    with pytest.raises(HaplotypesError, match=message):
        read_header(path)


@pytest.mark.parametrize(
    "bad",
    ["chr1\tten\t.\tA\tC\t.\t.\t.\tGT\t0/1", "chr1\t10\t.\tA", "chr1 10 . A C", "x"],
)
def test_a_bad_line_is_shown(tmp_path: Path, bad: str) -> None:
    path = file(tmp_path, [line(), bad])
    with pytest.raises(HaplotypesError, match=r"calls\.vcf: not a VCF line"):
        read(path)


def test_a_file_cut_off_in_a_block(tmp_path: Path) -> None:
    path = file(tmp_path, [line(pos=str(i)) for i in range(1, 900)])
    packed = tmp_path / "calls.vcf.gz"
    pysam.tabix_compress(str(path), str(packed))
    packed.write_bytes(packed.read_bytes()[:-200])
    with pytest.raises(HaplotypesError, match="damaged or cut off"):
        read(packed)


def test_header_contigs_and_samples() -> None:
    text = HEAD + "##contig=<ID=HLA*01:01>\n" + COLUMNS + "\tA\tB\n"
    header = load.parse_header("x.vcf", text)
    assert header.contigs == {"chr1": 1000, "chr2": 1000, "HLA*01:01": None}
    assert header.samples == ("A", "B")


@pytest.mark.parametrize(
    ("ref", "alt", "gt", "status"),
    [
        ("", "T", "0/0", Status.HOM_REF),
        ("", "T", "./.", Status.NO_CALL),
        ("", "T", "0/2", Status.BAD_GENOTYPE),
        ("", "T", "0/1/1", Status.POLYPLOID),
        ("", "<DEL>", "0/1", Status.SYMBOLIC),
        ("", "*", "0/1", Status.SYMBOLIC),
        ("", "N[chr2:5[", "0/1", Status.BREAKEND),
        ("", "R", "0/1", Status.BAD_ALLELE),
        ("", "A" * 1200, "0/1", Status.TOO_LONG),
    ],
)
def test_why_a_record_is_not_compared(
    tmp_path: Path, ref: str, alt: str, gt: str, status: Status
) -> None:
    sequence = random_sequence(3, LENGTH)
    fasta = write_fasta(tmp_path, sequence)
    path = tmp_path / "calls.vcf"
    base = ref or sequence[99]
    path.write_text(vcf_text([(100, base, alt, gt)], LENGTH))
    reference = open_reference(fasta)
    pair = [read_records(path, contigs=reference.contigs) for _ in range(2)]
    result = compare(pair[0], pair[1], reference)
    assert Status(pair[0].status[0]) is status
    assert result.truth.match[0] == 0
    assert sum(pair[0].skipped().values()) == 1


def test_a_record_beyond_its_contig(tmp_path: Path) -> None:
    fasta = write_fasta(tmp_path, random_sequence(3, LENGTH))
    path = tmp_path / "calls.vcf"
    path.write_text(vcf_text([(LENGTH, "ACGT", "A", "0/1")], LENGTH))
    reference = open_reference(fasta)
    pair = [read_records(path, contigs=reference.contigs) for _ in range(2)]
    compare(pair[0], pair[1], reference)
    assert Status(pair[0].status[0]) is Status.OUTSIDE_CONTIG
