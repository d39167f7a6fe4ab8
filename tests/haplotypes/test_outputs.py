from __future__ import annotations

import gzip
import json
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pysam
import pytest

from benchmarks.haplotypes.outputs import bgzf, tables
from benchmarks.haplotypes.run import BenchmarkError, Job, benchmark
from benchmarks.parsers.happy import read_extended, read_summary
from tests.cases import case
from tests.haplotypes.small import (
    GENOME,
    Call,
    bench,
    deletion,
    insertion,
    other_base,
    read_csv,
    write_bed,
)

NAMES = {
    "summary.csv",
    "extended.csv",
    "roc.all.csv.gz",
    "roc.Locations.SNP.csv.gz",
    "roc.Locations.SNP.PASS.csv.gz",
    "roc.Locations.INDEL.csv.gz",
    "roc.Locations.INDEL.PASS.csv.gz",
    "metrics.json.gz",
    "runinfo.json",
    "vcf.gz",
    "vcf.gz.tbi",
}


def test_all_files_are_there_and_nothing_else(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100)], [Call(100)])
    made = {path.name for path in done.prefix.parent.iterdir()}
    assert made == {f"out.{name}" for name in NAMES}
    assert {path.name for path in done.result.files.values()} == made


def test_the_portal_s_parser_reads_them(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100)], [Call(100)], ci_alpha=0.05)
    rows = read_summary(done.prefix.with_name("out.summary.csv"))
    assert [(row.type, row.filter) for row in rows] == [
        ("INDEL", "ALL"),
        ("INDEL", "PASS"),
        ("SNP", "ALL"),
        ("SNP", "PASS"),
    ]
    extended = read_extended(done.prefix.with_name("out.extended.csv"))
    assert extended[-1].recall_interval is not None


@pytest.mark.cases
def test_columns_are_those_of_real_hap_py_runs() -> None:
    real = case("happy-outputs") / "happyR" / "happy_demo.extended.csv"
    assert tuple(read_csv(real)[0]) == tables.EXTENDED
    newer = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval"
    assert tuple(read_csv(newer / "summary.csv")[0]) == tables.SUMMARY
    both = (*tables.EXTENDED, *tables.INTERVALS)
    assert tuple(read_csv(newer / "extended.csv")[0]) == both


def test_a_failure_while_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("benchmarks.haplotypes.outputs.tables.write_json", full)
    with pytest.raises(BenchmarkError, match="No space left"):
        bench(tmp_path, [Call(100)], [Call(100)])
    assert list((tmp_path / "results").iterdir()) == []


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100)], [Call(100)])
    made = done.prefix.with_name("out.vcf.gz")
    job = Job(made, made, tmp_path / "ref.fa", done.prefix, truth_sample="TRUTH",
              query_sample="QUERY")  # fmt: skip
    with pytest.raises(BenchmarkError, match="overwrite an input"):
        benchmark(job)


def test_truth_and_query_share_a_row_with_both_alts(tmp_path: Path) -> None:
    base = GENOME["chr1"][99]
    truth = [Call(100, f"{other_base(base)},{other_base(base, 2)}", "1/2")]
    query = [Call(100, other_base(base, 2), "0/1")]
    done = bench(tmp_path, truth, query)
    (record,) = done.records()
    assert record.alts == (other_base(base, 2), other_base(base))
    assert record.samples["TRUTH"]["GT"] == (2, 1)
    assert record.samples["QUERY"]["GT"] == (0, 1)


def test_a_row_says_what_hap_py_says(tmp_path: Path) -> None:
    bed = write_bed(tmp_path / "c.bed", ("chr1", 0, 1000))
    call = Call(100, filter="LowQual", qual="12.5")
    done = bench(tmp_path, [Call(100), Call(200)], [call], confident=bed)
    with gzip.open(done.prefix.with_name("out.vcf.gz"), "rt") as handle:
        lines = [line.rstrip("\n").split("\t") for line in handle if line[0] != "#"]
    assert lines[0][6:9] == [
        "LowQual",
        "BS=100;Regions=CONF,TS_contained",
        "GT:BD:BK:BI:BVT:BLT:QQ",
    ]
    assert lines[0][9].startswith("0/1:TP:gm:t")
    assert lines[0][9].endswith(":SNP:het:12.5")
    assert lines[1][9].split(":")[1:3] == ["FN", "."]
    assert lines[1][10] == ".:.:.:.:NOCALL:nocall:."


