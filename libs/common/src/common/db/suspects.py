"""Rows that may end whoever works them: how often a process ended with one of them alone in hand."""

from collections.abc import Sequence
from uuid import UUID

from common.db.pool import Connection, Database

DEATHS = 3
"""How often before the row is parked."""

_LEASED_WITHOUT_END = 2
"""A row that was leased so often before and has not moved is worked alone, with a mark."""

_SUSPECTS = """
SELECT t.id FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
WHERE t.version - coalesce((SELECT max(e.version) FROM invoice_events e WHERE e.invoice_id = t.id), 1) > $3
"""


async def suspects_among(database: Database, keys: Sequence[tuple[UUID, int]]) -> set[UUID]:
    """Those of the leased rows whose earlier leases came to nothing: a lease adds a version, but no event."""
    rows = await database.fetch(_SUSPECTS, [id_ for id_, _ in keys], [v for _, v in keys], _LEASED_WITHOUT_END)
    return {row["id"] for row in rows}


async def mark(connection: Connection, rows: Sequence[UUID]) -> dict[UUID, int]:
    """Count one more death of each, before the work or when it was seen; the counts, this one included."""
    found = await connection.fetch(
        """INSERT INTO suspects (invoice_id, deaths) SELECT unnest($1::uuid[]), 1
           ON CONFLICT (invoice_id) DO UPDATE SET deaths = suspects.deaths + 1, begun_at = now()
           RETURNING invoice_id, deaths""",
        sorted(rows),
    )
    return {row["invoice_id"]: row["deaths"] for row in found}


async def unmark(connection: Connection, row: UUID) -> None:
    """The process lives: whatever came of the work, the row did not end it this time."""
    await connection.execute("UPDATE suspects SET deaths = deaths - 1 WHERE invoice_id = $1", row)
    await connection.execute("DELETE FROM suspects WHERE invoice_id = $1 AND deaths <= 0", row)


async def forget(connection: Connection, rows: Sequence[UUID]) -> None:
    """They have ended: if they come again, by replay, they begin anew."""
    await connection.execute("DELETE FROM suspects WHERE invoice_id = ANY($1)", list(rows))
