"""The main job, end to end, on real calls: S3 to verdict over REST and WebSocket."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import urllib3
from websockets.sync.client import connect

from demo.client import Api
from tests.cases import case
from tests.e2e.laboratory import SMALL, STRUCTURAL, Laboratory

pytestmark = [
    pytest.mark.cases,
    pytest.mark.services,
    pytest.mark.xdist_group("laboratory"),
]
SECONDS = 240


@dataclass(slots=True)
class Followed:
    """A run with every frame that a WebSocket client got of it."""

    run: dict[str, Any]
    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [
            entry
            for frame in self.frames
            if frame["type"] == "log"
            for entry in frame["entries"]
        ]


def follow(lab: Laboratory, sample: str, stages: list[str]) -> Followed:
    """Import the sample and watch it to its end."""
    api = lab.api()
    run = api.import_sample(sample, stages)
    address = lab.address.replace("http", "ws", 1)
    headers = {"Authorization": f"Bearer {lab.tokens['viewers']}"}
    frames: list[dict[str, Any]] = []
    with connect(
        f"{address}/ws/runs/{run}/?since=0",
        additional_headers=headers,
        max_size=None,
        open_timeout=SECONDS,
    ) as socket:
        while not frames or frames[-1]["type"] != "end":
            frames.append(json.loads(socket.recv(timeout=SECONDS)))
    return Followed(api.ask("GET", f"runs/{run}"), frames)


@pytest.fixture(scope="module")
def small(lab: Laboratory) -> Followed:
    return follow(lab, SMALL, ["happy", "csv"])


@pytest.fixture(scope="module")
def structural(lab: Laboratory) -> Followed:
    pytest.importorskip("truvari")
    return follow(lab, STRUCTURAL, ["truvari"])


def metrics(api: Api, followed: Followed) -> dict[str, Any]:
    answer: dict[str, Any] = api.ask("GET", f"runs/{followed.run['run']}/metrics")
    return answer


def stages(followed: Followed) -> dict[str, str]:
    return {stage["name"]: stage["status"] for stage in followed.run["stages"]}


def test_the_run_completes(small: Followed) -> None:
    assert (small.run["status"], small.run["reason"]) == ("completed", "")
    assert stages(small) == dict.fromkeys(
        ["download", "reference", "happy", "csv"], "completed"
    )
    assert small.frames[-1] == {
        "type": "end",
        "status": "completed",
        "last_sequence": small.run["last_sequence"],
    }


def test_every_line_arrives_once_and_in_order(lab: Laboratory, small: Followed) -> None:
    sequences = [line["sequence"] for line in small.lines]
    assert sequences == list(range(1, small.run["last_sequence"] + 1))
    kept = lab.api().ask("GET", f"runs/{small.run['run']}/logs?since=0&limit=5000")
    assert small.lines == kept["logs"]
    assert len(sequences) > 20


def test_small_variants_are_found(lab: Laboratory, small: Followed) -> None:
    rows = {
        row["type"]: row
        for row in metrics(lab.api(), small)["small_variants"]
        if (row["filter"], row["subtype"], row["genotype"]) == ("ALL", "*", "*")
    }
    assert (rows["SNP"]["truth_total"], rows["INDEL"]["truth_total"]) == (7021, 1086)
    assert rows["SNP"]["truth_tp"] >= 6950
    assert rows["INDEL"]["truth_tp"] >= 1000


def test_inputs_and_references_are_verified_and_kept(small: Followed) -> None:
    artifacts = {row["name"]: row for row in small.run["artifacts"]}
    calls = artifacts[f"download/{SMALL}.dragen.hard-filtered.vcf.gz"]
    assert calls["verified_by"] in ("md5", "etag", "md5sum")
    others = {
        row["verified_by"]: row["crc64nvme"] != ""
        for row in artifacts.values()
        if row["role"] == "input" and not row["md5"]
    }
    assert others == {"checksum-header": True}
    truth = [row for row in artifacts.values() if row["role"] == "reference"]
    assert {row["verified_by"] for row in truth} == {"sha256"}
    assert {"summary", "extended"} <= {
        name.rsplit(".", 2)[1] for name in artifacts if name.startswith("happy/")
    }


def test_truvari_equals_the_expected_summary(
    lab: Laboratory, structural: Followed
) -> None:
    assert structural.run["status"] == "completed"
    folder = case("sv-hg19-chr20-1M-HG002") / "expected_truvari-5.4.0" / "default"
    expected = json.loads((folder / "summary.json").read_text())
    [row] = [
        row
        for row in metrics(lab.api(), structural)["structural_variants"]
        if (row["type"], row["size_class"]) == ("*", "*")
    ]
    assert row["columns"] == expected
    assert (row["tp_base"], row["fp"], row["fn"]) == (6, 0, 2)


def test_lines_name_no_folder_of_the_server_but_the_record_does(
    lab: Laboratory, small: Followed, structural: Followed
) -> None:
    folder = str(lab.portal.folder)
    said = [line["message"] for line in [*small.lines, *structural.lines]]
    assert [message for message in said if folder in message] == []
    [line] = [message for message in said if message.startswith("python -m truvari")]
    assert "-b references/" in line
    assert "-o .truvari-1/bench" in line
    [command] = structural.run["provenance"]["truvari"]["commands"]
    assert f"-b {folder}/references/" in command


def stored(lab: Laboratory, followed: Followed) -> dict[tuple[str, int], list[Any]]:
    """What is kept of each line, by file and number of the line."""
    answer = urllib3.request(
        "GET",
        f"{lab.address}/api/v1/metrics/qc?run={followed.run['run']}&format=csv",
        headers={"Authorization": f"Bearer {lab.tokens['viewers']}"},
    )
    assert answer.status == 200
    kept: dict[tuple[str, int], list[Any]] = {}
    for row in csv.DictReader(io.StringIO(answer.data.decode())):
        place = (row["file"], int(row["line"]))
        kept.setdefault(place, []).extend([row["text"], row["percent"]])
    return kept


def values() -> Iterator[tuple[str, int, str]]:
    """Every value of the 15 files: file, number of the line, the value as written."""
    for path in sorted(case("dragen-metrics-NA12878").glob("*.csv")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            cells = [cell.strip() for cell in line.split(",")]
            if cells == ["Depth", "Overall"]:
                continue
            first = 1 if len(cells) < 4 else 3
            yield from ((path.name, number, cell) for cell in cells[first:])


def same(kept: str, written: str) -> bool:
    try:
        return float(kept) == float(written)
    except ValueError:
        return kept == written


def test_all_values_of_the_metrics_files_are_stored(
    lab: Laboratory, small: Followed
) -> None:
    kept = stored(lab, small)
    written = list(values())
    assert len({file for file, _, _ in written}) == 15
    missing = [
        (file, line, value)
        for file, line, value in written
        if not any(same(found, value) for found in kept.get((file, line), []))
    ]
    assert missing == []
    assert len(written) > 9000


def test_a_second_run_of_the_sample_finds_its_references_here(
    lab: Laboratory, small: Followed
) -> None:
    again = follow(lab, SMALL, ["happy"])
    assert again.run["run"] != small.run["run"]
    said = [line["message"] for line in again.lines if line["stage"] == "reference"]
    assert not any(message.startswith("Fetching") for message in said)


def test_an_unknown_sample_is_told_what_was_looked_for(lab: Laboratory) -> None:
    ended = follow(lab, "NA24385_Lib9_Rep9", ["happy"])
    assert ended.run["status"] == "error"
    assert "NA24385_Lib9_Rep9" in ended.run["reason"]
    assert ended.frames[-1]["status"] == "error"