def test_the_index_finds_what_reading_finds(tmp_path: Path) -> None:
    calls = [Call(pos, contig=name) for name in GENOME for pos in range(10, 2900, 37)]
    calls[5:5] = [deletion(200, 60)]
    calls.sort(key=lambda call: (call.contig, call.pos))
    done = bench(tmp_path, calls, calls)
    path = str(done.prefix.with_name("out.vcf.gz"))
    with pysam.VariantFile(path) as calls_file:
        everything = [(r.contig, r.start, r.stop) for r in calls_file]
        for contig in GENOME:
            for start in range(0, 2900, 113):
                rows = calls_file.fetch(contig, start, start + 150)
                found = [(r.contig, r.start, r.stop) for r in rows]
                assert found == [
                    (c, s, e)
                    for c, s, e in everything
                    if c == contig and s < start + 150 and e > start
                ]


def test_bins_are_those_of_the_specification() -> None:
    def reg2bin(beg: int, end: int) -> int:
        end -= 1
        for shift, offset in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
            if beg >> shift == end >> shift:
                return offset + (beg >> shift)
        return 0

    rng = np.random.default_rng(3)
    begin = rng.integers(0, 1 << 28, 500)
    end = begin + rng.integers(1, 1 << 22, 500)
    wanted = [reg2bin(int(b), int(e)) for b, e in zip(begin, end, strict=True)]
    assert bgzf.bins(begin, end).tolist() == wanted


def test_large_text_is_cut_into_blocks_with_right_offsets(tmp_path: Path) -> None:
    text = np.random.default_rng(1).integers(32, 127, 200_000).astype(np.uint8)
    data, sizes = bgzf.compress_text(text)
    assert len(sizes) == 4
    assert gzip.decompress(data) == text.tobytes()
    offsets = np.array([0, 65_279, 65_280, 199_999])
    virtual = bgzf.virtual_offsets(offsets, sizes, 0)
    path = tmp_path / "x.gz"
    path.write_bytes(data + bgzf.END_OF_FILE)
    with pysam.BGZFile(str(path), "r", None) as handle:
        for offset, place in zip(offsets.tolist(), virtual.tolist(), strict=True):
            handle.seek(place)
            assert handle.read(1) == bytes([text[offset]])


def test_very_long_contigs_get_a_csi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bgzf, "TABIX_LIMIT", 100)
    done = bench(tmp_path, [Call(100)], [Call(100)])
    assert done.result.files["vcf_index"].name == "out.vcf.gz.csi"


def test_the_metrics_file_holds_the_tables_by_column(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100)], [Call(100)])
    with gzip.open(done.prefix.with_name("out.metrics.json.gz"), "rt") as handle:
        metrics = json.load(handle)["metrics"]
    assert [table["id"] for table in metrics[:2]] == ["summary.metrics", "all.metrics"]
    columns = {column["id"]: column for column in metrics[0]["data"]}
    assert columns["TRUTH.TP"]["values"] == [0, 0, 1, 1]
    assert columns["METRIC.F1_Score"]["values"] == [None, None, 1.0, 1.0]


def test_the_run_info_names_options_and_what_was_left_out(tmp_path: Path) -> None:
    query = [Call(100), Call(200, gt="./.")]
    done = bench(tmp_path, [Call(100)], query, pass_only=True)
    info = json.loads(done.prefix.with_name("out.runinfo.json").read_text())
    assert info["final_args"]["pass_only"] is True
    assert info["skipped"]["query"]


def test_scores_are_written_short(tmp_path: Path) -> None:
    quals = ["0", "7", "12.5", "33.3333", "1000000", "-2.25", "1e20", "."]
    calls = [Call(100 * i + 50, qual=q) for i, q in enumerate(quals)]
    done = bench(tmp_path, calls, calls)
    with gzip.open(done.prefix.with_name("out.vcf.gz"), "rt") as handle:
        found = [line.rstrip().rsplit(":", 1)[1] for line in handle if line[0] != "#"]
    assert found[:6] == ["0", "7", "12.5", "33.3333", "1000000", "-2.25"]
    assert float(found[6]) == pytest.approx(9e18, rel=0.2)
    assert found[7] == "."


def test_an_empty_index_is_still_an_index() -> None:
    none = np.zeros(0, dtype=np.int64)
    rows = bgzf.IndexRows(none.astype(np.int32), none, none, none.astype(np.uint64))
    with ThreadPoolExecutor(1) as pool:
        index = gzip.decompress(bgzf.tabix([], rows, pool))
    magic, names = struct.unpack("<4si", index[:8])
    assert (magic, names) == (b"TBI\1", 0)


def test_indels_of_both_sides_keep_their_own_spelling(tmp_path: Path) -> None:
    calls = [insertion(300, "GG"), deletion(400, 4)]
    done = bench(tmp_path, calls, calls)
    assert [(r.pos, r.ref, r.alts) for r in done.records()] == [
        (c.pos, c.ref, (c.alt,)) for c in calls
    ]
