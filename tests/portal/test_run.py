"""The page of a run, and its buttons."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from benchmarks.models import QCMetric
from runs.models import Artifact, Run, Stage, StageStatus, Status
from tests.portal.builders import (
    completed,
    file_of,
    make_run,
    qc,
    running,
    small_variants,
)
from tests.portal.conftest import Browser
from tests.portal.page import Page

pytestmark = pytest.mark.django_db


def page_of(browser: Browser, run: Run) -> Page:
    return browser.page(reverse("run", args=[run.uuid]))


def test_head_says_what_and_who(looks: Browser, operator: User) -> None:
    run = completed(user=operator)

    page = page_of(looks, run)

    assert page.text("h1") == "NA24143_Lib3_Rep1"
    facts = page.facts(".facts-line")
    assert facts["Individual"] == "HG004"
    assert facts["Started by"] == "operator"
    assert facts["Duration"] == "1 min 30 s"
    assert facts["Attempt"] == "1"
    assert facts["Run id"] == str(run.uuid)


def test_headline_numbers_are_those_that_pass(looks: Browser) -> None:
    page = page_of(looks, completed())

    assert page.texts(".verdict h3") == [
        "SNP that pass the filters",
        "INDEL that pass the filters",
    ]
    assert page.texts(".verdict-snp dd") == ["0.9913", "0.9913", "0.9983"]
    assert page.text(".verdict-snp p") == "6,960 of 7,021 found · 61 missed · 12 false"


def test_small_variants_have_all_counts(looks: Browser) -> None:
    page = page_of(looks, completed())

    heads = page.texts(".measures-table thead th")
    assert heads == ["SNP PASS", "SNP ALL", "INDEL PASS", "INDEL ALL"]
    rows = page.all(".measures-table tbody tr")
    cells = [(row.css_first("th button"), row.css_first("td data")) for row in rows]
    first = {head.text(): value.text() for head, value in cells if head and value}
    assert first == {
        "TRUTH.TOTAL": "7,021", "TRUTH.TP": "6,960", "TRUTH.FN": "61",
        "QUERY.TOTAL": "9,000", "QUERY.TP": "6,960", "QUERY.FP": "12",
        "FP.gt": "3", "FP.al": "1", "QUERY.UNK": "2,028",
        "Recall": "0.991312", "1 − recall": "0.008688",
        "Precision": "0.998279", "1 − precision": "0.001721",
        "F1": "0.991304", "Frac_NA": "–",
    }  # fmt: skip


def test_nothing_to_divide_by_is_a_dash_not_a_zero(looks: Browser) -> None:
    run = make_run(status=Status.COMPLETED)
    small_variants(run, "SNP", "PASS", 0, recall=None, precision=None, f1=None)

    assert page_of(looks, run).texts(".verdict-snp dd") == ["–", "–", "–"]


def test_strata_and_subtypes_do_not_pose_as_the_whole(looks: Browser) -> None:
    run = completed()
    small_variants(run, "SNP", "PASS", 1, subset="lowmap")
    small_variants(run, "SNP", "PASS", 1, subtype="ti")

    assert len(page_of(looks, run).all(".measures-table thead th")) == 4


def test_structural_variants(looks: Browser) -> None:
    row = page_of(looks, completed()).row("[aria-labelledby=structural-title] tbody tr")

    assert row == [
        "bench", "all", "all", "90", "91", "8", "10",
        "0.9000 0.82988 – 0.94742", "0.9192 0.85332 – 0.96105",
        "0.9095 0.86068 – 0.94457", "0.8700",
    ]  # fmt: skip


def test_qc_by_category_as_it_was_written(looks: Browser) -> None:
    run = completed()
    qc(run, "Ploidy", "Autosomal median coverage", "n/a", line=2)

    page = page_of(looks, run)

    assert page.texts("[aria-labelledby=qc-title] summary") == [
        "Mapping (1)",
        "Ploidy (1)",
    ]
    assert page.row("#qc-1 tbody tr") == ["Mapped reads", "", "", "12345", "99.50"]
    assert page.row("#qc-2 tbody tr")[3:] == ["n/a", ""]


def test_long_categories_are_cut_and_say_so(looks: Browser) -> None:
    run = completed()
    QCMetric.objects.bulk_create(
        QCMetric(
            run=run,
            category="VC",
            file="v.csv",
            kind="vc",
            line=n,
            metric="m",
            text="1",
        )
        for n in range(160)
    )

    page = page_of(looks, run)

    assert len(page.all("#qc-2 tbody tr")) == 25
    assert page.text("#qc-2 .help").startswith("135 more values are in the files")


def test_files_say_how_they_were_verified(looks: Browser) -> None:
    run = make_run()
    file_of(run, "download/a.vcf.gz")
    file_of(run, "download/b.vcf.gz", verified_by="size", md5="")
    file_of(run, "happy/c.csv", role=Artifact.Role.RESULT, verified_by="")
    kept = {"verified_by": "checksum-header", "md5": "", "crc64nvme": "rosUhgp5mIg="}
    file_of(run, "download/d.csv", **kept)

    rows = {
        cells[0]: cells[1:]
        for row in page_of(looks, run).all("[aria-labelledby=files-title] tbody tr")
        for cells in [[" ".join(c.text().split()) for c in row.css("th, td")]]
    }

    assert rows["download/a.vcf.gz"][:2] == ["1.23 MB", "md5"]
    assert rows["download/b.vcf.gz"][1] == "size only"
    assert rows["happy/c.csv"][1] == "made here"
    assert rows["download/d.csv"][1:3] == [
        "checksum of the source",
        "crc64nvme rosUhgp5mIg=",
    ]
    assert page_of(looks, run).texts("[aria-labelledby=files-title] summary") == [
        "Inputs (3)",
        "Results (1)",
    ]


def test_a_removed_file_is_named_but_not_offered(looks: Browser) -> None:
    run = make_run()
    file_of(run, "download/a.vcf.gz", removed_at=timezone.now())

    page = page_of(looks, run)

    assert page.text("[aria-labelledby=files-title] tbody th") == (
        "download/a.vcf.gz removed"
    )
    assert not page.has("[aria-labelledby=files-title] tbody a")


def test_provenance(looks: Browser) -> None:
    made = {
        "engine": "builtin",
        "versions": {"vcbench": "0.1.0", "pysam": "0.24.1"},
        "commands": ["vcbench compare -r genome.fa"],
    }
    run = make_run(provenance={"happy": made}, options={"stratified": True})

    page = page_of(looks, run)

    section = "[aria-labelledby=provenance-title]"
    assert page.text(f"{section} h3") == "Small variants"
    assert "pysam 0.24.1, vcbench 0.1.0" in page.texts(f"{section} dd")
    assert page.text(f"{section} dd code") == "vcbench compare -r genome.fa"


def test_a_running_stage_shows_how_far_it_is(looks: Browser) -> None:
    run = running(rate=2e6, bytes_done=3_000_000, bytes_total=12_000_000)
    Stage.objects.filter(run=run, name="download").update(
        status=StageStatus.RUNNING, done=3_000_000, total=12_000_000
    )

    page = page_of(looks, run)

    assert page.one("#run-state progress").attributes["value"] == "25"
    assert "3.00 MB / 12.0 MB (25 %) · 2.00 MB/s · 4 s left" in page.texts(".stages p")


def test_a_stage_whose_length_is_unknown_has_a_bar_without_value(
    looks: Browser,
) -> None:
    run = running()
    Stage.objects.filter(run=run, name="truvari").update(status=StageStatus.RUNNING)

    assert "value" not in page_of(looks, run).one("#run-state progress").attributes


def test_the_state_renews_itself_until_the_run_has_ended(looks: Browser) -> None:
    active, ended = running(), completed()

    part = looks.page(reverse("run-state", args=[active.uuid]))
    assert part.one("#run-state").attributes["data-renew"] == "3"
    assert not part.has("html > head > title")
    part = looks.page(reverse("run-state", args=[ended.uuid]))
    assert "data-renew" not in part.one("#run-state").attributes


def test_an_error_is_one_line_with_its_details_folded(looks: Browser) -> None:
    run = make_run(
        status=Status.ERROR, reason="The file is cut off.", details="Traceback: …"
    )

    page = page_of(looks, run)

    assert page.text("#run-state .note-error div > p") == "The file is cut off."
    assert "open" not in page.one("#run-details").attributes
    assert page.text("#run-details pre") == "Traceback: …"


def buttons(page: Page) -> list[str]:
    return page.texts("#run-state .actions button")


def test_operators_have_the_buttons_that_fit(operates: Browser, looks: Browser) -> None:
    active, failed = running(), make_run(status=Status.ERROR)

    assert buttons(page_of(operates, active)) == ["Cancel"]
    assert buttons(page_of(operates, failed)) == ["Retry"]
    assert buttons(page_of(operates, completed())) == []
    assert buttons(page_of(looks, active)) == []
    assert not page_of(operates, active).has("#launch-title")
    assert page_of(operates, failed).has("#launch-title")
    assert not page_of(looks, failed).has("#launch-title")


def test_cancel(operates: Browser) -> None:
    run = make_run()

    page = operates.send(reverse("run-cancel", args=[run.uuid]), follow=True)

    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert page.text("#run-state .note-warning div > p") == "Cancelled by operator."


def test_a_cancel_that_is_asked_for_cannot_be_asked_twice(operates: Browser) -> None:
    run = running()

    page = operates.send(reverse("run-cancel", args=[run.uuid]), follow=True)

    assert "disabled" in page.one("#run-state .actions button").attributes


def test_cancelling_what_has_ended_is_refused(operates: Browser) -> None:
    run = completed()

    page = operates.send(reverse("run-cancel", args=[run.uuid]), follow=True)

    assert "completed already" in page.text(".note-error[role=alert]")


def test_retry(operates: Browser) -> None:
    run = make_run(status=Status.ERROR, finished_at=timezone.now())

    page = operates.send(reverse("run-retry", args=[run.uuid]), follow=True)

    run.refresh_from_db()
    assert (run.status, run.attempt) == (Status.PENDING, 2)
    assert "Attempt 2 is queued" in page.text(".note-success")


def test_a_run_that_waits_for_a_fault_to_pass_says_so(operates: Browser) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    run = make_run(attempt=2, queued_at=soon, reason="The store is busy.")

    page = page_of(operates, run)

    assert page.texts("#run-state .note-warning p") == [
        "The store is busy.",
        f"That may pass: attempt 2 begins by itself at {soon:%H:%M:%S}.",
    ]
    assert buttons(page) == ["Cancel", "Retry"]


def test_retrying_what_went_well_is_refused(operates: Browser) -> None:
    run = completed()

    page = operates.send(reverse("run-retry", args=[run.uuid]), follow=True)

    assert "cannot be retried" in page.text(".note-error[role=alert]")


def test_launch_more_stages(operates: Browser) -> None:
    run = completed()

    operates.send(
        reverse("run-launch", args=[run.uuid]), stages=["stratified"], engine="happy"
    )

    run.refresh_from_db()
    assert run.status == Status.PENDING
    assert run.options == {"stratified": True, "engine": "happy"}
    assert run.stages.get(name="happy").status == StageStatus.PENDING
    assert run.stages.get(name="truvari").status == StageStatus.COMPLETED


@pytest.mark.parametrize("data", [{}, {"stages": ["happy"], "engine": "magic"}])
def test_a_launch_that_cannot_be_read_changes_nothing(
    operates: Browser, data: dict[str, object]
) -> None:
    run = completed()

    page = operates.send(reverse("run-launch", args=[run.uuid]), follow=True, **data)

    run.refresh_from_db()
    assert run.status == Status.COMPLETED
    assert page.has(".note-error[role=alert]")


def test_launching_on_an_active_run_is_refused(operates: Browser) -> None:
    run = running()

    page = operates.send(
        reverse("run-launch", args=[run.uuid]), follow=True, stages=["csv"]
    )

    assert "once it has ended" in page.text(".note-error[role=alert]")


def test_costs_the_same_for_many_rows(
    looks: Browser, django_assert_max_num_queries: object
) -> None:
    run = completed(started_at=timezone.now() - timedelta(hours=1))
    for number in range(20):
        file_of(run, f"download/{number}.vcf.gz")
        qc(run, "VC", f"m{number}", "1", line=number + 10)

    with django_assert_max_num_queries(16):  # type: ignore[operator]
        page_of(looks, run)


def test_the_reason_is_text_not_markup(looks: Browser) -> None:
    run = make_run(status=Status.ERROR, reason="<script>alert(1)</script>")

    page = page_of(looks, run)

    assert not page.has("script:not([src])")
    assert page.text("#run-state .note-error div > p") == "<script>alert(1)</script>"
