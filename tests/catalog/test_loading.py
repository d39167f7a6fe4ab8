from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import catalog
from benchmarks.catalog import CatalogError, load
from benchmarks.catalog.lookup import OWN


def content() -> dict[str, Any]:
    entry: dict[str, Any] = {
        "individual": "D1",
        "build": "GRCh38",
        "chr_prefix": True,
        "kind": "smvar",
        "version": "v1",
        "vcf": {"path": "d1.vcf.gz", "bytes": 3},
        "bed": {"path": "d1.bed"},
    }
    return {
        "schema": 1,
        "bases": ["http://127.0.0.1:9/"],
        "individuals": [{"id": "D1", "sex": "male", "aliases": ["DEMO"]}],
        "truth_sets": [{**entry, "key": "a", "default": True}],
        "references": [
            {
                "key": "r",
                "build": "GRCh38",
                "default": True,
                "fasta": {"path": "r.fa.gz"},
            }
        ],
    }


def saved(folder: Path, data: object) -> Path:
    path = folder / "catalog.json"
    path.write_text(json.dumps(data))
    return path


def test_a_small_catalogue_of_ones_own(tmp_path: Path) -> None:
    own = load(saved(tmp_path, content()))
    assert own.identify("x_demo_1").id == "D1"
    entry, _ = own.truth_set("D1", "GRCh38", "smvar")
    assert entry is not None
    assert entry.bed.urls == ("http://127.0.0.1:9/d1.bed",)
    assert set(entry.files) == {"vcf", "bed"}


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    bad = content()
    bad["bases"] = ["ftp://x/"]
    bad["truth_sets"][0]["vcf"] = {"path": "../x", "bytes": "3", "md5": "zz"}
    bad["truth_sets"][0]["build"] = "hg19"
    del bad["individuals"][0]["sex"]
    with pytest.raises(CatalogError) as caught:
        load(saved(tmp_path, bad))
    text = str(caught.value)
    assert "has 6 faults" in text
    for place in (
        "bases.0: ",
        "truth_sets.0.vcf.path: ",
        "truth_sets.0.vcf.bytes: ",
        "truth_sets.0.vcf.md5: Has to be 32 hex digits.",
        "truth_sets.0.build: ",
        "individuals.0.sex: Missing data",
    ):
        assert place in text


def test_entries_have_to_agree(tmp_path: Path) -> None:
    bad = content()
    twin = bad["truth_sets"][0]
    bad["truth_sets"] += [twin, {**twin, "key": "c", "individual": "D2"}]
    bad["references"][0]["default"] = False
    with pytest.raises(CatalogError) as caught:
        load(saved(tmp_path, bad))
    text = str(caught.value)
    assert "truth_sets: a is there 2 times." in text
    assert "D1 GRCh38 smvar has 2 defaults" in text
    assert "D2 has an entry but is not among the individuals." in text
    assert "GRCh38 has 0 default references" in text


@pytest.mark.parametrize(
    ("text", "fault"),
    [("{", "is not JSON"), ("[]", "Invalid input type"), ("{}", "bases: Missing")],
)
def test_other_files_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(text)
    with pytest.raises(CatalogError, match=fault):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"none\.json cannot be read: No such file"):
        load(tmp_path / "none.json")


def test_a_label_that_would_switch_the_regions_off_is_refused(tmp_path: Path) -> None:
    bad = content()
    stratum = {"label": "xCONFx", "bed": {"path": "x.bed"}}
    bad["stratifications"] = [{"build": "GRCh38", "version": "1", "strata": [stratum]}]
    with pytest.raises(CatalogError, match="no 'CONF' in it"):
        load(saved(tmp_path, bad))


def test_current_follows_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Chosen:
        catalog = ""
        giab_urls: list[str] = []

    class Settings:
        VCBENCH = Chosen

    monkeypatch.setattr(catalog, "settings", Settings)
    assert catalog.current().path == OWN
    Chosen.catalog = str(saved(tmp_path, content()))
    Chosen.giab_urls = ["http://127.0.0.1:7"]
    assert catalog.current().truth_sets[0].vcf.urls == ("http://127.0.0.1:7/d1.vcf.gz",)
    Chosen.catalog = str(tmp_path / "absent.json")
    with pytest.raises(CatalogError, match="cannot be read"):
        catalog.current()
