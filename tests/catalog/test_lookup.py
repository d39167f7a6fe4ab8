from __future__ import annotations

import pytest

from benchmarks.catalog import Catalog, CatalogError, UnknownIndividualError, load

GIAB = load()
NCBI = "https://ftp-trace.ncbi.nlm.nih.gov/ReferenceSamples/giab/"
S3 = "https://giab.s3.amazonaws.com/"


@pytest.mark.parametrize(
    ("sample", "individual"),
    [
        ("NA24143_Lib3_Rep1", "HG004"),
        ("NA24143_Lib3_Rep1_R001", "HG004"),
        ("NA24385-AJ-Son-R1-NS_S33", "HG002"),
        ("NA12878_NFE_B_A04_NS2000", "HG001"),
        ("NA12878-PCRF450-1", "HG001"),
        ("HG002_novogene_wes_16g_rep1", "HG002"),
        ("HG002.novaseq.pcr-free.35x", "HG002"),
        ("hg-005_x", "HG005"),
        ("GM24694", "HG006"),
        ("lab7_na24695", "HG007"),
        ("run1_HG003_NA24149", "HG003"),
        ("HG001", "HG001"),
    ],
)
def test_identify(sample: str, individual: str) -> None:
    assert GIAB.identify(sample).id == individual


@pytest.mark.parametrize(
    "sample",
    [
        "HG00100",  # 1000 Genomes
        "HG00299_x",
        "HG00512",
        "HG0010",
        "NA128781",
        "XHG001",
        "2NA12878",
        "NA12891",
        "HG008",
        "",
        "sample",
    ],
)
def test_others_are_not_giab_individuals(sample: str) -> None:
    with pytest.raises(UnknownIndividualError, match="names none of the known"):
        GIAB.identify(sample)


def test_two_individuals_in_one_name_are_refused() -> None:
    with pytest.raises(
        UnknownIndividualError, match=r"NA24385 \(HG002\) and HG003 \(HG003\)"
    ):
        GIAB.identify("NA24385_x_HG003")


def test_an_unknown_sample_is_told_what_to_provide() -> None:
    with pytest.raises(UnknownIndividualError, match=r"HG004 = NA24143.* truth set of"):
        GIAB.identify("PATIENT7")


@pytest.mark.parametrize("build", ["GRCh37", "GRCh38"])
@pytest.mark.parametrize("person", [person.id for person in GIAB.individuals])
def test_every_individual_has_v4_2_1_with_the_right_bed(
    person: str, build: str
) -> None:
    entry, reason = GIAB.truth_set(person, build, "smvar")
    assert entry is not None
    assert reason == ""
    assert entry.version == "v4.2.1"
    noinconsistent = person in {"HG002", "HG003", "HG004"}
    suffix = "_benchmark_noinconsistent.bed" if noinconsistent else "_benchmark.bed"
    assert entry.bed.name == f"{person}_{build}_1_22_v4.2.1{suffix}"
    assert entry.vcf.name == f"{person}_{build}_1_22_v4.2.1_benchmark.vcf.gz"
    assert f"NISTv4.2.1/{build}/" in entry.vcf.path
    assert all(file.bytes for file in entry.files.values())


@pytest.mark.parametrize(
    "person", ["HG001", "HG003", "HG004", "HG005", "HG006", "HG007"]
)
def test_only_hg002_has_structural_truth(person: str) -> None:
    entry, reason = GIAB.truth_set(person, "GRCh38", "stvar")
    assert entry is None
    assert person in reason
    assert "HG002 only" in reason


def test_structural_truth_of_hg002() -> None:
    for build in ("GRCh37", "GRCh38", "CHM13v2.0"):
        entry, _ = GIAB.truth_set("HG002", build, "stvar")
        assert entry is not None
        assert entry.version == "v5.0q"
        assert entry.bed.name == f"HG002_{build}_v5.0q_stvar.benchmark.bed"
    legacy, _ = GIAB.truth_set("HG002", "GRCh37", "stvar", "v0.6")
    assert legacy is not None
    assert legacy.alternate_beds[0].name == "HG002_SVs_Tier1_noVDJorXorY_v0.6.2.bed"


