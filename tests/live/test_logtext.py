"""What a log line may contain."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import logtext
from runs.logtext import LIMIT, clean, text_of, without_secrets


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
        ("\x1b\x00[31mred\x1b[0m", ["red"]),
        ("\x1b]0;no end\ntext", ["", "text"]),
        ("text\n\x1b[0m", ["text"]),
        ("done\r\x1b[2K", ["done"]),
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
        ("10 %\r\x1b[31mfailed\x1b[0m\r", "info", "error"),
    ],
)
def test_the_colour_of_a_line_becomes_its_level(
    message: str, level: str, expected: str
) -> None:
    assert [own for own, _text in clean(message, level)] == [expected]


def test_lines_after_a_removed_key_keep_their_levels() -> None:
    message = f"\x1b[32mread:\n{KEY}\n\n\x1b[31mpassword=hunter2xyz\x1b[0m"
    assert list(clean(message, "info")) == [
        ("success", "read:"),
        ("info", "[removed]"),
        ("error", "password=[removed]"),
    ]


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"


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
    (KEY, "MIIEow"),
    # parted by colours and characters that are not shown
    ("\x1b[31mAKIAIOSFODNN7EXAMPLE\x1b[0m", "AKIAIOSFODNN7EXAMPLE"),
    ("\x1b\x07[31mAKIAIOSFODNN7EXAMPLE\x1b[0m", "AKIAIOSFODNN7EXAMPLE"),
    ("\x1b[36mpassword\x1b[0m=hunter2xyz", "hunter2xyz"),
    ("\x1b[36mpassword\x1b[0m=\x1b[33mhunter2xyz\x1b[0m", "hunter2xyz"),
    ("\x9b36mpassword\x9b0m=hunter2xyz", "hunter2xyz"),
    ("pass\x00word=hunter2xyz", "hunter2xyz"),
    ("tok\u200ben=hunter2xyz", "hunter2xyz"),
    ("pass\u00adword=hunter2xyz", "hunter2xyz"),
    ("10 %\r\x1b[1mtoken\x1b[0m: hunter2xyz\r", "hunter2xyz"),
    # names with something before them
    ("PGPASSWORD=hunter2xyz psql", "hunter2xyz"),
    ("dbPassword: hunter2xyz", "hunter2xyz"),
    ("MYSQL_PWD=hunter2xyz", "hunter2xyz"),
    ("secret-access-key: wJalrXUtnFEMI/K7MDENG", "wJalrXUtn"),
    ("AccountName=lab;AccountKey=Eby8vdM02xNOcqFlqUwJ==;x=1", "Eby8vdM02xN"),
    ("Endpoint=sb://x;SharedAccessKey=Eby8vdM02xNOcqFlqUwJ=", "Eby8vdM02xN"),
    ('password="hunter2xyz', "hunter2xyz"),
    (r'{"password": "hun\"ter2xyz"}', "ter2xyz"),
    (r'"{\"password\": \"hunter2xyz\"}"', "hunter2xyz"),
    # XML
    ("<SecretAccessKey>wJalrXUtnFEMI</SecretAccessKey>", "wJalrXUtn"),
    ("<SessionToken>\n FwoGZX\n Ivxyz\n</SessionToken>", "Ivxyz"),
    ("<sts:SessionToken>FwoGZX</sts:SessionToken>", "FwoGZX"),
    ("<SessionToken>FwoGZXIvYXdzEBYaDKFwoGZX", "FwoGZX"),
    # parts of presigned addresses
    (r"https://lab.s3/x?a=1\u0026X-Amz-Signature=fe5f80f77d5f", "fe5f80f77d5f"),
    ("to=https%3A%2F%2Fx%3Fa%3D1%26X-Amz-Signature%3Dfe5f80f77d5f", "fe5f80f77d5f"),
    ("to=https%253A%252F%252Fx%2526X-Amz-Signature%253Dfe5f80f77d", "fe5f80f77d"),
    ("{'X-Amz-Signature': 'fe5f80f77d5f', 'a': 1}", "fe5f80f77d5f"),
    ("X-Amz-Signature=fe5f80f77d5f&a=1", "fe5f80f77d5f"),
    ("x-amz-security-token: FwoGZXIvYXdzEBYaDK", "FwoGZX"),
    (r"https://blob/x?sv=2020\u0026sig=Z%2FRHIX5Xcg0Mq2rqI3", "RHIX5Xcg"),
    ("to=https%3A%2F%2Fblob%3Fsv%3D1%26sig%3DZ%252FRHIX5Xcg0M", "RHIX5Xcg"),
    ("https://blob/x?sv=2020&amp;sig=Z%2FRHIX5Xcg0Mq2rqI3", "RHIX5Xcg"),
    # arguments
    ("psql --password hunter2xyz --verbose", "hunter2xyz"),
    ("tool --secret-key hunter2xyz", "hunter2xyz"),
    ("tool --db-password 'hunter2 xyz'", "hunter2 xyz"),
    ("['tool', '--password', 'hunter2xyz']", "hunter2xyz"),
    # headers
    ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("authorization:Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("{'Authorization': 'Basic dXNlcjpwYXNz', 'a': 1}", "dXNlcjpwYXNz"),
    ("Cookie: sessionid=hunter2xyz; csrftoken=abc", "hunter2xyz"),
    ("Set-Cookie: sessionid=hunter2xyz; Path=/", "hunter2xyz"),
    # tokens known by their shape
    ("pushed with github_pat_11ABCDEFG0abcdefghijkl_mnopqrst", "github_pat_11"),
    ("key_AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("x-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3", "dozjgNr"),
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
        "https://host/x?signals=12&signature_version=4",
        "tokens: 12 read",
        "tokens=12, tokenizer: fast, secretary: Ann",
        "tool --password-file /path --tokens 12",
        "tool --password --verbose",
        "keyboard, monkey: 3, x.key=12, sort_key: name",
        "OLDPWD=/work",
        "the signature of SBS5, the credentials of ana, 3 cookies: eaten",
        "basic characterization of the bearer",
        "KeyJournalOfSamples.getInstanceOf.sample",
        "<token>, <tokens>12</tokens>, <key>12</key>",
    ],
)
def test_what_is_no_credential_stays(message: str) -> None:
    assert texts(message) == [message]


def test_what_stands_beside_a_credential_stays() -> None:
    assert texts("{'Authorization': 'Basic dXNl', 'a': 1}") == [
        "{'Authorization': [removed], 'a': 1}"
    ]
    assert texts("<a><SessionToken>x</SessionToken>\n<b>1</b></a>") == [
        "<a><SessionToken>[removed]</SessionToken>",
        "<b>1</b></a>",
    ]
    assert texts("X-Amz-Signature=fe5f80&a=1") == ["X-Amz-Signature=[removed]&a=1"]
    assert texts("psql --password x -h db") == ["psql --password [removed] -h db"]


@pytest.mark.parametrize(
    "part",
    [
        *("eyJ-", "eyJ", "token ", "Basic ", "://a:", "_", "secret", "aws_", "-"),
        *("--token-", "<token>", '"', "\\", "password='", "%25", "cookie: ", "\x1b["),
        *("-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "&sig", "\x1b]", "\x00"),
    ],
)
@pytest.mark.parametrize("start", ["", "password ", "--token"])
def test_no_line_takes_long(part: str, start: str) -> None:
    line = start + part * (300_000 // len(part))
    began = time.process_time()
    texts(line)
    assert time.process_time() - began < 0.3


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("", ""),
        ("The tool failed.", "The tool failed."),
        ("one\r\ntwo\n\n three \n", "one\ntwo\n\n three\n"),
        ("\x1b[31mone\x1b[0m\n10 %\r20 %", "one\n20 %"),
        ("nul\x00 \ud800\n\u202eleft", "nul \ufffd\nleft"),
        ("ran --password hunter2xyz\nfailed", "ran --password [removed]\nfailed"),
        (f"read\n{KEY}\nfailed", "read\n[removed]\n\n\n\nfailed"),
    ],
)
def test_a_text_of_several_lines_is_cleaned_like_them(message: str, text: str) -> None:
    assert text_of(message) == text


def test_each_line_of_a_text_has_at_most_64_kb() -> None:
    short, long = text_of("x\n" + "y" * 100_000).split("\n")
    assert short == "x"
    assert len(long.encode()) == LIMIT


@pytest.mark.parametrize(("message", "secret"), SECRETS)
def test_a_text_that_was_cleaned_stays(message: str, secret: str) -> None:
    text = text_of(message)
    assert secret not in text
    assert text_of(text) == text


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_every_text_can_be_stored(message: str) -> None:
    text = text_of(message)
    assert "\x00" not in text
    assert text.encode().decode() == text
    assert text_of(text) == text


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
