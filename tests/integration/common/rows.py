"""Rows for tests, written directly."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.invoice.stage import STATUS, Stage
from local.infrastructure import Infrastructure


async def insert_row(
    database: Database, stage: Stage = Stage.FETCHED, *, due: timedelta | None = None, reason: str | None = None
) -> UUID:
    """A row at version 1; `due` is how long ago its timer ran out (None: no timer)."""
    row_id = SYSTEM_CLOCK.new_id()
    await database.execute(
        """INSERT INTO invoices (id, invoice_id, ubl_data, status, stage, raw_sha256, wake_at, reason)
           VALUES ($1, $2, '', $3, $4, '', now() - $5::interval, $6)""",
        row_id,
        f"source-{row_id}",
        STATUS[stage].value,
        stage.value,
        due,
        reason,
    )
    return row_id


@asynccontextmanager
async def own_database(infrastructure: Infrastructure, template: str) -> AsyncGenerator[str]:
    """The URL of a migrated database that nobody holds a connection to, so that PostgreSQL may be stopped meanwhile."""
    name = f"test_{uuid4().hex[:12]}"
    await _maintain(infrastructure, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield infrastructure.database_url.rsplit("/", 1)[0] + f"/{name}"
    await _maintain(infrastructure, f"DROP DATABASE {name} WITH (FORCE)")


async def _maintain(infrastructure: Infrastructure, sql: str) -> None:
    connection = await asyncpg.connect(infrastructure.database_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
