"""Rows for tests, written directly."""

from datetime import timedelta
from uuid import UUID

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database
from common.invoice.stage import STATUS, Stage


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
