"""What the tables say of small comparisons, and of a real one beside hap.py's own."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks.haplotypes.quantify import Column
from benchmarks.haplotypes.run import BenchmarkError, Job, benchmark
from tests.cases import case
from tests.haplotypes.small import (
    GENOME,
    Call,
    bench,
    deletion,
    insertion,
    other_base,
    read_csv,
    run_real,
    write_bed,
)

EVERYWHERE = ("chr1", 0, 3_000)


def counts(row: dict[str, str]) -> tuple[int, ...]:
    names = ("TRUTH.TP", "TRUTH.FN", "QUERY.FP", "QUERY.UNK", "FP.gt", "FP.al")
    return tuple(int(row[name]) for name in names)


def test_matches_misses_and_inventions_are_counted(tmp_path: Path) -> None:
    shared = [Call(100), Call(200, gt="1/1")]
    done = bench(tmp_path, [*shared, Call(300)], [*shared, Call(800)])
    assert counts(done.summary()) == (2, 1, 1, 0, 0, 0)
    row = done.extended(Type="SNP")
    assert row["TRUTH.TOTAL"] == "3"
    assert row["QUERY.TOTAL"] == "3"
    assert row["METRIC.Recall"] == "0.666667"
    assert row["METRIC.F1_Score"] == "0.666667"


def test_a_wrong_genotype_costs_twice_and_is_named(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100, gt="0/1")], [Call(100, gt="1/1")])
    assert counts(done.summary()) == (0, 1, 1, 0, 1, 0)
    assert done.verdicts("QUERY")[100] == ("FP", "am")


def test_a_wrong_allele_nearby_is_named(tmp_path: Path) -> None:
    base = GENOME["chr1"][99]
    truth, query = Call(100, other_base(base)), Call(100, other_base(base, 2))
    done = bench(tmp_path, [truth], [query])
    assert counts(done.summary()) == (0, 1, 1, 0, 0, 1)
    assert done.verdicts("TRUTH")[100] == ("FN", "lm")


def test_outside_the_confident_regions_everything_is_unknown(tmp_path: Path) -> None:
    bed = write_bed(tmp_path / "c.bed", ("chr1", 0, 150))
    done = bench(
        tmp_path,
        [Call(100), Call(200), Call(300)],
        [Call(100), Call(200), Call(900)],
        confident=bed,
    )
    assert counts(done.summary()) == (1, 0, 0, 2, 0, 0)
    assert done.summary()["METRIC.Frac_NA"] == "0.666667"
    assert done.verdicts("TRUTH")[300][0] == "UNK"


def test_without_confident_regions_nothing_is_unknown(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100)], [Call(100), Call(900)])
    assert counts(done.summary()) == (1, 0, 1, 0, 0, 0)
    assert done.extended(Type="SNP")["Subset.IS_CONF.Size"] == ""


@pytest.mark.parametrize(
    ("end", "unknown"), [(100, 1), (101, 0)], ids=["one base", "both bases"]
)
def test_an_insertion_is_inside_with_both_its_neighbours(
    tmp_path: Path, end: int, unknown: int
) -> None:
    bed = write_bed(tmp_path / "c.bed", ("chr1", 0, end))
    done = bench(tmp_path, [Call(50)], [Call(50), insertion(100, "GG")], confident=bed)
    assert int(done.summary("INDEL")["QUERY.UNK"]) == unknown


def test_a_truth_insertion_at_a_border_widens_the_regions(tmp_path: Path) -> None:
    bed = write_bed(tmp_path / "c.bed", ("chr1", 0, 100))
    calls = [Call(50), insertion(100, "GG")]
    done = bench(tmp_path, calls, calls, confident=bed)
    assert counts(done.summary("INDEL")) == (1, 0, 0, 0, 0, 0)
    strict = bench(tmp_path, calls, calls, confident=bed, adjust_confident=False)
    assert counts(strict.summary("INDEL")) == (0, 0, 0, 1, 0, 0)


def test_all_and_pass_come_from_one_comparison(tmp_path: Path) -> None:
    low = {"filter": "LowQual"}
    truth = [Call(100), Call(200)]
    query = [Call(100), Call(200, **low), Call(900, **low)]
    done = bench(tmp_path, truth, query)
    assert counts(done.summary(filter_="ALL")) == (2, 0, 1, 0, 0, 0)
    assert counts(done.summary(filter_="PASS")) == (1, 1, 0, 0, 0, 0)


def test_pass_only_leaves_failing_calls_out_before_matching(tmp_path: Path) -> None:
    query = [Call(100), Call(200, filter="LowQual")]
    done = bench(tmp_path, [Call(100), Call(200)], query, pass_only=True)
    assert counts(done.summary(filter_="ALL")) == (1, 1, 0, 0, 0, 0)
    assert done.result.skipped["query"] == {"fails a filter (PASS only)": 1}


def test_a_truth_row_fails_with_the_calls_of_its_superlocus(tmp_path: Path) -> None:
    """The SNPs of the truth are one failing MNP in the query."""
    bases = GENOME["chr1"][99:101]
    alts = [other_base(base) for base in bases]
    truth = [Call(100, alts[0], "1/1"), Call(101, alts[1], "1/1")]
    query = [Call(100, "".join(alts), "1/1", bases, filter="LowQual")]
    done = bench(tmp_path, truth, query, decompose=False)
    assert counts(done.summary(filter_="ALL"))[:2] == (2, 0)
    assert counts(done.summary(filter_="PASS"))[:2] == (0, 2)


def test_ignored_filters_give_sel_rows(tmp_path: Path) -> None:
    query = [Call(100), Call(200, filter="LowQual"), Call(300, filter="Other")]
    truth = [Call(100), Call(200), Call(300)]
    done = bench(tmp_path, truth, query, roc_filter="LowQual")
    sel = next(
        row for row in done.result.summary if (row.type, row.filter) == ("SNP", "SEL")
    )
    assert [sel.of(Column.TRUTH_TP), sel.of(Column.TRUTH_FN)] == [2, 1]
    name = "out.roc.Locations.SNP.SEL.csv.gz"
    assert done.prefix.with_name(name).is_file()


def test_nothing_to_divide_by_reads_as_in_hap_py(tmp_path: Path) -> None:
    row = bench(tmp_path, [Call(100)], [Call(100)]).summary("INDEL")
    metrics = [row[f"METRIC.{name}"] for name in ("Recall", "Precision", "Frac_NA")]
    assert metrics == ["0.0", "0.0", "0.0"]
    assert row["METRIC.F1_Score"] == ""
    assert row["TRUTH.TOTAL.het_hom_ratio"] == ""


def test_subtypes_and_zygosity_have_rows_and_columns(tmp_path: Path) -> None:
    calls = [deletion(100, 3), insertion(200, "G" * 20, "1/1"), deletion(300, 9)]
    done = bench(tmp_path, calls, calls)
    assert done.extended(Type="INDEL", Subtype="D1_5")["TRUTH.TP"] == "1"
    assert done.extended(Type="INDEL", Subtype="D6_15")["QUERY.TP"] == "1"
    row = done.extended(Type="INDEL", Subtype="I16_PLUS")
    assert (row["TRUTH.TP.het"], row["TRUTH.TP.homalt"]) == ("0.000000", "1.000000")
    assert done.extended(Type="INDEL")["TRUTH.TOTAL.het_hom_ratio"] == "2.0"


def test_transitions_and_transversions_are_columns_of_snps(tmp_path: Path) -> None:
    partner = {"A": "G", "G": "A", "C": "T", "T": "C"}
    calls = [
        Call(100, partner[GENOME["chr1"][99]]),
        Call(200, partner[GENOME["chr1"][199]]),
    ]
    three = next(
        b
        for b in "ACGT"
        if b not in (GENOME["chr1"][299], partner[GENOME["chr1"][299]])
    )
    done = bench(tmp_path, [*calls, Call(300, three)], [*calls, Call(300, three)])
    row = done.extended(Type="SNP")
    assert (row["TRUTH.TP.ti"], row["TRUTH.TP.tv"]) == ("2.000000", "1.000000")
    assert row["QUERY.TOTAL.TiTv_ratio"] == "2.0"
    assert done.extended(Type="INDEL")["TRUTH.TP.ti"] == "."


def test_superloci_are_contained_or_cross_a_border(tmp_path: Path) -> None:
    bases = GENOME["chr1"][199:201]
    alts = [other_base(base) for base in bases]
    truth = [Call(100), Call(200, alts[0], "1/1"), Call(201, alts[1], "1/1")]
    query = [Call(100), Call(200, "".join(alts), "1/1", bases)]
    bed = write_bed(tmp_path / "c.bed", ("chr1", 0, 200))
    done = bench(tmp_path, truth, query, confident=bed, decompose=False)
    assert done.extended(Type="SNP", Subset="TS_contained")["TRUTH.TP"] == "1"
    crossing = done.extended(Type="SNP", Subset="TS_boundary")
    assert crossing["TRUTH.TP"] == "1"
    assert crossing["QUERY.TP"] == "1"


def test_targets_cut_both_files_down(tmp_path: Path) -> None:
    bed = write_bed(tmp_path / "t.bed", ("chr1", 0, 150))
    calls = [Call(100), Call(200)]
    done = bench(tmp_path, calls, calls, targets=bed)
    assert counts(done.summary()) == (1, 0, 0, 0, 0, 0)
    assert done.result.skipped["truth"] == {"outside the target regions": 1}
    assert done.extended(Type="SNP")["Subset.Size"] == "150"


def test_calls_on_contigs_without_truth_are_named(tmp_path: Path) -> None:
    done = bench(tmp_path, [Call(100)], [Call(100), Call(50, contig="chr2")])
    assert counts(done.summary()) == (1, 0, 0, 0, 0, 0)
    assert done.result.skipped["query"] == {"on a contig without truth variants": 1}


def test_haploid_calls_follow_the_sex(tmp_path: Path) -> None:
    genome = {"chr1": GENOME["chr1"], "chrX": GENOME["chr2"]}
    from tests.haplotypes import small

    folder = tmp_path
    job = Job(
        truth=small.write_vcf(
            folder / "t.vcf",
            [Call(50), Call(100, gt="1", contig="chrX")],
            genome=genome,
        ),
        query=small.write_vcf(
            folder / "q.vcf",
            [Call(50), Call(100, gt="1/1", contig="chrX")],
            genome=genome,
        ),
        reference=small.write_fasta(folder / "r.fa", genome),
        out_prefix=folder / "o",
        sex="male",
    )
    benchmark(job)
    row = read_csv(folder / "o.extended.csv")
    snp = next(r for r in row if r["Type"] == "SNP" and r["Filter"] == "ALL")
    assert snp["TRUTH.TP"] == "2"
    assert snp["TRUTH.TP.homalt"] == "1.000000"


def test_no_variants_in_common_is_an_error_with_all_contigs(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError) as caught:
        bench(tmp_path, [Call(100)], [Call(50, contig="chr2")])
    text = str(caught.value)
    assert "query" in text
    assert "chr2: 1" in text
    assert "chr1: 1" in text
    assert not list((tmp_path / "results").iterdir())


def test_every_fault_of_the_inputs_is_said_at_once(tmp_path: Path) -> None:
    job = Job(
        tmp_path / "no.vcf",
        tmp_path / "nor.vcf",
        tmp_path / "no.fa",
        tmp_path / "out",
        confident=tmp_path / "no.bed",
        stratification=tmp_path / "no.tsv",
        roc="FORMAT.XX",
        ci_alpha=7,
    )
    with pytest.raises(BenchmarkError) as caught:
        benchmark(job)
    text = "\n".join(caught.value.faults)
    for name in ("no.vcf", "nor.vcf", "no.fa", "no.bed", "no.tsv", "FORMAT.XX", "7"):
        assert name in text


def test_another_build_is_refused_with_both_lists(tmp_path: Path) -> None:
    from tests.haplotypes import small

    other = {name: bases[:-10] for name, bases in GENOME.items()}
    job = Job(
        small.write_vcf(tmp_path / "t.vcf", [Call(100)]),
        small.write_vcf(tmp_path / "q.vcf", [Call(100)], genome=other),
        small.write_fasta(tmp_path / "r.fa"),
        tmp_path / "out",
    )
    with pytest.raises(BenchmarkError, match="another genome build") as caught:
        benchmark(job)
    assert "2990 bases here, 3000 in the reference" in str(caught.value)


def test_names_without_chr_are_the_same_contigs(tmp_path: Path) -> None:
    from tests.haplotypes import small

    bare = {name.removeprefix("chr"): bases for name, bases in GENOME.items()}
    query = [Call(100, contig="1"), Call(200, contig="1")]
    job = Job(
        small.write_vcf(tmp_path / "t.vcf", [Call(100), Call(200)]),
        small.write_vcf(tmp_path / "q.vcf", query, genome=bare),
        small.write_fasta(tmp_path / "r.fa"),
        tmp_path / "out",
        confident=write_bed(tmp_path / "c.bed", ("1", 0, 3000)),
    )
    benchmark(job)
    rows = read_csv(tmp_path / "out.summary.csv")
    assert [row["TRUTH.TP"] for row in rows if row["Type"] == "SNP"] == ["2", "2"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prefix = tmp_path_factory.mktemp("real") / "out"
    run_real(prefix, ci_alpha=0.05)
    return prefix


@pytest.mark.cases
@pytest.mark.parametrize("table", ["summary", "extended"])
def test_every_number_of_a_real_run_is_hap_py_s(real: Path, table: str) -> None:
    theirs = case("hg38-chr20-5M-HG002") / "hap.py-vcfeval" / f"{table}.csv"
    ours = real.with_name(f"out.{table}.csv")
    wanted, found = cells(theirs), cells(ours)
    assert found[0] == wanted[0]
    assert len(found) == len(wanted)
    for mine, other in zip(found[1:], wanted[1:], strict=True):
        assert [value(cell) for cell in mine] == [value(cell) for cell in other]


def cells(path: Path) -> list[list[str]]:
    with path.open(newline="") as handle:
        return list(csv.reader(handle))


def value(cell: str) -> object:
    """A number, with hap.py's noise in the last places rounded off."""
    try:
        return round(float(cell), 9)
    except ValueError:
        return cell


@pytest.mark.cases
def test_a_truth_compared_with_itself_scores_one(tmp_path: Path) -> None:
    folder = case("hg38-chr20-5M-HG002")
    truth = folder / "truth.vcf.gz"
    job = Job(truth, truth, folder / "reference.fa.gz", tmp_path / "out")
    rows = benchmark(job).summary
    for row in rows:
        numbers = [row.of(column) for column in Column]
        assert numbers[1] == numbers[3] == numbers[4] == 0
        assert numbers[0] > 0
