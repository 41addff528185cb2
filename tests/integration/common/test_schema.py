"""The schema against the customer's own SQL, run beside it and compared by the catalogue."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.errors import InfrastructureError
from tests.integration.common.rows import insert_row

pytestmark = pytest.mark.stack

SEED = (Path(__file__).parent / "seed.sql").read_text()
COLUMNS = """
SELECT table_name, column_name, data_type, character_maximum_length AS length, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = $1"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = $1"
FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND connamespace = $1::regnamespace AND conparentid = 0"""


@pytest.fixture
async def seeded(database: Database) -> Database:
    """The migrated database, with the seed's tables in a schema of their own."""
    async with database.transaction() as connection:
        await connection.execute(f"CREATE SCHEMA seed; SET LOCAL search_path TO seed; {SEED}")
    return database


async def both(database: Database, sql: str) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
    return await database.fetch(sql, "seed"), await database.fetch(sql, "public")


def bare(text: str) -> str:
    return re.sub(r"\b(seed|public|ONLY)\b\.? ?", "", text)


async def test_every_column_of_the_seed_is_there_with_its_type(seeded: Database) -> None:
    theirs, ours = await both(seeded, COLUMNS)
    mine = {(row["table_name"], row["column_name"]): row for row in ours}
    assert {row["table_name"] for row in theirs} == {"users", "jobs", "invoices", "audit_logs", "configuration"}
    assert len(theirs) == 44
    for row in theirs:
        name = (row["table_name"], row["column_name"])
        assert name in mine
        wanted = row["data_type"].replace("timestamp without time zone", "timestamp with time zone")
        assert (name, mine[name]["data_type"], mine[name]["length"]) == (name, wanted, row["length"])
        assert (name, mine[name]["is_nullable"]) == (name, row["is_nullable"])
        if name != ("invoices", "id"):  # time-ordered, so that the table can be partitioned by it
            assert (name, mine[name]["column_default"]) == (name, row["column_default"])


async def test_every_index_of_the_seed_is_there(seeded: Database) -> None:
    theirs, ours = await both(seeded, INDEXES)
    mine = {row["indexname"]: bare(row["indexdef"]) for row in ours}
    named = [row for row in theirs if row["indexname"].startswith("idx_")]
    assert len(named) == 11
    for row in theirs:
        assert mine.get(row["indexname"]) == bare(row["indexdef"])


async def test_every_foreign_key_of_the_seed_is_there(seeded: Database) -> None:
    theirs, ours = await both(seeded, FOREIGN_KEYS)
    mine = {(bare(row["child"]), bare(row["parent"]), bare(row["definition"])) for row in ours}
    assert len(theirs) == 3
    for row in theirs:
        assert (bare(row["child"]), bare(row["parent"]), bare(row["definition"])) in mine


async def test_every_time_has_a_zone(database: Database) -> None:
    naive = await database.fetch(COLUMNS + " AND data_type = 'timestamp without time zone'", "public")
    assert naive == []


def attempts(table: str, column: str) -> Sequence[str]:
    return [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"]


@pytest.mark.parametrize("statement", attempts("audit_logs", "action"))
async def test_the_audit_log_is_append_only(database: Database, statement: str) -> None:
    await database.execute("INSERT INTO audit_logs (action, resource_type) VALUES ('a', 'r')")
    with pytest.raises(InfrastructureError, match="append-only"):
        await database.execute(statement)
    assert await database.fetchval("SELECT count(*) FROM audit_logs") == 1


@pytest.mark.parametrize("statement", attempts("invoice_events", "stage"))
async def test_the_history_of_invoices_is_append_only(database: Database, statement: str) -> None:
    row = await insert_row(database)
    await database.execute(
        "INSERT INTO invoice_events (invoice_id, version, stage, actor) VALUES ($1, 1, 'fetched', 'test')", row
    )
    partition = await database.fetchval("SELECT tableoid::regclass::text FROM invoice_events")
    for wording in (statement, statement.replace("invoice_events", partition)):
        with pytest.raises(InfrastructureError, match="append-only"):
            await database.execute(wording)
    assert await database.fetchval("SELECT count(*) FROM invoice_events") == 1


async def test_a_row_made_now_lands_in_this_months_partition(database: Database) -> None:
    row = await insert_row(database)
    month = f"{datetime.now(UTC):%Y%m}"  # noqa: TID251 - the database's months are real ones
    assert await database.fetchval("SELECT tableoid::regclass::text FROM invoices WHERE id = $1", row) == (
        f"invoices_{month}"
    )


async def test_an_id_of_another_time_still_has_a_place(database: Database) -> None:
    await database.execute(
        """INSERT INTO invoices (id, invoice_id, ubl_data, status, stage, raw_sha256)
           VALUES ($1, 'x', '', 'pending', 'fetched', '')""",
        UUID(int=1),
    )
    assert await database.fetchval("SELECT tableoid::regclass::text FROM invoices") == "invoices_other"


async def test_partitions_are_made_ahead_and_making_them_again_changes_nothing(database: Database) -> None:
    sql = """SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY (
        ARRAY['invoices', 'invoice_events', 'attempts']::regclass[]) ORDER BY 1"""
    before = await database.fetch(sql)
    assert len(before) == 3 * (1 + 3)
    await database.execute("SELECT ensure_partitions(2)")
    assert await database.fetch(sql) == before
    await database.execute("SELECT ensure_partitions(14)")
    assert len(await database.fetch(sql)) == 3 * (1 + 15)


async def test_the_bounds_of_a_month_are_its_first_milliseconds(database: Database) -> None:
    floor: UUID = await database.fetchval("SELECT uuidv7_floor('2026-11-01T00:00:00Z')")
    assert floor.int >> 80 == int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
    assert SYSTEM_CLOCK.new_id() > floor


async def test_what_the_machine_does_not_know_is_refused_by_the_table(database: Database) -> None:
    with pytest.raises(Exception, match="jobs_status"):
        await database.execute("INSERT INTO jobs (job_type, status) VALUES ('manual', 'resting')")
