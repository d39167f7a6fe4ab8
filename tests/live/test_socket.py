"""The WebSocket of a run: real daphne, real Valkey, real clients."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from websockets.exceptions import InvalidStatus

from runs import lifecycle
from runs.log import RunLog
from runs.models import ApiToken, Run, Status
from tests.builders import claim_of, make_run
from tests.conftest import person
from tests.live.conftest import Follower, Site

pytestmark = pytest.mark.services


def path(run: Run, since: int = 0) -> str:
    return f"/ws/runs/{run.uuid}/?since={since}"


def test_every_line_arrives_once_and_in_order(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    log.info("before anybody looks")
    follower = site.socket(path(run), watcher)
    for number in range(2_000):
        log.info(f"line {number}")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    follower.to_the_end()
    assert follower.sequences == list(range(1, 2_002))
    assert follower.entries[-1]["message"] == "line 1999"
    assert follower.code == 1000


def test_frames_have_the_keys_of_the_contract(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    log.stage = "download"
    log.warning("slow <b>server</b>")
    log.flush()
    lifecycle.progress(log.claim, 25, 100, 5.0)
    lifecycle.finish(log.claim, Status.COMPLETED)
    follower = site.socket(path(run), watcher).to_the_end()
    [entry] = follower.entries
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "sequence": 1,
        "level": "warning",
        "stage": "download",
        "message": "slow <b>server</b>",
    }
    assert follower.statuses[-1] == {
        "type": "status",
        "status": "completed",
        "stage": "",
        "bytes_done": 25,
        "bytes_total": 100,
        "rate": None,
        "eta": None,
        "last_sequence": 1,
    }
    assert follower.end == {"type": "end", "status": "completed", "last_sequence": 1}


def test_progress_arrives_with_its_rate_and_eta(
    site: Site, run: Run, watcher: User
) -> None:
    follower = site.socket(path(run), watcher)
    assert follower.take() is not None
    lifecycle.progress(claim_of(run), 25, 100, 5.0)
    frame = follower.take()
    assert frame is not None
    assert (frame["bytes_done"], frame["bytes_total"]) == (25, 100)
    assert (frame["rate"], frame["eta"]) == (5.0, 15.0)
    follower.close()


def test_reconnecting_goes_on_after_the_last_line(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    first = site.socket(path(run), watcher)
    for number in range(100):
        log.info(f"line {number}")
    first.until(50)
    first.close()
    for number in range(100, 200):
        log.info(f"line {number}")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    seen = first.sequences
    second = site.socket(path(run, since=seen[-1]), watcher).to_the_end()
    assert seen + second.sequences == list(range(1, 201))


def test_coming_back_in_the_middle_of_a_frame_doubles_nothing(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    first = site.socket(path(run), watcher)
    assert first.take() is not None
    log.info("\n".join(f"line {number}" for number in range(100)))
    log.flush()
    first.until(100)  # the hub has it in memory now
    second = site.socket(path(run, since=50), watcher)
    second.until(100)
    assert second.sequences == list(range(51, 101))


def test_a_viewer_ahead_of_the_log_gets_only_later_lines(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    log.info("one")
    log.flush()
    follower = site.socket(path(run, since=2), watcher)
    assert follower.take() is not None
    log.info("two")
    log.flush()
    log.info("three")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    assert follower.to_the_end().sequences == [3]


@pytest.mark.parametrize("since", ["", "abc", "-5", "1e3"])
def test_a_since_that_is_no_number_means_the_beginning(
    site: Site, run: Run, log: RunLog, watcher: User, since: str
) -> None:
    log.info("one")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    follower = site.socket(f"/ws/runs/{run.uuid}/?since={since}", watcher)
    assert follower.to_the_end().sequences == [1]


def test_the_socket_of_a_sample_follows_its_newest_run(
    site: Site, watcher: User
) -> None:
    old = make_run(status=Status.RUNNING)
    new = make_run(status=Status.RUNNING)
    for run in (old, new):
        with RunLog(claim_of(run)) as log:
            log.info(f"run {run.pk}")
            log.flush()
            lifecycle.finish(log.claim, Status.COMPLETED)
    follower = site.socket(f"/ws/download/{new.sample.name}/", watcher).to_the_end()
    assert [entry["message"] for entry in follower.entries] == [f"run {new.pk}"]


def test_lines_of_other_runs_do_not_arrive(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    other = make_run(status=Status.RUNNING)
    follower = site.socket(path(run), watcher)
    with RunLog(claim_of(other)) as noise:
        noise.info("noise")
    log.info("signal")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    follower.to_the_end()
    assert [entry["message"] for entry in follower.entries] == ["signal"]


def closed(follower: Follower) -> int | None:
    return follower.to_the_end().code


def test_who_is_not_signed_in_is_closed_with_4401(site: Site, run: Run) -> None:
    assert closed(site.socket(path(run))) == 4401


def test_who_may_not_see_runs_is_closed_with_4403(site: Site, run: Run) -> None:
    assert closed(site.socket(path(run), person("stranger"))) == 4403


@pytest.mark.parametrize(
    "address",
    [
        "/ws/runs/00000000-0000-0000-0000-000000000000/",
        "/ws/runs/no-uuid/",
        "/ws/download/NA00000/",
        "/ws/download/%00/",
        "/ws/elsewhere/",
    ],
)
def test_what_is_unknown_is_closed_with_4404(
    site: Site, watcher: User, address: str
) -> None:
    assert closed(site.socket(address, watcher)) == 4404


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "null"]
)
def test_a_page_of_another_origin_is_refused(
    site: Site, run: Run, watcher: User, origin: Any
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        site.socket(path(run), watcher, origin=origin)
    assert refused.value.response.status_code == 403


def test_an_unknown_host_is_refused(site: Site, run: Run, watcher: User) -> None:
    with pytest.raises(InvalidStatus) as refused:
        site.socket(path(run), watcher, host="rebound.example")
    assert refused.value.response.status_code == 403


def test_a_program_comes_with_a_token_and_no_origin(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    _token, key = ApiToken.issue(watcher, "robot")
    log.info("one")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    follower = site.socket(path(run), key=key, origin=None)
    assert follower.to_the_end().sequences == [1]
    assert closed(site.socket(path(run), key="vcb_wrong", origin=None)) == 4401


def test_an_idle_socket_stays_open(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    follower = site.socket(path(run), watcher)
    assert follower.take() is not None
    with pytest.raises(TimeoutError):
        follower.take(timeout=16)
    log.info("still there?")
    log.flush()
    follower.until(1)
    follower.close()
