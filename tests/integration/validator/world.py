"""Rows as the fetcher leaves them for the validator."""

import hashlib
from uuid import UUID

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database


async def insert_fetched(database: Database, content: bytes, *, wake: str = "2 minutes") -> UUID:
    """A fetched row with these bytes: as text where they are text, raw where not."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = None
    row_id = SYSTEM_CLOCK.new_id()
    await database.execute(
        """INSERT INTO invoices (id, invoice_id, ubl_data, raw, raw_sha256, status, stage, wake_at)
           VALUES ($1, $2, $3, $4, $5, 'pending', 'fetched', now() + $6::text::interval)""",
        row_id,
        f"source-{row_id}",
        text or "",
        content if text is None else None,
        hashlib.sha256(content).digest(),
        wake,
    )
    return row_id
