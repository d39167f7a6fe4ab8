"""A queue that carries nothing, for tests whose runs are not to be carried out."""

from __future__ import annotations

import pytest

from runs import queue


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What would have been put into Redis: priority, run, attempt."""
    jobs: list[tuple[str, int, int]] = []
    monkeypatch.setattr(queue, "_send", lambda *job: jobs.append(job))
    return jobs
