"""What people do to a job that is there: the mark of a cancellation, and what of it did not go well."""

from uuid import UUID

from common.db.pool import Connection, Database, Row
from gateway.adapters import dry_run_orders
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.access import Caller, User
from gateway.domain.orders import Cancellation, Failures

_MARK = """
UPDATE jobs SET cancelled_at = now(), updated_at = now()
WHERE id = $1 AND status IN ('pending', 'running') AND cancelled_at IS NULL
RETURNING id, status, cancelled_at, completed_at
"""
_AS_IT_IS = "SELECT id, status, cancelled_at, completed_at FROM jobs WHERE id = $1"

# One partial index each: the whole job is never read for it.
_FAILURES = """
SELECT (SELECT count(*) FROM invoices WHERE job_id = j.id AND status = 'failed' AND archived_at IS NULL) AS failed,
    (SELECT count(*) FROM invoices WHERE job_id = j.id AND status = 'failed' AND archived_at IS NOT NULL) AS archived,
    (SELECT count(*) FROM invoices WHERE job_id = j.id AND status = 'held') AS held,
    j.cancelled_at IS NOT NULL AND j.status IN ('pending', 'running') AS cancelling
FROM jobs j WHERE j.id = $1
"""


class PostgresJobControl:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def cancel(self, job_id: UUID, reason: str, user: User, caller: Caller) -> Cancellation | None:
        async with self._database.transaction() as connection:
            marked = await connection.fetchrow(_MARK, job_id) or await connection.fetchrow(dry_run_orders.MARK, job_id)
            if marked is None:
                found = await _as_it_is(connection, job_id)
                return _cancellation(found, repeated=True) if found else None
            await write_audit(
                connection,
                action="jobs.cancel",
                user_id=user.id,
                caller=caller,
                resource=("job", job_id),
                details={"reason": reason},
            )
        return _cancellation(marked, repeated=False)

    async def failures(self, job_id: UUID) -> Failures | None:
        return await failures_of(self._database, job_id) or await self._of_dry_run(job_id)

    async def _of_dry_run(self, job_id: UUID) -> Failures | None:
        is_one = await self._database.fetchrow(dry_run_orders.AS_IT_IS, job_id)
        return Failures(0, 0, 0, dry_run=True) if is_one else None


async def failures_of(database: Database, job_id: UUID) -> Failures | None:
    """Counted at this moment; None where there is no such job."""
    row = await database.fetchrow(_FAILURES, job_id)
    return Failures(**row) if row else None


async def _as_it_is(connection: Connection, job_id: UUID) -> Row | None:
    return await connection.fetchrow(_AS_IT_IS, job_id) or await connection.fetchrow(dry_run_orders.AS_IT_IS, job_id)


def _cancellation(row: Row, *, repeated: bool) -> Cancellation:
    return Cancellation(row["id"], row["status"], row["cancelled_at"], row["completed_at"], repeated=repeated)
