from __future__ import annotations

import pytest

from runs import queue


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What would have gone to RQ: (run id, attempt)."""
    jobs: list[tuple[int, int]] = []
    monkeypatch.setattr(
        queue, "_send", lambda priority, run_id, attempt: jobs.append((run_id, attempt))
    )
    monkeypatch.setattr(
        queue, "queued_jobs", lambda: {queue.job_id(*job) for job in jobs}
    )
    return jobs
