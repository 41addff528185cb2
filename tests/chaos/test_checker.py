"""Each promise that is broken on purpose is seen by the checker, under its name; a sound state is not objected to."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from sandbox.oracle import FILE, Accepted
from tests.chaos.checker import Scope, Verdict, check
from tests.chaos.questions import QUESTIONS

pytestmark = pytest.mark.stack

BODY = "<Invoice/>"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

# An invoice whose row, job and reference have one and the same id.
SOUND = f"""
INSERT INTO jobs (id, job_type, status, results)
    VALUES ('{{id}}', 'manual', 'completed', '{{{{"total_invoices": 1}}}}');
INSERT INTO invoices (id, job_id, invoice_id, ubl_data, status, stage, version, raw_sha256, reference)
    VALUES ('{{id}}', '{{id}}', '{{id}}', '{BODY}', 'sent', 'sent', 4, sha256('{BODY}'), '{{id}}');
INSERT INTO invoice_events (invoice_id, version, stage, actor) VALUES ('{{id}}', 1, 'fetched', 'fetcher'),
    ('{{id}}', 2, 'validated', 'validator'), ('{{id}}', 3, 'sending', 'sender'), ('{{id}}', 4, 'sent', 'sender');
INSERT INTO attempts (invoice_id, number, version, reference, started_at, lease_until, ended_at, outcome, uuid)
    VALUES ('{{id}}', 1, 3, '{{id}}', '{NOW}', '{NOW + timedelta(seconds=90)}', '{NOW + timedelta(seconds=1)}',
    'accepted', '{{id}}');
INSERT INTO job_pages (job_id, page, source_ids, raw_sha256, fates, invoices)
    VALUES ('{{id}}', 0, ARRAY['{{id}}'], ARRAY[sha256('{BODY}')], ARRAY['new'], ARRAY['{{id}}'::uuid]);
"""  # fmt: skip

BREAKS: Mapping[str, str] = {
    "lost": "UPDATE invoices SET invoice_id = 'other' WHERE id = '{id}'",
    "not_on_a_page": "UPDATE job_pages SET invoices = ARRAY[gen_random_uuid()] WHERE job_id = '{id}'",
    "open": "UPDATE invoices SET status = 'pending' WHERE id = '{id}'",
    "sent_but_not_accepted": "UPDATE invoices SET reference = gen_random_uuid() WHERE id = '{id}'",
    "sent_under_a_wrong_uuid": "UPDATE attempts SET uuid = 'other' WHERE invoice_id = '{id}'",
    "accepted_but_unexplained": "UPDATE invoices SET status = 'failed' WHERE id = '{id}'",
    "accepted_in_other_words": "UPDATE invoices SET raw_sha256 = '\\x00' WHERE id = '{id}'",
    "accepted_without_an_earlier_attempt": """
        UPDATE attempts SET started_at = started_at + interval '1 hour' WHERE invoice_id = '{id}'""",
    "attempts_at_once": """
        INSERT INTO attempts (invoice_id, number, version, reference, started_at, lease_until)
        SELECT invoice_id, 2, 3, reference, started_at + interval '0.5 s', lease_until FROM attempts
        WHERE invoice_id = '{id}'""",
    "illegal_move": """
        INSERT INTO invoice_events (invoice_id, version, stage, actor) VALUES
            ('{id}', 5, 'validated', 'validator'), ('{id}', 6, 'sent', 'sender');
        UPDATE invoices SET version = 6 WHERE id = '{id}'""",
    "history_without_its_beginning": """
        UPDATE invoices SET id = gen_random_uuid() WHERE id = '{id}';
        INSERT INTO invoice_events (invoice_id, version, stage, actor)
        SELECT id, 4, 'sent', 'sender' FROM invoices WHERE invoice_id = '{id}'""",
    "row_beside_its_history": "UPDATE invoices SET stage = 'held' WHERE id = '{id}'",
    "held_without_a_reason": "UPDATE invoices SET status = 'held', maybe_sent = true WHERE id = '{id}'",
    "unbalanced": """
        UPDATE jobs SET status = 'failed', error = '{{"code": "BALANCE_BROKEN"}}', error_message = 'x'
        WHERE id = '{id}'""",
    "not_ended": "UPDATE jobs SET status = 'running' WHERE id = '{id}'",
    "counted_wrong": """UPDATE jobs SET results = '{{"total_invoices": 2}}' WHERE id = '{id}'""",
}


async def judge(
    database_url: str, folder: Path, sql: str = "SELECT", *, announced: UUID | None = None, times: int = 1
) -> Verdict:
    """The verdict on a new sound invoice after `sql`, accepted that many times."""
    number = str(uuid4())
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(SOUND.format(id=number))
        await connection.execute(sql.format(id=number))
        since = await connection.fetchval("SELECT created_at FROM jobs WHERE id = $1", UUID(number))
    finally:
        await connection.close()
    at = (NOW + timedelta(seconds=0.5)).isoformat()
    digest = sha256(BODY.encode()).hexdigest()
    line = Accepted(at, number, number, digest, "0", "SALE", "invoice", "s", number, "", "", "", len(BODY))
    (folder / FILE).write_bytes((orjson.dumps(line._asdict()) + b"\n") * times)
    jobs = frozenset({str(announced)} if announced else ())
    return await check(database_url, folder / FILE, Scope(frozenset({number}), since=since, announced=jobs))


async def test_every_promise_that_is_broken_is_named_and_a_sound_state_is_not(
    database_url: str, tmp_path: Path
) -> None:
    sound = await judge(database_url, tmp_path)
    assert (sound.violations, sound.lost, sound.duplicated, sound.accepted) == ([], 0, 0, 1)
    verdicts = {promise: await judge(database_url, tmp_path, sql) for promise, sql in BREAKS.items()}
    unseen = {promise: verdict.violations for promise, verdict in verdicts.items() if not verdict.broken[promise]}
    assert unseen == {}


async def test_what_was_accepted_twice_and_a_job_of_which_only_a_record_told_are_named(
    database_url: str, tmp_path: Path
) -> None:
    assert (await judge(database_url, tmp_path, times=2)).duplicated == 1
    assert (await judge(database_url, tmp_path, announced=uuid4())).lost == 1


def test_every_question_is_tried() -> None:
    assert {*BREAKS, "job_lost"} == set(QUESTIONS)
