"""The validator's rows on the real database."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.moves import clear_wake
from common.db.pool import Database
from common.invoice.stage import Stage
from tests.integration.validator.world import insert_fetched
from ubl.verdict import Finding, Layer, Severity, Verdict
from validator.adapters.postgres import PostgresRows
from validator.adapters.workers import to_judged
from validator.domain import Judged
from validator.use_cases import ValidateInvoices

pytestmark = pytest.mark.stack


async def judge(documents: Sequence[bytes]) -> Sequence[Judged]:
    """Documents say themselves what they are; one has a finding with a NUL, which no jsonb holds."""
    nul = Finding("F-1", Severity.FATAL, Layer.LOCAL, "before\x00after")
    fatal = Finding("F-2", Severity.FATAL, Layer.LOCAL, "no")
    verdicts = {
        b"good": Verdict("basic", "r", valid=True),
        b"bad": Verdict("basic", "r", valid=False, findings=(fatal,)),
        b"nul": Verdict("basic", "r", valid=False, findings=(fatal, nul)),
    }
    return [to_judged(verdicts[document]) for document in documents]


@pytest.fixture
def story(database: Database) -> ValidateInvoices:
    return ValidateInvoices(PostgresRows(database), judge)


async def standing(database: Database, row_id: UUID) -> tuple[object, ...]:
    row = await database.fetchrow("SELECT stage, status, reason, version FROM invoices WHERE id = $1", row_id)
    assert row is not None
    return tuple(row)


async def test_a_batch_that_comes_again_moves_nothing_twice_and_is_announced_again(
    database: Database, story: ValidateInvoices
) -> None:
    keys = [(await insert_fetched(database, content), 1) for content in (b"good", b"bad")]
    first = await story(keys)
    assert sorted((m.stage, m.version) for m in first) == [(Stage.FAILED, 2), (Stage.VALIDATED, 2)]
    again = await story(keys)
    assert sorted(again, key=lambda m: m.id) == sorted(first, key=lambda m: m.id)
    assert (
        await database.fetchval("SELECT count(*) FROM invoice_events WHERE invoice_id = ANY($1)", [k[0] for k in keys])
        == 2
    )


async def test_an_end_that_was_heard_is_not_announced_again(database: Database, story: ValidateInvoices) -> None:
    key = (await insert_fetched(database, b"bad"), 1)
    (moved,) = await story([key])
    async with database.connection() as connection:
        await clear_wake(connection, [(moved.id, moved.version)])
    assert await story([key]) == []


async def test_a_verdict_that_the_database_refuses_parks_only_its_row(
    database: Database, story: ValidateInvoices
) -> None:
    contents = [b"good", b"bad", b"nul", b"good", b"good", b"bad"]
    ids = [await insert_fetched(database, content) for content in contents]
    moved = await story([(row_id, 1) for row_id in ids])
    assert len(moved) == len(ids)
    stands = [await standing(database, row_id) for row_id in ids]
    good, bad = ("validated", "pending", None, 2), ("failed", "failed", "invalid", 2)
    assert stands == [good, bad, ("failed", "failed", "parked", 2), good, good, bad]
    text = await database.fetchval("SELECT error_message FROM invoices WHERE id = $1", ids[2])
    assert text.startswith("the verdict cannot be stored: 22P05")


async def test_a_row_that_the_sweeper_took_is_left_alone_by_the_older_announcement(
    database: Database, story: ValidateInvoices
) -> None:
    row_id = await insert_fetched(database, b"good")
    await database.execute("UPDATE invoices SET version = 2 WHERE id = $1", row_id)
    assert await story([(row_id, 1)]) == []
    (moved,) = await story([(row_id, 2)])
    assert moved.version == 3


async def test_the_bytes_of_a_document_are_its_raw_bytes_where_it_has_them(database: Database) -> None:
    text = await insert_fetched(database, "<a>é</a>".encode())
    raw = await insert_fetched(database, b"<a>\x00\xff</a>")
    documents = await PostgresRows(database).read([(text, 1), (raw, 1), (SYSTEM_CLOCK.new_id(), 1)])
    assert {d.id: d.content for d in documents} == {text: "<a>é</a>".encode(), raw: b"<a>\x00\xff</a>"}
