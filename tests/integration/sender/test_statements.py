"""A stated uuid on the real PostgreSQL: evidence, the move, and what does not apply any more."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from common.db.pool import Database
from common.db.sweeper import Sweeper
from common.invoice.stage import Stage
from sender.adapters.postgres_statements import PostgresStatements, statement_sweep
from sender.domain.statements import Believed, Contradicted, NotNow, Statement
from tests.integration.sender.rows import ready_row

pytestmark = pytest.mark.stack


async def stated(database: Database) -> tuple[UUID, int]:
    row = await ready_row(
        database, status="held", stage="held", reason="stated", maybe_sent=True, version=6,
        clearfacts_response={"stated": {"uuid": "cf-1", "by": "ann"}},
    )  # fmt: skip
    return row, 6


async def one(store: PostgresStatements, key: tuple[UUID, int]) -> Statement:
    [statement] = await store.statements([key])
    return statement


async def test_a_believed_statement_is_an_acceptance_of_its_own_beside_the_attempts(database: Database) -> None:
    store = PostgresStatements(database)
    key = await stated(database)
    moved = await store.conclude(await one(store, key), Believed("cf-1", "confirmed"))
    assert moved is not None
    assert (moved.stage, moved.uuid, moved.version) == (Stage.SENT, "cf-1", 7)
    row = await database.fetchrow("SELECT * FROM invoices WHERE id = $1", key[0])
    assert row is not None
    assert (row["status"], row["maybe_sent"], row["clearfacts_response"]["uuid"]) == ("sent", False, "cf-1")
    attempt = await database.fetchrow("SELECT * FROM attempts WHERE invoice_id = $1", key[0])
    assert attempt is not None
    assert (attempt["outcome"], attempt["uuid"], attempt["number"]) == ("accepted", "cf-1", moved.attempt)
    assert attempt["response"] == {"uuid": "cf-1", "stated_by": "ann", "read_back": "confirmed"}


async def test_a_contradicted_statement_waits_for_a_person_and_leaves_no_acceptance(database: Database) -> None:
    store = PostgresStatements(database)
    key = await stated(database)
    moved = await store.conclude(await one(store, key), Contradicted("Clearfacts has no document cf-1"))
    assert moved is not None
    row = await database.fetchrow("SELECT * FROM invoices WHERE id = $1", key[0])
    assert row is not None
    assert (row["stage"], row["reason"], row["maybe_sent"]) == ("held", "unknown_outcome", True)
    assert row["error_message"] == "Clearfacts has no document cf-1"
    assert await database.fetchval("SELECT count(*) FROM attempts") == 0


async def test_without_an_answer_it_is_asked_again_later(database: Database) -> None:
    store = PostgresStatements(database)
    key = await stated(database)
    assert await store.conclude(await one(store, key), NotNow(timedelta(seconds=30))) is None
    waits = await database.fetchval("SELECT wake_at - now() FROM invoices WHERE id = $1", key[0])
    assert timedelta(seconds=25) < waits <= timedelta(seconds=30)


async def test_a_row_that_moved_meanwhile_is_left_alone(database: Database) -> None:
    store = PostgresStatements(database)
    key = await stated(database)
    statement = await one(store, key)
    await database.execute("UPDATE invoices SET version = 7 WHERE id = $1", key[0])
    assert await store.conclude(statement, Believed("cf-1", "confirmed")) is None
    assert await store.conclude(statement, Contradicted("no")) is None
    assert await database.fetchval("SELECT count(*) FROM attempts") == 0


async def test_the_sweep_finds_stated_rows_alone(database: Database) -> None:
    key = await stated(database)
    await ready_row(database, status="held", stage="held", reason="unknown_outcome")
    seen: list[UUID] = []

    async def work(keys: Any) -> None:
        seen.extend(id_ for id_, _ in keys)

    await Sweeper(database, [], service="sender").once(statement_sweep(work))
    assert seen == [key[0]]
