"""How a run stands among those before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from benchmarks.models import SmallVariantMetric
from runs.models import Run, Status
from runs.standing import SHOWN, standing_chart, standings
from tests.portal.builders import completed, make_run, small_variants

pytestmark = pytest.mark.django_db


def course(*values: float, **changes: Any) -> list[Run]:
    """Runs an hour apart with these SNP F1, oldest first."""
    start = timezone.now() - timedelta(days=30)
    runs = []
    for at, value in enumerate(values):
        time = start + timedelta(hours=at)
        run = make_run(status=Status.COMPLETED, created_at=time, **changes)
        small_variants(run, "SNP", "PASS", 7000, f1=value)
        runs.append(run)
    return runs


STEADY = [0.99 + 0.001 * (at % 3) for at in range(24)]


def test_a_run_that_falls_out_of_the_baseline() -> None:
    runs = course(*STEADY, 0.95)

    [found] = standings(runs[-1])

    assert found.subject.title == "SNP PASS F1"
    assert found.this.value.value == 0.95
    assert found.before.value == STEADY[-1]
    assert found.change == pytest.approx(0.95 - STEADY[-1])
    assert found.baseline is not None
    assert found.baseline.count == 20
    assert "1-3s" in found.this.rules


def test_what_came_later_says_nothing_of_a_run() -> None:
    runs = course(*STEADY, *[0.5] * 5)

    [found] = standings(runs[23])

    assert len(found.judged) == 24
    assert found.this.rules == ()


def test_others_do_not_count() -> None:
    course(0.1, sample_id=make_run("NA12878_other").sample_id)
    failed = course(0.1)
    Run.objects.filter(pk=failed[0].pk).update(status=Status.ERROR)
    runs = course(0.99, 0.98)

    [found] = standings(runs[-1])

    assert [each.value.value for each in found.judged] == [0.99, 0.98]
    assert found.baseline is None
    assert found.this.z is None


@pytest.mark.parametrize("status", [Status.ERROR, Status.RUNNING])
def test_a_run_that_did_not_complete_is_not_judged(status: str) -> None:
    run = course(*STEADY)[-1]
    run.status = status

    assert standings(run) == []


def test_the_first_run_has_nothing_before_it() -> None:
    assert standings(completed()) == []


def test_a_run_without_the_number() -> None:
    runs = course(*STEADY)
    SmallVariantMetric.objects.filter(run=runs[-1]).delete()

    assert standings(runs[-1]) == []


def test_the_chart_ends_with_the_run() -> None:
    runs = course(*STEADY, *STEADY, 0.95)
    [found] = standings(runs[-1])

    drawn = standing_chart(found)

    before, this = drawn.series
    assert [point.x for point in before.points] == list(range(1 - SHOWN, 0))
    [point] = this.points
    assert found.baseline is not None
    edge = found.baseline.limit(-10)
    assert (point.x, point.y, point.tone) == (0, edge, "bad")
    assert {mark.label for mark in drawn.marks} == {
        "mean", "+2 s", "−2 s", "+3 s", "−3 s",
    }  # fmt: skip
    assert drawn.title == "SNP PASS F1"
    assert drawn.about.endswith("What is beyond 10 s stands at the edge.")
