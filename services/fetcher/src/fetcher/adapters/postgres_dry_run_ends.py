"""Ending dry runs, and deleting those that have expired. The one place that does either."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.contracts.faults import JobErrorCode
from common.db.pool import Database, Row
from common.invoice.dry_run import PAUSED

_FINISHED = """
SELECT id FROM dry_runs d
WHERE status IN ('pending', 'running') AND (
    cancelled_at IS NOT NULL OR created_at <= now() - $1::interval
    OR (listed_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM dry_run_items i WHERE i.dry_run_id = d.id AND i.outcome = 'open')))
ORDER BY created_at LIMIT 20
"""

_LOCK = """
SELECT error, cancelled_at, listed_at IS NOT NULL AS listed,
    EXISTS (SELECT FROM dry_run_items i WHERE i.dry_run_id = d.id AND i.outcome = 'open') AS unjudged
FROM dry_runs d WHERE id = $1 AND status IN ('pending', 'running') FOR UPDATE OF d
"""

# What nobody has judged stays open for readers, without its document and with nobody who looks at it.
_LEFT = """
UPDATE dry_run_items SET document = NULL, wake_at = NULL WHERE dry_run_id = $1 AND outcome = 'open'
"""

_PAUSED = f"""
UPDATE dry_run_items i SET outcome = 'would_wait', reason = '{PAUSED}',
    error = 'sending is paused: ' || (
        SELECT reason FROM switches s WHERE s.service = 'sender' AND s.scope IN ('*', i.dossier) ORDER BY at LIMIT 1)
WHERE dry_run_id = $1 AND outcome = 'would_go'
    AND EXISTS (SELECT FROM switches s WHERE s.service = 'sender' AND s.scope IN ('*', i.dossier))
"""

_END = """
UPDATE dry_runs SET status = $2, error = $3, counts = dry_run_counts(id), completed_at = now(), lease_token = NULL,
    version = version + 1
WHERE id = $1 RETURNING status
"""

# Items first and in parts: a cascade over a hundred thousand of them would be one long transaction.
_FORGET_ITEMS = """
DELETE FROM dry_run_items WHERE (dry_run_id, id) IN (
    SELECT i.dry_run_id, i.id FROM dry_runs d JOIN dry_run_items i ON i.dry_run_id = d.id
    WHERE d.expires_at <= now() LIMIT 5000)
"""
_FORGET_RUNS = """
DELETE FROM dry_runs d WHERE expires_at <= now()
    AND NOT EXISTS (SELECT FROM dry_run_items i WHERE i.dry_run_id = d.id)
"""
_EXPIRED = "SELECT EXISTS (SELECT FROM dry_runs WHERE expires_at <= now())"


class PostgresDryRunEnds:
    def __init__(self, database: Database, *, deadline: timedelta) -> None:
        self._database = database
        self._deadline = deadline

    async def finished(self) -> Sequence[UUID]:
        """Those that are judged, cancelled or late."""
        return [row["id"] for row in await self._database.fetch(_FINISHED, self._deadline)]

    async def end(self, run_id: UUID) -> str | None:
        """End one; its status, None when somebody else did."""
        async with self._database.transaction() as connection:
            run = await connection.fetchrow(_LOCK, run_id)
            if run is None:
                return None
            await connection.execute(_LEFT, run_id)
            await connection.execute(_PAUSED, run_id)
            error = self._error(run)
            return await connection.fetchval(_END, run_id, "failed" if error else "completed", error)

    async def forget(self) -> None:
        """Delete some of what has expired."""
        if await self._database.fetchval(_EXPIRED):
            await self._database.execute(_FORGET_ITEMS)
            await self._database.execute(_FORGET_RUNS)

    def _error(self, run: Row) -> dict[str, Any] | None:
        """Why it failed: what a person did, then what the listing met, then that it took too long."""
        if run["cancelled_at"] is not None:
            details = {"cancelled_at": run["cancelled_at"]}
            return {"code": JobErrorCode.CANCELLED, "message": "cancelled", "details": details}
        if run["error"] is not None:
            return run["error"]
        if run["listed"] and not run["unjudged"]:
            return None
        where = "validation" if run["listed"] else "listing"
        message = f"the {where} did not end within {self._deadline}: look at clearfacts system, then start it again"
        return {"code": JobErrorCode.DRY_RUN_TIMED_OUT, "message": message, "details": {"waiting_for": where}}
