from __future__ import annotations

import json
from pathlib import Path

import pytest

from runs.stages import happy


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"unsettled": [{}, {}]}, "; 2 regions unsettled, see the log"),
        ({"unsettled": [{}]}, "; 1 region unsettled, see the log"),
        ({"unsettled": []}, ""),
        ({"final_args": {}}, ""),
    ],
    ids=["two", "one", "none", "another engine"],
)
def test_the_stage_says_how_many_regions_are_unsettled(
    tmp_path: Path, info: dict[str, object], words: str
) -> None:
    (tmp_path / "happy.runinfo.json").write_text(json.dumps(info))
    assert happy._unsettled(tmp_path) == words


def test_without_run_info_nothing_is_said(tmp_path: Path) -> None:
    assert happy._unsettled(tmp_path) == ""
    (tmp_path / "happy.runinfo.json").write_text("{")
    assert happy._unsettled(tmp_path) == ""
