"""The synthetic laboratory: the same each time, and as it says it is."""

from __future__ import annotations

import random
from pathlib import Path

import pysam
import pytest

from benchmarks import catalog
from benchmarks.parsers import dragen, dragen_files
from demo import calls, genome, lab
from demo.files import digest_of

Key = tuple[str, int, str, str]


def test_it_is_the_same_each_time(made: lab.Lab, tmp_path: Path) -> None:
    again = lab.build(tmp_path)
    assert again.expected == made.expected
    assert again.catalog.read_text() == made.catalog.read_text()
    names = sorted(path.name for path in made.samples.rglob("*") if path.is_file())
    assert len(names) == len(set(names)) > 50
    for path in made.samples.rglob("*.vcf.gz"):
        twin = again.samples / path.relative_to(made.samples)
        assert digest_of(twin, "sha256") == digest_of(path, "sha256")


def test_the_catalogue_reads_without_a_fault(made: lab.Lab) -> None:
    known = catalog.load(made.catalog, ["http://127.0.0.1:1"])
    answer = known.truth_set("HG004", "GRCh38", "smvar")
    assert answer.entry is not None
    assert (made.site / answer.entry.vcf.path).is_file()
    assert known.truth_set("HG004", "GRCh38", "stvar").entry is None
    assert known.truth_set("HG002", "GRCh38", "stvar").entry is not None


def test_names_are_dragens(sample: Path) -> None:
    kinds = {dragen_files.classify(path.name).kind for path in sample.iterdir()}
    assert {"smvar_vcf", "smvar_gvcf", "sv_vcf", "cnv_vcf", "md5sum", "tbi"} <= kinds
    assert "other" not in kinds
    metrics = [p for p in sample.iterdir() if p.suffix == ".csv"]
    assert len(metrics) == 15
    assert "other_metrics" not in kinds


def test_checksums_are_right(sample: Path) -> None:
    sides = list(sample.glob("*.md5sum"))
    assert len(sides) == 4
    for side in sides:
        assert side.read_text().split() == [
            digest_of(sample / side.stem, "md5"),
            side.stem,
        ]


def test_metrics_can_be_read(made: lab.Lab) -> None:
    for person in lab.PEOPLE:
        folder = made.samples / person.sample
        [file] = folder.glob("*.ploidy_estimation_metrics.csv")
        rows = {row.metric: row.value for row in dragen.read_metrics(file)}
        assert rows["Autosomal median coverage"] == person.depth


def test_reference_bases_are_those_of_the_fasta(made: lab.Lab, sample: Path) -> None:
    [vcf] = sample.glob("*.hard-filtered.vcf.gz")
    with (
        pysam.FastaFile(str(made.site / lab.FASTA)) as fasta,
        pysam.VariantFile(str(vcf)) as records,
    ):
        for record in records:
            assert record.ref == fasta.fetch(record.chrom, record.start, record.stop)


def keys(path: Path, *, passing: bool = False) -> dict[Key, tuple[int | None, ...]]:
    with pysam.VariantFile(str(path)) as records:
        return {
            (r.chrom, r.start, r.ref or "", (r.alts or ("",))[0]): tuple(
                sorted(r.samples[0]["GT"])
            )
            for r in records
            if not passing or "PASS" in r.filter
        }


def regions(made: lab.Lab) -> list[calls.Region]:
    [bed] = made.site.glob("**/HG004*.bed")
    rows = (line.split() for line in bed.read_text().splitlines())
    return [(contig, int(start), int(end)) for contig, start, end in rows]


@pytest.mark.parametrize("passing", [False, True])
def test_known_numbers_are_those_of_the_files(
    made: lab.Lab, sample: Path, passing: bool
) -> None:
    """Counted anew from the files: sites cannot be written in two ways, so that
    equal text is equal meaning."""
    [truth_file] = made.site.glob("**/HG004*benchmark.vcf.gz")
    [query_file] = sample.glob("*.hard-filtered.vcf.gz")
    truth, query = keys(truth_file), keys(query_file, passing=passing)
    parts = regions(made)

    def inside(key: Key) -> bool:
        return any(c == key[0] and s <= key[1] < e for c, s, e in parts)

    for kind in ("SNP", "INDEL"):
        known = {k: v for k, v in truth.items() if is_kind(k, kind)}
        called = {k: v for k, v in query.items() if is_kind(k, kind)}
        here = {k for k in known if inside(k)}
        found = {k for k in here if called.get(k) == known[k]}
        false = {k for k in called if inside(k) and k not in found}
        filter = "PASS" if passing else "ALL"
        expected = made.expected["NA24143_Lib3_Rep1"].small[kind, filter]
        assert expected == {
            "truth_total": len(here),
            "truth_tp": len(found),
            "truth_fn": len(here - found),
            "query_total": len(called),
            "query_fp": len(false),
            "query_unk": sum(not inside(k) for k in called),
            "fp_gt": len(false & here),
        }
        assert len(here - found) > 0


def is_kind(key: Key, kind: str) -> bool:
    return (len(key[2]) == len(key[3]) == 1) == (kind == "SNP")


@pytest.mark.parametrize("seed", range(20))
def test_insertions_and_deletions_cannot_be_moved(seed: int) -> None:
    chance = random.Random(seed)
    where = genome.stretch("chr21", 1000, 6000, seed)
    for variant in genome.small_variants(where, chance):
        longer = max(variant.ref, variant.alt, key=len)
        if variant.is_snp:
            continue
        assert longer[-1] != variant.ref[0], "could be moved to the left"
        following = where.base(variant.end)
        assert longer[1] != following, "could be moved to the right"


def test_a_gvcf_covers_every_base_once(made: lab.Lab, sample: Path) -> None:
    [gvcf] = sample.glob("*.gvcf.gz")
    ends: dict[str, int] = {}
    with pysam.VariantFile(str(gvcf)) as records:
        for record in records:
            assert record.start == ends.get(record.chrom, record.start)
            ends[record.chrom] = record.stop
    assert ends == {"chr21": 10_240_000, "chr22": 16_160_000}
