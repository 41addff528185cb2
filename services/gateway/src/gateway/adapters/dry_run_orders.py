"""Placing and cancelling dry runs: the parts that differ from jobs, within the transactions of those."""

from datetime import timedelta
from uuid import UUID

from common.db.pool import Connection
from gateway.domain.faults import TooManyJobs
from gateway.domain.orders import MOST_OPEN_DRY_RUNS, Placed

_INSERT = """
INSERT INTO dry_runs (id, triggered_by, idempotency_key, fingerprint, correlation_id, invoice_ids, force_processing,
    reason, estimated_completion, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10::timestamptz + $11::interval)
"""

MARK = """
UPDATE dry_runs SET cancelled_at = now()
WHERE id = $1 AND status IN ('pending', 'running') AND cancelled_at IS NULL AND expires_at > now()
RETURNING id, status, cancelled_at, completed_at
"""
AS_IT_IS = "SELECT id, status, cancelled_at, completed_at FROM dry_runs WHERE id = $1 AND expires_at > now()"


async def refuse_too_many(connection: Connection, user_id: UUID) -> None:
    """Raises TooManyJobs; whoever asks has locked the user."""
    sql = "SELECT count(*) FROM dry_runs WHERE triggered_by = $1 AND status IN ('pending', 'running')"
    if await connection.fetchval(sql, user_id) >= MOST_OPEN_DRY_RUNS:
        raise TooManyJobs(MOST_OPEN_DRY_RUNS, "dry runs")


async def insert_dry_run(connection: Connection, placed: Placed, *, kept: timedelta) -> None:
    """With its key: both vanish together."""
    await connection.execute(
        _INSERT,
        placed.job_id,
        placed.user.id,
        placed.idempotency_key,
        placed.order.fingerprint,
        placed.caller.correlation_id,
        placed.order.invoice_ids,
        placed.order.force_processing,
        placed.order.reason,
        placed.estimated_completion,
        placed.at,
        kept,
    )
