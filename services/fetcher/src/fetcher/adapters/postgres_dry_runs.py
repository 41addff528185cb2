"""The `dry_runs` table while a listing goes on: leased as jobs are, and never announced."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from common.db.pool import Database
from fetcher.adapters.postgres_jobs import SOURCE, to_leased
from fetcher.ports import LeasedJob

# What is late or expired is not begun again: it ends, or is forgotten, elsewhere.
_LEASE = """
WITH due AS (
    SELECT id, status FROM dry_runs
    WHERE wake_at <= now() AND status IN ('pending', 'running') AND listed_at IS NULL AND cancelled_at IS NULL
        AND created_at > now() - $7::interval AND expires_at > now()
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE dry_runs d SET
    lease_token = $2, wake_at = now() + $3, status = 'running', started_at = coalesce(d.started_at, now()),
    version = d.version + (due.status = 'pending')::int,
    since = CASE WHEN due.status = 'running' THEN d.since WHEN d.invoice_ids IS NULL THEN (
        SELECT w.modified_since - $4::interval FROM watermarks w
        WHERE w.source = $5 AND w.full_listing_at > now() - $6::interval) END
FROM due WHERE d.id = due.id
RETURNING d.id, d.lease_token, d.version, due.status = 'pending' AS started_now, d.cursor, d.page, d.since,
    d.invoice_ids, d.force_processing, d.correlation_id
"""

_RENEW = """
UPDATE dry_runs d SET wake_at = now() + $3 FROM unnest($1::uuid[], $2::uuid[]) AS t(id, token)
WHERE d.id = t.id AND d.lease_token = t.token AND d.listed_at IS NULL
"""

_FAILED = """
UPDATE dry_runs SET error = $3, listed_at = now(), lease_token = NULL, version = version + 1
WHERE id = $1 AND lease_token = $2
"""


class PostgresDryRuns:
    def __init__(
        self,
        database: Database,
        *,
        lease: timedelta,
        overlap: timedelta,
        full_listing_every: timedelta,
        deadline: timedelta,
    ) -> None:
        self._database = database
        self._lease = lease
        self._terms = (overlap, SOURCE, full_listing_every, deadline)

    async def lease(self, limit: int) -> Sequence[LeasedJob]:
        """Take due dry runs whose listing is not complete; they look from where a job would look now."""
        return [to_leased(row) for row in await self._database.fetch(_LEASE, limit, uuid4(), self._lease, *self._terms)]

    async def renew(self, jobs: Sequence[LeasedJob]) -> None:
        """Keep the leases that are still ours."""
        await self._database.execute(_RENEW, [job.id for job in jobs], [job.token for job in jobs], self._lease)

    async def listing_failed(self, job: LeasedJob, error: dict[str, Any]) -> None:
        """The listing ends here; the dry run fails once its open items are judged. Nobody is told."""
        await self._database.execute(_FAILED, job.id, job.token, error)
