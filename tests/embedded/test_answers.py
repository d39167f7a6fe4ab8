from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vcbench_site.embedded.answers import Answers


def replies(*answers: str) -> Callable[[str], str]:
    waiting = iter(answers)
    return lambda question: next(waiting)


def never(question: str) -> str:
    pytest.fail(f"asked: {question}")


def test_questions_are_asked_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "var" / "run.env"
    asked = replies("", "lab", "org", "", "ca-central-1", "reader")
    first = Answers(path, ask=True, read=asked).complete({})
    assert first == {
        "VCBENCH_DATA_DIR": "data",
        "VCBENCH_S3_BUCKET": "lab",
        "VCBENCH_S3_PREFIX": "org",
        "VCBENCH_S3_ENDPOINT": "",
        "VCBENCH_S3_REGION": "ca-central-1",
        "VCBENCH_S3_PROFILE": "reader",
    }
    assert Answers(path, ask=True, read=never).complete({}) == first
    assert path.stat().st_mode & 0o077 == 0


def test_without_a_bucket_the_rest_of_s3_is_not_asked(tmp_path: Path) -> None:
    made = Answers(tmp_path / "run.env", ask=True, read=replies("/data", ""))
    assert made.complete({})["VCBENCH_DATA_DIR"] == "/data"


def test_the_environment_overrules_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.env"
    path.write_text("VCBENCH_DATA_DIR='/kept'\nVCBENCH_S3_BUCKET=''\n")
    made = Answers(path, ask=False).complete({"VCBENCH_DATA_DIR": "/given"})
    assert made == {"VCBENCH_DATA_DIR": "/given", "VCBENCH_S3_BUCKET": ""}


def test_nobody_is_asked_where_nobody_can_answer(tmp_path: Path) -> None:
    path = tmp_path / "run.env"
    assert Answers(path, ask=False, read=never).complete({"A": "b"}) == {"A": "b"}
    assert not path.exists()
