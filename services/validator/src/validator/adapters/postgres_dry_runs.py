"""The items of dry runs that the validator judges; nobody else's rows are touched."""

from collections.abc import Sequence
from datetime import timedelta

from common.db.pool import Database
from validator.domain import DryRunItem, DryRunVerdict

LEASE = timedelta(seconds=60)

_LEASE = """
WITH due AS (
    SELECT dry_run_id, id FROM dry_run_items WHERE wake_at <= now() ORDER BY wake_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE dry_run_items i SET wake_at = now() + $2 FROM due WHERE i.dry_run_id = due.dry_run_id AND i.id = due.id
RETURNING i.dry_run_id, i.id, i.document, i.deaths
"""

# Without a timer it belongs to a run that has ended: readers have seen it as it stands.
_KEEP = """
UPDATE dry_run_items i SET outcome = t.outcome, reason = t.reason, error = t.error, document = NULL, wake_at = NULL
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS t(dry_run_id, id, outcome, reason, error)
WHERE i.dry_run_id = t.dry_run_id AND i.id = t.id AND i.wake_at IS NOT NULL
"""

_GIVE_BACK = """
UPDATE dry_run_items i SET deaths = deaths + 1, wake_at = now()
FROM unnest($1::uuid[], $2::uuid[]) AS t(dry_run_id, id)
WHERE i.dry_run_id = t.dry_run_id AND i.id = t.id AND i.wake_at IS NOT NULL
"""


class PostgresDryRunItems:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def lease(self, limit: int) -> Sequence[DryRunItem]:
        """Open items that nobody has in hand; a minute later somebody else may take them."""
        rows = await self._database.fetch(_LEASE, limit, LEASE)
        return [DryRunItem(row["dry_run_id"], row["id"], row["document"], row["deaths"]) for row in rows]

    async def keep(self, verdicts: Sequence[DryRunVerdict]) -> None:
        """Write the verdicts of items that are still open, and drop their documents. Raises RowFault."""
        if not verdicts:
            return
        await self._database.execute(
            _KEEP,
            [verdict.run for verdict in verdicts],
            [verdict.id for verdict in verdicts],
            [verdict.outcome.value for verdict in verdicts],
            [verdict.reason.value if verdict.reason else None for verdict in verdicts],
            [verdict.error for verdict in verdicts],
        )

    async def give_back(self, items: Sequence[DryRunItem]) -> None:
        """Count that each ended a worker alone; it may be taken again at once."""
        if items:
            await self._database.execute(_GIVE_BACK, [item.run for item in items], [item.id for item in items])
