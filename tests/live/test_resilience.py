"""The live log while Valkey dies, readers are slow and connections come and go."""

from __future__ import annotations

import threading
import time

import pytest
from django.contrib.auth.models import User
from redis import Redis

from runs import lifecycle
from runs.log import RunLog
from runs.models import ApiToken, Run, Status
from tests.live.conftest import Follower, Site, until

pytestmark = pytest.mark.services


def path(run: Run, since: int = 0) -> str:
    return f"/ws/runs/{run.uuid}/?since={since}"


def members(site: Site, run: Run) -> int:
    with Redis.from_url(site.broker.url) as client:
        return int(client.zcard(f"vcbench:group:run.{run.pk}"))


def test_many_sockets_are_one_member_of_the_group(
    site: Site, run: Run, watcher: User
) -> None:
    followers = [site.socket(path(run), watcher) for _ in range(5)]
    for follower in followers:
        follower.take()
    until(lambda: members(site, run) == 1)
    for follower in followers:
        follower.close()
    until(lambda: members(site, run) == 0)


def test_a_valkey_that_dies_loses_no_line_and_costs_little_time(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    follower = site.socket(path(run), watcher)
    log.info("before")
    follower.until(1)
    site.broker.kill()
    log.info("without")
    log.flush()
    before = time.monotonic()
    follower.until(2)
    assert time.monotonic() - before < 5
    site.broker.start()
    until(lambda: members(site, run) == 1)
    for number in range(50):
        log.info(f"line {number}")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    assert follower.to_the_end().sequences == list(range(1, 53))


def test_a_group_that_was_forgotten_is_joined_again(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    follower = site.socket(path(run), watcher)
    log.info("one")
    follower.until(1)
    with Redis.from_url(site.broker.url) as client:
        client.flushall()
    log.info("two")
    follower.until(2)
    until(lambda: members(site, run) == 1)
    follower.close()


def test_readers_that_come_and_go_see_each_line_once(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    seen: list[list[int]] = [[] for _ in range(5)]
    # signing in would open a connection to the database in each thread
    _token, key = ApiToken.issue(watcher, "test")

    def come_and_go(mine: list[int]) -> None:
        while True:
            follower = site.socket(path(run, mine[-1] if mine else 0), key=key)
            for _ in range(3):
                if follower.take() is None:
                    break
            mine += follower.sequences
            if follower.end is not None:
                return
            follower.close()

    readers = [threading.Thread(target=come_and_go, args=(mine,)) for mine in seen]
    for reader in readers:
        reader.start()
    for number in range(1_000):
        log.info(f"line {number}")
        if number % 50 == 0:
            log.flush()
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    for reader in readers:
        reader.join(60)
    assert seen == [list(range(1, 1_001))] * 5


def test_a_reader_that_stands_still_slows_nobody_and_catches_up(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    slow = site.socket(path(run), watcher, max_queue=1)
    quick = site.socket(path(run), watcher)
    slow.take()
    for _ in range(600):
        log.info("x" * 60_000)  # more than the sockets' buffers and the queue hold
    log.flush()
    quick.until(600)
    lifecycle.finish(log.claim, Status.COMPLETED)
    assert quick.to_the_end().sequences == list(range(1, 601))
    assert slow.to_the_end().sequences == list(range(1, 601))


def test_a_log_that_retention_removed_ends_at_once(
    site: Site, run: Run, log: RunLog, watcher: User
) -> None:
    log.info("gone")
    log.flush()
    lifecycle.finish(log.claim, Status.COMPLETED)
    run.log_entries.all().delete()
    follower: Follower = site.socket(path(run), watcher).to_the_end()
    assert follower.entries == []
    assert follower.end is not None


def test_a_run_that_is_deleted_while_it_is_watched_closes_with_4404(
    site: Site, run: Run, watcher: User
) -> None:
    follower = site.socket(path(run), watcher)
    follower.take()
    run.delete()
    assert follower.to_the_end().code == 4404
