"""One database for all of these tests, emptied before each: much cheaper than one for each."""

from collections.abc import AsyncGenerator

import pytest

from common.db.pool import Database, connect
from local.infrastructure import Infrastructure
from tests.integration.fetcher.world import World

# The append-only triggers are for services, not for who throws the whole database away.
_EMPTY = "SET session_replication_role = replica;" + "".join(
    f"DELETE FROM {table};"
    for table in (
        "job_pages", "invoice_keys", "attempts", "invoice_events", "invoices", "notifications", "jobs", "watermarks",
        "administrations", "dead_letters", "dry_run_items", "dry_runs",
    )
)  # fmt: skip


@pytest.fixture(scope="session")
async def fetcher_database_url(infrastructure: Infrastructure, migrated_template: str) -> str:
    base = infrastructure.database_url.rsplit("/", 1)[0]
    maintenance = await connect(infrastructure.database_url, application="test", connections=1)
    try:
        await maintenance.execute("DROP DATABASE IF EXISTS test_fetcher WITH (FORCE)")
        await maintenance.execute(f"CREATE DATABASE test_fetcher TEMPLATE {migrated_template} STRATEGY FILE_COPY")
    finally:
        await maintenance.close()
    return f"{base}/test_fetcher"


@pytest.fixture
async def database_url(fetcher_database_url: str) -> str:
    return fetcher_database_url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database, None]:
    pool = await connect(database_url, application="test", connections=4)
    await pool.execute(_EMPTY + "SET session_replication_role = origin")
    yield pool
    await pool.close()


@pytest.fixture
def world(database: Database) -> World:
    return World(database)