def test_legacy_structural_truth_is_of_no_other_build() -> None:
    entry, reason = GIAB.truth_set("HG002", "GRCh38", "stvar", "v0.6")
    assert entry is None
    assert "no v0.6 version" in reason
    assert "v5.0q" in reason


def test_a_missing_build_names_the_others() -> None:
    entry, reason = GIAB.truth_set("HG001", "CHM13v2.0", "smvar")
    assert entry is None
    assert "small variants for HG001 on CHM13v2.0. It has one for GRCh37, GRCh38." in (
        reason
    )


def test_pinned_folders_only() -> None:
    assert not [entry for entry in GIAB.truth_sets if "latest" in entry.vcf.path]


def test_ncbi_comes_first_and_s3_second() -> None:
    entry, _ = GIAB.truth_set("HG002", "GRCh38", "smvar")
    assert entry is not None
    assert entry.vcf.urls == (NCBI + entry.vcf.path, S3 + entry.vcf.path)


def test_a_caller_can_name_other_sites() -> None:
    local = load(bases=["http://127.0.0.1:8000/giab"])
    files = [
        *(file for entry in local.truth_sets for file in entry.files.values()),
        *(file for entry in local.references for file in entry.files.values()),
    ]
    for file in files:
        assert file.urls == (f"http://127.0.0.1:8000/giab/{file.path}",)
    strata = local.stratifications("GRCh38")
    assert strata is not None
    assert strata.strata[0].bed.urls[0].startswith("http://127.0.0.1:8000/giab/")


def test_references() -> None:
    ncbi = GIAB.reference("GRCh38")
    assert ncbi.key == "GRCh38_no_alt_ncbi"
    assert ncbi.compression == "gzip"
    assert ncbi.fasta.urls[0].startswith("https://ftp.ncbi.nlm.nih.gov/genomes/all/")
    indexed = GIAB.reference("GRCh38", "GRCh38_no_alt_giab")
    assert set(indexed.files) == {"fasta", "fai", "gzi"}
    assert GIAB.reference("GRCh37").key == "hs37d5_giab"
    with pytest.raises(CatalogError, match=r"no reference hs37d5 of GRCh38.*GRCh38_no"):
        GIAB.reference("GRCh38", "hs37d5")


def test_strata() -> None:
    strata = GIAB.stratifications("GRCh37")
    assert strata is not None
    assert [stratum.label for stratum in strata.strata] == [
        "TR",
        "TR10kb",
        "HP",
        "SD",
        "SD10kb",
        "LowMap",
    ]
    assert all(stratum.bed.sha256 for stratum in strata.strata)
    assert strata.archive is not None
    assert strata.archive.bytes == 1401035302
    assert GIAB.stratifications("GRCh37", "v9") is None


def test_lookup_by_name_and_key() -> None:
    assert GIAB.individual("HG005").sex == "male"
    with pytest.raises(UnknownIndividualError, match="knows no individual HG009"):
        GIAB.individual("HG009")
    key = "HG001-GRCh38-smvar-v4.2.1"
    assert GIAB.truth_set_by_key(key).vcf.md5 == "ec61d76ad725d808e3a9e1c8acec402a"
    with pytest.raises(CatalogError, match="no truth set nothing"):
        GIAB.truth_set_by_key("nothing")


def test_every_group_has_one_default() -> None:
    groups: dict[tuple[str, str, str], int] = {}
    for entry in GIAB.truth_sets:
        group = (entry.individual, entry.build, entry.kind)
        groups[group] = groups.get(group, 0) + entry.default
    assert set(groups.values()) == {1}


def test_the_catalogue_is_complete() -> None:
    assert isinstance(GIAB, Catalog)
    assert len(GIAB.individuals) == 7
    assert len(GIAB.truth_sets) == 34
