"""A place of the genome: what igv.js is given, and what stands beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from runs.models import Run, Status
from tests.cases import case
from tests.portal.builders import make_run
from tests.portal.conftest import Browser
from tests.portal.page import Page
from tests.results import real

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.cases,
    pytest.mark.usefixtures("data_dir"),
]


@pytest.fixture(autouse=True)
def cases_may_be_read(configure: Callable[..., None]) -> Path:
    root = case("hg19-chr20-10kb-NA12878").parent
    configure(path_roots=[root])
    return root


def look(browser: Browser, run: Run, **query: Any) -> Page:
    return browser.page(reverse("run-genome", args=[run.uuid]), **query)


def igv(page: Page) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.one("#igv-data").text())
    return data


def test_a_false_positive_with_all_that_is_known(looks: Browser) -> None:
    run = real.small()

    page = look(looks, run, verdict="FP", n=0)

    assert page.text("h1") == "chr20:835164"
    data = igv(page)
    assert data["locus"] == "chr20:835104-835225"
    assert [track["name"] for track in data["tracks"]] == [
        "Truth",
        "Calls",
        "Verdicts",
        "Confident regions",
    ]
    assert page.text("nav .row, nav.row span") == "1 of 8"
    assert page.has("nav a[rel=next]")
    assert not page.has("nav a[rel=prev]")


def test_every_file_that_is_named_can_be_read_by_range(looks: Browser) -> None:
    data = igv(look(looks, real.small(), n=0))

    addresses = [data["reference"][name] for name in data["reference"] if "URL" in name]
    for track in data["tracks"]:
        addresses += [track[name] for name in ("url", "indexURL") if name in track]
    assert len(addresses) == 10
    for address in addresses:
        answer = looks.get(address, headers={"range": "bytes=0-15"})
        assert answer.status_code == 206, address
        assert len(answer.getvalue()) == 16


def test_records_are_listed_as_text_too(looks: Browser) -> None:
    page = look(looks, real.small(), verdict="FP", n=0)

    row = page.texts("[aria-labelledby=records-title] tbody tr > *")
    assert row[:7] == ["chr20:835164", "A → ATC", "0/1", "FN", "1/1", "FP", "am"]


def test_only_this_page_allows_styles_of_scripts(looks: Browser) -> None:
    run = real.with_reads()

    drawn = looks.get(reverse("run-genome", args=[run.uuid]), {"place": "chr20:10"})
    other = looks.get(reverse("run", args=[run.uuid]))

    policy = drawn.headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src" not in policy
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in other.headers["Content-Security-Policy"]


def test_any_place_can_be_looked_at(looks: Browser) -> None:
    page = look(looks, real.with_reads(), place="chr20:10,001,019")

    assert igv(page)["locus"] == "chr20:10000959-10001079"
    assert page.text("h1") == "chr20:10001019-10001019"


@pytest.mark.parametrize("query", [{}, {"place": "chr20:"}, {"n": "7"}])
def test_without_a_place_one_is_asked_for(
    looks: Browser, query: dict[str, str]
) -> None:
    page = look(looks, real.with_reads(), **query)

    assert page.status == 200
    assert page.has("form[role=search] #id_place")
    assert not page.has("#igv-data")


def test_without_a_reference_nothing_is_drawn(looks: Browser) -> None:
    page = look(looks, make_run(status=Status.COMPLETED), place="chr1:5")

    assert "not on this server any more" in page.text(".empty")


def give(browser: Browser, run: Run, path: object, **more: str) -> Page:
    address = reverse("run-reads", args=[run.uuid])
    return browser.send(address, follow=True, path=str(path), **more)


def test_reads_lie_beneath(operates: Browser, cases_may_be_read: Path) -> None:
    run = real.with_reads()
    bam = cases_may_be_read / "hg19-chr20-10kb-NA12878" / "reads.bam"
    back = f"{reverse('run-genome', args=[run.uuid])}?place=chr20:10001019"

    page = give(operates, run, bam, next=back)

    reads = igv(page)["tracks"][-1]
    assert (reads["type"], reads["format"]) == ("alignment", "bam")
    whole = bam.read_bytes()
    answer = operates.get(reads["url"], headers={"range": "bytes=100-199"})
    assert answer.getvalue() == whole[100:200]
    assert operates.get(reads["indexURL"]).status_code == 200
    run.refresh_from_db()
    assert run.options["reads"] == str(bam.resolve())


def test_reads_can_be_taken_away(operates: Browser, cases_may_be_read: Path) -> None:
    run = real.with_reads()
    give(operates, run, cases_may_be_read / "hg19-chr20-10kb-NA12878" / "reads.bam")

    give(operates, run, "")

    run.refresh_from_db()
    assert run.options == {}
    address = reverse("api-runs-reads", args=[run.uuid, "alignment"])
    assert operates.get(address).status_code == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/etc/passwd", "lies outside the allowed folders"),
        ("reads.bam", "Give the whole path"),
        ("{root}/hg19-chr20-10kb-NA12878/truth.bed", "is no BAM or CRAM file"),
        ("{root}/nothing.bam", "is not there"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    operates: Browser, cases_may_be_read: Path, path: str, said: str
) -> None:
    run = real.with_reads()

    page = give(operates, run, path.format(root=cases_may_be_read))

    assert said in page.text(".note-error")
    run.refresh_from_db()
    assert "reads" not in run.options


def test_reads_without_an_index_are_refused(
    operates: Browser, tmp_path: Path, configure: Callable[..., None]
) -> None:
    configure(path_roots=[tmp_path])
    bam = tmp_path / "a.bam"
    bam.write_bytes(b"BAM")

    page = give(operates, real.with_reads(), bam)

    assert "has no index beside it" in page.text(".note-error")


def test_reads_that_may_no_longer_be_read_are_not_served(
    operates: Browser, cases_may_be_read: Path, configure: Callable[..., None]
) -> None:
    run = real.with_reads()
    give(operates, run, cases_may_be_read / "hg19-chr20-10kb-NA12878" / "reads.bam")

    configure(path_roots=[])

    address = reverse("api-runs-reads", args=[run.uuid, "alignment"])
    assert operates.get(address).status_code == 404


def test_going_back_leads_to_no_other_site(operates: Browser) -> None:
    run = real.with_reads()

    address = reverse("run-reads", args=[run.uuid])
    answer = operates.post(address, {"path": "", "next": "https://example.org/"})

    assert answer.headers["Location"] == reverse("run-genome", args=[run.uuid])
