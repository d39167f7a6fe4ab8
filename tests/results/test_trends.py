"""What is wrong with the course of numbers, and from which run on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from benchmarks.control import Baseline
from runs.models import Run
from runs.trends import Judged, Subject, Value, episodes, judge, values_of
from tests.results.history import REGRESSION, History, make_history

START = datetime(2026, 1, 1, tzinfo=UTC)
LEVEL = Baseline(mean=100, sd=1, count=20)


def course(*numbers: float, pipeline: str = "1") -> list[Value]:
    return [
        Value(at, uuid4(), START + timedelta(days=at), "s", pipeline, number)
        for at, number in enumerate(numbers)
    ]


def judged(*numbers: float) -> list[Judged]:
    return judge(LEVEL, [], course(*numbers))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("small|SNP|PASS|*|f1", "SNP PASS F1"),
        ("small|INDEL|ALL|lowmap|recall", "INDEL ALL lowmap Recall"),
        ("sv|recall", "SV Recall"),
        ("qc|vc_metrics||POSTFILTER|SNPs|percent", "SNPs % (Postfilter)"),
        ("qc|hist|wgs||PCT|value", "PCT (wgs)"),
    ],
)
def test_subjects_in_addresses(text: str, title: str) -> None:
    subject = Subject.read(text)

    assert subject is not None
    assert subject.title == title
    assert str(subject) == text


@pytest.mark.parametrize(
    "text", ["", "x|y", "sv|id", "small|SNP|PASS|f1", "qc|a|b|c|d|pk", "sv|f1|f1"]
)
def test_what_is_no_subject(text: str) -> None:
    assert Subject.read(text) is None


def test_values_before_the_first_count_for_its_rules() -> None:
    [value] = judge(LEVEL, course(102.5), course(102.5))

    assert value.rules == ("1-2s", "2-2s")


def test_an_episode_goes_on_over_few_good_values() -> None:
    values = judged(100, 104, 100, 100, 100, 104, 100, 100, 100, 100, 95)

    found = episodes(values)

    assert [(e.first.value.key, e.last.value.key, e.count) for e in found] == [
        (1, 5, 2),
        (10, 10, 1),
    ]
    assert [e.below for e in found] == [False, True]


def test_without_a_baseline_nothing_is_judged() -> None:
    found = judge(None, [], course(1, 1000))

    assert [(each.z, each.rules) for each in found] == [(None, ()), (None, ())]


@pytest.fixture
def history(db: None) -> History:
    return make_history(700, 20)


def followed(runs: list[Run], subject: str) -> list[Judged]:
    found = Subject.read(subject)
    assert found is not None
    values = values_of(runs, found)
    return judge(Baseline.of([v.value for v in values[:20]]), [], values)


def test_the_regression_begins_at_the_first_run_of_its_version(
    history: History,
) -> None:
    found = episodes(followed(history.of("HG002"), "small|INDEL|PASS|*|recall"))

    [worst] = [episode for episode in found if episode.count > 5]
    assert worst.first.value.run == history.first_of("HG002", REGRESSION).uuid
    assert worst.new_pipeline == REGRESSION
    assert worst.below
    assert "1-3s" in worst.rules


def test_the_drift_is_found_in_its_individual_alone(history: History) -> None:
    subject = "qc|mapping_metrics||MAPPING/ALIGNING SUMMARY|Mapped reads|value"
    drifting = followed(history.of("HG004"), subject)
    steady = followed(history.of("HG002"), subject)

    longest = max(episodes(drifting), key=lambda episode: episode.count)

    assert longest.below
    assert longest.last.value.run == history.of("HG004")[-1].uuid
    onset = history.runs[int(0.6 * 700)].created_at
    assert onset < longest.first.value.time < onset + timedelta(days=40)
    assert max((e.count for e in episodes(steady)), default=0) <= 3
