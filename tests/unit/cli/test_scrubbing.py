"""What leaves the house in a support bundle: no document, nobody's name or number, no secret."""

import json

import pytest

from cli.scrubbing import LONGEST_LINE, scrub, scrub_line, scrub_text


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl",
        "Authorization: Bearer abc.def-ghi",
        "password=hunter2",
        'token: "s3cr3t-value"',
        "SOURCE_TOKEN=s3cr3t-value",
        "postgresql://{}:{}@db.example:5432/clearfacts".format("app", "hunter2"),
        "https://hooks.slack.com/services/T000/B000/s3cr3t-value",
        "https://source.example/invoices?token=s3cr3t-value",
        "ann.peeters@example.com",
        "BE0123456749",
        "BE 0123.456.749",
        "0123456749",
        "0123.456.749",
        "NL123456789B01",
        "BE68539007547034",
        "BE68 5390 0754 7034",
        "/home" + "/ann.peeters/clearfacts",
        "Key (dossier, dedupe_key)=(0123456749, ACME NV) already exists.",
        'invalid input syntax for type uuid: "ACME NV"',
        "cannot read 'ACME NV'",
        "<cbc:Name>ACME NV</cbc:Name>",
        '<?xml version="1.0"?><Invoice><cbc:Note>ACME NV',
        "<Invoice xmlns=...><Name>ACME NV</Name>",
        "23505: duplicate key\nDETAIL:  Failing row contains (7, ACME NV, 12.50).",
    ],
)  # fmt: skip
def test_a_secret_or_a_name_does_not_stay(secret: str) -> None:
    shown = scrub_text(f"before {secret} after")
    assert shown.startswith("before ")
    for word in ("hunter2", "s3cr3t", "c2lnb", "peeters", "abc.def", "0123", "123456789", "5390"):
        assert word not in shown
    assert "ACME" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "01a20bdb-f2df-7799-8505-d7193d2f5503 moved at version 7",
        "database: ConnectionRefusedError: [Errno 111] Connection refused",
        '  File "/srv/sender/pump.py", line 64, in run',
        "2026-11-24 07:53:57.533 UTC [14832] LOG:  shutting down",
        "listens on http://127.0.0.1:27505",
        "<Task pending name=Task-7> was destroyed",
    ],
)
def test_what_helps_stays(line: str) -> None:
    assert scrub_line(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-24 07:53:04 UTC [1] DETAIL:  Failing row contains (ACME NV).",
        "2026-11-24 07:53:04 UTC [1] STATEMENT:  INSERT INTO invoices",
        "\tVALUES ('ACME NV')",
    ],
)
def test_lines_in_which_postgresql_quotes_are_dropped(line: str) -> None:
    assert scrub_line(line) is None


def test_our_own_lines_keep_their_shape() -> None:
    line = json.dumps(
        {
            "event.action": "people_not_told_yet",
            "@timestamp": "2026-11-24T07:53:57.304306Z",
            "trace.id": "12345678901234567890123456789012",
            "clearfacts": {
                "attempt": 2,
                "error": 'invalid "ACME NV"\nDETAIL: row (ACME NV)',
                "supplier": "BE0123456749",
            },
        }
    )
    shown = json.loads(scrub_line(line) or "")
    assert shown == {
        "event.action": "people_not_told_yet",
        "@timestamp": "2026-11-24T07:53:57.304306Z",
        "trace.id": "12345678901234567890123456789012",
        "clearfacts": {"attempt": 2, "error": 'invalid "..."', "supplier": "<number>"},
    }


def test_a_broken_line_of_ours_is_text() -> None:
    assert scrub_line('{"message": "half of BE0123456749') == '{"...": "half of <number>'


def test_a_long_line_is_cut() -> None:
    assert len(scrub_line("x" * 9000) or "") == LONGEST_LINE + 3


def test_lists_and_numbers_are_looked_through() -> None:
    assert scrub({"a": ["BE0123456749", 5, None, True]}) == {"a": ["<number>", 5, None, True]}
