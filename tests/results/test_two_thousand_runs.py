"""The pages over a history of 2,000 runs: 20 samples, 5 versions, one regression and
one slow drift."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.portal.conftest import Browser
from tests.portal.page import words
from tests.results.history import DRIFT_FROM, REGRESSION, make_history

RECALL = "small|INDEL|PASS|*|recall"


@pytest.mark.django_db
def test_regression_and_drift_are_marked_and_the_difference_is_named(
    looks: Browser,
) -> None:
    history = make_history(2000, 20)

    chart = looks.page("/over-time/", individual="HG002", metric=RECALL)
    first = history.first_of("HG002", REGRESSION)
    before = history.of("HG002")[history.of("HG002").index(first) - 1]
    marked = {
        str(row.css("a")[0].attributes["href"]): words(row)
        for row in chart.all("#episodes tbody tr")
    }
    assert f"new: {REGRESSION}" in marked[first.get_absolute_url()]

    drift = looks.page("/over-time/", individual="HG004", group="Mapping")
    [link] = drift.all("#episodes tbody tr:first-child a")
    href = str(link.attributes["href"])
    [found] = [run for run in history.runs if run.get_absolute_url() == href]
    onset = history.runs[int(DRIFT_FROM * 2000)].created_at
    assert found.sample.individual == "HG004"
    assert onset < found.created_at < onset + timedelta(days=60)

    query = urlencode([("run", before.uuid), ("run", first.uuid)])
    compared = looks.page(f"/compare/?{query}")
    recalls = [
        words(row)
        for row in compared.all("#numbers tbody:nth-of-type(2) tr")
        if words(row).startswith("Recall")
    ]
    assert len(recalls) == 1
    assert "▼ worse −0.00" in recalls[0]
