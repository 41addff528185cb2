"""The items of dry runs on the real database."""

from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.invoice.dry_run import Prospect
from common.invoice.stage import Reason
from validator.adapters.postgres_dry_runs import PostgresDryRunItems
from validator.domain import verdict_parked

pytestmark = pytest.mark.stack


async def insert(database: Database, *documents: bytes) -> list[UUID]:
    """A dry run of open items with these documents; the ids of those."""
    run, user = uuid4(), uuid4()
    await database.execute(
        "INSERT INTO users (id, username, email, password_hash) VALUES ($1, $2, $2, '')", user, str(user)
    )
    await database.execute(
        """INSERT INTO dry_runs (id, status, triggered_by, fingerprint, force_processing, estimated_completion,
               created_at, expires_at, listed_at)
           VALUES ($1, 'running', $2, '', FALSE, now(), now(), now() + interval '1 d', now())""",
        run, user,
    )  # fmt: skip
    ids = [SYSTEM_CLOCK.new_id() for _ in documents]
    await database.execute(
        """INSERT INTO dry_run_items (dry_run_id, id, source_id, sha256, outcome, document, wake_at)
           SELECT $1, id, id, '', 'open', document, now() FROM unnest($2::uuid[], $3::bytea[]) AS t(id, document)""",
        run, ids, list(documents),
    )  # fmt: skip
    return ids


async def test_items_are_taken_by_one_at_a_time_and_again_when_their_worker_is_gone(database: Database) -> None:
    ids = await insert(database, b"a", b"b", b"c")
    items = PostgresDryRunItems(database)
    first, second = await items.lease(2), await items.lease(2)
    assert {one.id for one in (*first, *second)} == set(ids)
    assert (len(first), len(second), await items.lease(2)) == (2, 1, [])
    await database.execute("UPDATE dry_run_items SET wake_at = now() WHERE id = $1", second[0].id)
    assert await items.lease(2) == second


async def test_a_verdict_takes_the_document_away_and_comes_once(database: Database) -> None:
    await insert(database, b"a")
    items = PostgresDryRunItems(database)
    (one,) = await items.lease(1)
    await items.keep([verdict_parked(one, "first")])
    await items.keep([verdict_parked(one, "late")])
    row = await database.fetchrow("SELECT outcome, reason, error, document, wake_at FROM dry_run_items")
    assert row is not None
    assert tuple(row) == (Prospect.WOULD_FAIL, Reason.PARKED, "first", None, None)


async def test_an_item_of_a_run_that_has_ended_stays_as_its_readers_have_seen_it(database: Database) -> None:
    await insert(database, b"a")
    items = PostgresDryRunItems(database)
    (one,) = await items.lease(1)
    await database.execute("UPDATE dry_run_items SET wake_at = NULL, document = NULL")
    await items.keep([verdict_parked(one, "late")])
    await items.give_back([one])
    assert await database.fetchval("SELECT outcome FROM dry_run_items") == "open"
    assert await items.lease(1) == []


async def test_a_death_is_counted_and_the_item_is_due_at_once(database: Database) -> None:
    await insert(database, b"a")
    items = PostgresDryRunItems(database)
    (one,) = await items.lease(1)
    await items.give_back([one])
    (again,) = await items.lease(1)
    assert (again.deaths, again.content) == (1, b"a")
