"""Where the rows stand: counted for the status of the system and for its metrics, by indexes that are there."""

from dataclasses import dataclass
from datetime import datetime

from common.db.pool import Database

# Sent rows and duplicates are over and many: nobody counts them here.
_STAGES = """
SELECT stage, reason, count(*) AS count, min(updated_at) AS oldest_at,
    extract(epoch FROM now() - min(updated_at))::bigint AS oldest_seconds
FROM invoices WHERE status IN ('pending', 'held') GROUP BY stage, reason ORDER BY stage, reason NULLS FIRST
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Rows that are not over, at one stage for one reason; since when the oldest has not moved."""

    stage: str
    reason: str | None
    count: int
    oldest_at: datetime
    oldest_seconds: int


async def standings(database: Database) -> list[Standing]:
    return [Standing(**dict(row)) for row in await database.fetch(_STAGES)]
