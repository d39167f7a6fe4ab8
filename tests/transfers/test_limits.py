"""Connections counted over processes; calls that a cancel does not wait for."""

from __future__ import annotations

import multiprocessing
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runs.transfers import slots
from runs.transfers.base import TransferCancelled, TransferError, human_bytes
from runs.transfers.fetch import fetch
from runs.transfers.https import HttpsSource, remote_file
from runs.transfers.pull import probe_all
from runs.transfers.sidecars import parse_list, parse_md5
from runs.transfers.waiting import stoppable
from tests.transfers.conftest import QUICK, gz, noise
from tests.transfers.servers import Site
from tests.transfers.test_faults import drip, only_gets


def _download(url: str, target: Path, folder: Path) -> None:
    slots.slots_folder = lambda: folder
    fetch(HttpsSource(), remote_file(url), target, limits=QUICK)


@pytest.mark.services
def test_several_workers_share_four_connections(
    site: Site, url: str, tmp_path: Path, own_slots: Path
) -> None:
    start = multiprocessing.get_context("spawn").Process
    workers = []
    for n in range(3):
        site.files[f"/{n}.bin"] = noise(4_000_000, n)
        arguments = (f"{url}/{n}.bin", tmp_path / str(n), own_slots)
        workers.append(start(target=_download, args=arguments))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert site.most_open <= 4
    assert all((tmp_path / str(n)).stat().st_size == 4_000_000 for n in range(3))


def test_a_cancel_does_not_wait_for_a_slot(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.files["/a.bin"] = noise(1000)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    limits = replace(QUICK, connections=1)
    started = time.monotonic()
    with (
        slots.slot("127.0.0.1", 1, time.sleep),
        pytest.raises(TransferCancelled),
    ):
        fetch(
            HttpsSource(),
            remote_file(f"{url}/a.bin"),
            tmp_path / "a",
            should_stop=stop.is_set,
            limits=limits,
        )
    assert time.monotonic() - started < 1.5


def test_a_stall_is_seen_while_others_hold_slots(
    site: Site, url: str, tmp_path: Path
) -> None:
    site.files["/a.bin"], site.faults["/a.bin"] = noise(2_000_000), only_gets(drip)
    end = time.monotonic() + 4
    with (
        slots.slot("127.0.0.1", 4, time.sleep),
        slots.slot("127.0.0.1", 4, time.sleep),
        pytest.raises(TransferError, match=r"too slowly: \d+ bytes in 1 seconds"),
    ):
        fetch(
            HttpsSource(),
            remote_file(f"{url}/a.bin"),
            tmp_path / "a",
            should_stop=lambda: time.monotonic() > end,
            limits=QUICK,
        )


def test_stoppable_answers_and_raises() -> None:
    assert stoppable(lambda: 7, lambda: False) == 7
    with pytest.raises(ZeroDivisionError):
        stoppable(lambda: 1 // 0, lambda: False)


def test_stoppable_stops() -> None:
    never = threading.Event()
    with pytest.raises(TransferCancelled):
        stoppable(lambda: never.wait(5), lambda: True)
    never.set()


def test_probes_outlast_faults_that_pass(site: Site, url: str) -> None:
    site.files["/a.gz"] = gz()
    left = [1, 1]
    site.faults["/a.gz"] = lambda handler, _body: (
        bool(left and left.pop()) and (handler.answer(503))
    )
    [found] = probe_all(HttpsSource(), [remote_file(f"{url}/a.gz")], limits=QUICK)
    assert found.size == len(site.files["/a.gz"])


HEX = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEX, HEX),
        (f"{HEX}  name.vcf.gz\n", HEX),
        (f"{HEX.upper()} *name.vcf.gz\n", HEX),
        (f"\n  {HEX}\r\n", HEX),
        (f"\\{HEX}  odd\\nname\n", HEX),
        (f"{HEX}0", None),
        (HEX[:-1], None),
        ("MD5 (name) = x", None),
        ("", None),
        ("<html>", None),
    ],
)
def test_md5_files(text: str, expected: str | None) -> None:
    assert parse_md5(text) == expected


def test_md5_lists() -> None:
    text = f"{HEX}  a.gz\n{HEX.upper()} *./sub/b c.gz\nnonsense\n"
    assert parse_list(text) == {"a.gz": HEX, "b c.gz": HEX}


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (12_345_678, "12.35 MB"),
        (123_456_789, "123 MB"),
        (999_999_999, "1.00 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_human_bytes(count: int, words: str) -> None:
    assert human_bytes(count) == words
