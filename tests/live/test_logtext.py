"""What a log line may contain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import logtext
from runs.logtext import LIMIT, clean, without_secrets


def texts(message: str, level: str = "info") -> list[str]:
    return [text for _level, text in clean(message, level)]


def test_a_plain_line_stays_as_it_is() -> None:
    line = "chr20: 7 021 SNPs, 1 086 INDELs — 99,2 % “recall” \t✓ <b>é</b>"
    assert list(clean(line, "success")) == [("success", line)]


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ("one\ntwo\r\nthree", ["one", "two", "three"]),
        ("one\n\n\ntwo\n", ["one", "two"]),
        ("one\u2028two\u0085three", ["one", "two", "three"]),
        ("", [""]),
        ("\n", [""]),
        ("10 %\r20 %\r30 %", ["30 %"]),
        ("done\r", ["done"]),
        ("nul\x00 bell\x07 del\x7f c1\x9b", ["nul bell del c1"]),
        ("right\u202eleft \ufeffmark", ["rightleft mark"]),
        ("half \ud800 pair", ["half \ufffd pair"]),
        ("\x1b]0;title\x07text", ["text"]),
        ("\x1b[2K\x1b[1Gtext\x1b[0m", ["text"]),
        ("\x1b[38;5;196mred\x1b[0m rest", ["red rest"]),
    ],
)
def test_messages_become_plain_lines(message: str, lines: list[str]) -> None:
    assert texts(message) == lines


@pytest.mark.parametrize(
    ("message", "level", "expected"),
    [
        ("\x1b[31mfailed\x1b[0m", "info", "error"),
        ("\x1b[1;33mslow\x1b[0m", "info", "warning"),
        ("\x1b[92mdone\x1b[0m", "info", "success"),
        ("\x1b[34mblue\x1b[0m", "info", "info"),
        ("plain \x1b[31mred\x1b[0m", "info", "info"),
        ("\x1b[32mdone\x1b[0m", "error", "error"),
    ],
)
def test_the_colour_of_a_line_becomes_its_level(
    message: str, level: str, expected: str
) -> None:
    assert [own for own, _text in clean(message, level)] == [expected]


SECRETS = [
    ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtn"),
    ('{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfi"}', "wJalrXUtn"),
    ("AWS_SESSION_TOKEN=FwoGZXIvYXdzEBYaDK", "FwoGZX"),
    ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789"),
    ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNz"),
    ("authorization: AWS4-HMAC-SHA256 Credential=x, Signature=fe5f80", "fe5f80"),
    ("GET https://lab.s3/x.vcf?X-Amz-Signature=fe5f80f77d5f&x=1", "fe5f80f77d5f"),
    ("https://lab.s3/x?X-Amz-Credential=ASIAX%2F2026&a=b", "ASIAX%2F2026"),
    ("https://lab.s3/x?AWSAccessKeyId=me&Signature=vjbyPxybdZaNmGa%2B", "vjbyPxybd"),
    ("https://blob/x?sv=2020&sig=Z%2FRHIX5Xcg0Mq2rqI3OlWTjEg2tYk", "RHIX5Xcg"),
    ("redis://:hunter2@cache:6379/0", "hunter2"),
    ("postgres://vcbench:p@ss:word@db/vcbench", "p@ss:word"),
    ("https://user:secret99@proxy.lab/", "secret99"),
    ("password=hunter2 next", "hunter2"),
    ("--password 'x' token: vcb_abcdefghijklmnopqrstuvwxyz012345", "vcb_abc"),
    ("pushed with ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_abc"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w", "dozjgNr"),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----",
        "MIIEow",
    ),
]


@pytest.mark.parametrize(("message", "secret"), SECRETS)
def test_credentials_are_removed(message: str, secret: str) -> None:
    line = "\n".join(texts(message))
    assert secret not in line
    assert "[removed]" in line


@pytest.mark.parametrize(
    "message",
    [
        "https://ftp-trace.ncbi.nlm.nih.gov/ReferenceSamples/giab/release/x.vcf.gz",
        "s3://lab/NA24143_Lib3_Rep1/vcf/dragen/abc/x.hard-filtered.vcf.gz",
        "git@github.com and ssh://git@host/x",
        "Basic statistics of 12 samples",
        "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709 matches",
        "10:23:45 tokens read: 12; passwords are never logged",
        "https://host/x?since=12&limit=5",
    ],
)
def test_what_is_no_credential_stays(message: str) -> None:
    assert texts(message) == [message]


def test_the_secrets_of_this_process_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "abcd/efgh+ijklmnop")
    monkeypatch.setenv("VCBENCH_DATABASE_URL", "postgres://me:correct%20horse%21@db/x")
    logtext._own_secrets.cache_clear()
    try:
        line = without_secrets("tried abcd/efgh+ijklmnop and correct horse!")
    finally:
        logtext._own_secrets.cache_clear()
    assert line == "tried [removed] and [removed]"


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f9ec"])
def test_a_line_has_at_most_64_kb_and_says_what_is_cut(letter: str) -> None:
    [line] = texts(letter * 100_000)
    assert LIMIT - 8 <= len(line.encode()) <= LIMIT
    assert line.endswith("… [cut: the line had 100,000 characters]")


def test_a_line_of_just_64_kb_is_not_cut() -> None:
    assert texts("x" * LIMIT) == ["x" * LIMIT]


def test_a_secret_is_not_saved_by_the_cut() -> None:
    line = "x" * (LIMIT - 60) + " password=hunter2hunter2"
    assert "hunter2" not in texts(line + "y" * LIMIT)[0]


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_whatever_comes_can_be_stored_and_shown(message: str) -> None:
    for line in texts(message):
        assert (
            line.isprintable()
            or "\t" in line
            or all(ord(char) >= 0x20 and not 0x7F <= ord(char) < 0xA0 for char in line)
        )
        assert len(line.encode()) <= LIMIT
        assert "\n" not in line
