"""The table of false positives and negatives, as a page and over REST."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from benchmarks import variants
from runs.models import Run, Status
from runs.results import variants_of
from tests.api.test_openapi import validator
from tests.portal.builders import make_run
from tests.portal.conftest import Browser
from tests.portal.page import Page
from tests.results import real

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_dir")]
HEAD = (
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tTRUTH\tQUERY\n"
    "chr1\t100\t.\tA\tG\t.\tPASS\tRegions=CONF,TR\tGT:BD:BK:BVT:BI:QQ\t"
    "0/1:FN:am:SNP:ti:.\t1/1:FP:am:SNP:ti:30.25\n"
)
RECORD = (
    "chr2\t{at}\t.\t=A\tATT\t.\tLowQual\t.\tGT:BD:BK:BVT:BI:QQ\t"
    ".:.:.:NOCALL:.:.\t0/1:FP:.:INDEL:i1_5:{at}\n"
)


@pytest.fixture
def run() -> Run:
    """60 false calls on chr2, and one genotype that is wrong on chr1."""
    run = make_run(status=Status.COMPLETED)
    parquet = variants_of(run)
    parquet.parent.mkdir(parents=True)
    vcf = parquet.with_name("happy.vcf.gz")
    lines = "".join(RECORD.format(at=at) for at in range(1, 61))
    vcf.write_bytes(gzip.compress((HEAD + lines).encode()))
    variants.extract(vcf, parquet)
    return run


def look(browser: Browser, run: Run, **query: Any) -> Page:
    return browser.page(reverse("run-variants", args=[run.uuid]), **query)


def places(page: Page) -> list[str]:
    return page.texts("table.variants tbody th")


def test_every_false_variant_is_listed(looks: Browser, run: Run) -> None:
    page = look(looks, run)

    assert page.text("#variants-title") == "62 variants"
    assert page.texts("table.variants tbody tr:nth-child(2) > *") == [
        "chr1:100", "FP false positive", "SNP ti", "A → G", "0", "1/1", "30.25",
        "PASS", "genotype", "TR",
    ]  # fmt: skip
    assert len(places(page)) == 50


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"verdict": "FN"}, 1),
        ({"type": "INDEL"}, 60),
        ({"reason": "genotype"}, 2),
        ({"stratum": "TR"}, 2),
        ({"genotype": "1/1"}, 1),
        ({"filter": "LowQual"}, 60),
        ({"place": "chr2"}, 60),
        ({"place": "chr2:11-20"}, 10),
        ({"place": "chr2:60"}, 1),
        ({"min_size": "1"}, 60),
        ({"min_quality": "30.2", "max_quality": "40"}, 11),
    ],
)
def test_it_can_be_narrowed(
    looks: Browser, run: Run, query: dict[str, str], count: int
) -> None:
    page = look(looks, run, **query)

    assert page.text("#variants-title").split()[0] == str(count)
    [name] = list(query)[:1]
    kept = page.one(f"[name={name}]")
    chosen = kept.css_first("option[selected]") or kept
    assert chosen.attributes["value"] == query[name]


def test_pages_keep_the_filter(looks: Browser, run: Run) -> None:
    first = look(looks, run, type="INDEL")
    following = first.one("nav a[rel=next]").attributes["href"] or ""

    page = looks.page(reverse("run-variants", args=[run.uuid]) + following)

    assert len(places(page)) == 10
    assert page.text(".pages span:nth-child(2)") == "Page 2 of 2"
    assert not page.has("a[rel=next]")


def test_a_page_beyond_the_last_is_the_last(looks: Browser, run: Run) -> None:
    assert len(places(look(looks, run, page="999"))) == 12


@pytest.mark.parametrize("number", ["0", "-3", "x", "9" * 30])
def test_what_is_no_page_is_the_first(looks: Browser, run: Run, number: str) -> None:
    assert len(places(look(looks, run, page=number))) == 50


def test_it_can_be_sorted(looks: Browser, run: Run) -> None:
    assert places(look(looks, run, sort="-quality"))[0] == "chr2:60"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("place", "chr2:9-", "Write chr20"),
        ("place", "chr2:20-10", "Write chr20"),
        ("min_size", "-1", "greater than or equal to 0"),
        ("stratum", "x" * 301, "Select a valid choice"),
        ("sort", "alt; DROP", "Select a valid choice"),
    ],
)
def test_faults_are_told_at_their_field(
    looks: Browser, run: Run, name: str, value: str, said: str
) -> None:
    page = look(looks, run, **{name: value})

    assert page.status == 422
    assert said in page.text(f"#id_{name}_error")


def test_what_does_not_occur_is_none_not_a_fault(looks: Browser, run: Run) -> None:
    page = look(looks, run, verdict="TP")

    assert page.status == 200
    assert page.text(".panel .empty") == "No variant is like this."


def test_a_row_leads_to_its_place(looks: Browser, run: Run) -> None:
    page = look(looks, run, type="INDEL", page="2")

    link = page.one("table.variants tbody tr:nth-child(3) th a").attributes["href"]

    assert link == f"{reverse('run-genome', args=[run.uuid])}?type=INDEL&n=52"
    assert looks.page(link or "").text("h1") == "chr2:53"


def test_without_results_the_page_says_so(looks: Browser) -> None:
    page = look(looks, make_run())

    assert page.status == 200
    assert "no table of false variants" in page.text(".empty")
    assert not page.has("form[role=search]")


@pytest.mark.cases
def test_structural_variants_have_their_own_tab(looks: Browser) -> None:
    run = real.structural_run()

    page = look(looks, run, kind="structural")

    assert page.text("#variants-title") == "2 variants"
    assert {row.text() for row in page.all("table.variants .verdict-tag b")} == {"FN"}


def test_long_alleles_are_cut_and_say_how_long(looks: Browser, run: Run) -> None:
    vcf = variants_of(run).with_name("long.vcf.gz")
    line = RECORD.format(at=5).replace("=A\tATT", "A\tA" + "C" * 99)
    vcf.write_bytes(gzip.compress((HEAD.splitlines(True)[0] + line).encode()))
    variants.extract(vcf, variants_of(run))

    assert look(looks, run).text(".alleles") == "A → ACCCCCCCCCCCCCCC… (100)"


def ask(browser: Client, run: Run, **query: Any) -> Any:
    return browser.get(reverse("api-runs-variants", args=[run.uuid]), query)


def test_rest_answers_the_same_rows(looks: Browser, run: Run) -> None:
    answer = ask(looks, run, verdict="FP", place="chr2:11-20", limit=4, offset=4).json()

    validator("VariantPage").validate(answer)
    assert [row["position"] for row in answer["items"]] == [15, 16, 17, 18]
    assert (answer["total"], answer["next"]) == (10, 8)
    last = ask(looks, run, place="chr2:11-20", offset=8).json()
    assert last["next"] is None


def test_rest_takes_a_pages_form_as_it_is(looks: Browser, run: Run) -> None:
    form = {"verdict": "", "min_size": "", "max_quality": "", "place": "", "sort": ""}

    assert ask(looks, run, **form).json()["total"] == 62


@pytest.mark.parametrize(
    ("name", "value"),
    [("place", "chr2:9-"), ("verdict", "TP"), ("limit", "1001"), ("colour", "red")],
)
def test_rest_refuses_what_it_cannot_read(
    looks: Browser, run: Run, name: str, value: str
) -> None:
    answer = ask(looks, run, **{name: value})

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [name]


@pytest.mark.parametrize(("format", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_all_rows_can_be_taken_away(
    looks: Browser, run: Run, format: str, delimiter: str
) -> None:
    answer = ask(looks, run, format=format, limit=3)

    text = answer.getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    assert len(rows) == 62
    assert rows[0]["strata"] == "CONF;TR"
    assert rows[2]["ref"] == "'=A", "no spreadsheet may carry it out"
    assert rows[1]["quality"] == "30.25"


def test_rest_says_when_there_is_nothing(looks: Browser) -> None:
    answer = ask(looks, make_run(), format="csv")

    assert answer.status_code == 404
    assert "no table of false variants" in answer.json()["error"]["message"]
