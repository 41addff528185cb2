"""The `jobs` table while a listing goes on."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import structlog

from common.contracts.events import JobEvent, JobEventKind, JobRequested
from common.contracts.faults import JobErrorCode
from common.db.pool import Database, Row
from common.errors import RowFault
from common.halves import in_halves
from common.observability.tracing import TRACEPARENT, current
from fetcher.ports import LeasedJob

log = structlog.get_logger()

SOURCE = "backend"

# An unknown user is no reason to lose a job.
_ACCEPT = """
INSERT INTO jobs (id, job_type, status, triggered_by, metadata, correlation_id, invoice_ids, force_processing, reason,
                  created_at, wake_at)
SELECT $1, $2, 'pending', (SELECT id FROM users WHERE id = $3), $4, $5, $6, $7, $8, $9, now()
ON CONFLICT (id) DO UPDATE SET wake_at = now() WHERE jobs.status = 'pending'
"""

_REFUSE = """
INSERT INTO jobs (id, job_type, status, error, error_message, completed_at, wake_at)
VALUES ($1, $2, 'failed', $3, $4, now(), now()) ON CONFLICT (id) DO NOTHING
"""

# The watermark is chosen when the job is first taken: only an unfiltered job looks from there, and once in a while one
# looks at everything to prove that nothing is behind it.
_LEASE = """
WITH due AS (
    SELECT id, status FROM jobs
    WHERE wake_at <= now() AND status IN ('pending', 'running') AND listed_at IS NULL AND cancelled_at IS NULL
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE jobs j SET
    lease_token = $2, wake_at = now() + $3, status = 'running', updated_at = now(),
    started_at = coalesce(j.started_at, now()), version = j.version + (due.status = 'pending')::int,
    since = CASE WHEN due.status = 'running' THEN j.since WHEN j.invoice_ids IS NULL THEN (
        SELECT w.modified_since - $4::interval FROM watermarks w
        WHERE w.source = $5 AND w.full_listing_at > now() - $6::interval) END
FROM due WHERE j.id = due.id
RETURNING j.id, j.lease_token, j.version, due.status = 'pending' AS started_now, j.cursor, j.page, j.since,
    j.invoice_ids, j.force_processing, j.correlation_id, j.metadata->>'traceparent' AS traceparent
"""

_FAILED = """
UPDATE jobs SET error = $3, error_message = $4, listed_at = now(), lease_token = NULL, wake_at = NULL,
    version = version + 1, updated_at = now()
WHERE id = $1 AND lease_token = $2
RETURNING version, listed_at
"""


class PostgresJobs:
    def __init__(
        self, database: Database, *, lease: timedelta, overlap: timedelta, full_listing_every: timedelta
    ) -> None:
        self._database = database
        self._lease = lease
        self._overlap = overlap
        self._full_listing_every = full_listing_every

    async def accept(self, requests: Sequence[JobRequested]) -> None:
        """Make the rows that are not there yet, and wake them; a request that cannot be a job is a failed one."""

        async def refuse(request: JobRequested, fault: RowFault) -> Sequence[None]:
            await self._refuse(request, f"the request cannot be stored: {fault}")
            return ()

        await in_halves(sorted(requests, key=lambda r: r.job_id), self._accept, refuse)

    async def _accept(self, requests: Sequence[JobRequested]) -> Sequence[None]:
        traceparent = _traceparent(requests)
        rows = [_columns(request, traceparent) for request in requests if not _wrong(request)]
        async with self._database.transaction() as connection:
            await connection.executemany(_ACCEPT, rows)
        for request in filter(_wrong, requests):
            await self._refuse(request, "force_processing needs invoice_ids and a reason")
        return ()

    async def _refuse(self, request: JobRequested, why: str) -> None:
        log.error("job_refused", job_id=str(request.job_id), why=why[:200])
        message = "".join(character if character.isprintable() else " " for character in why)[:1000]
        error = {"code": JobErrorCode.INVALID_REQUEST, "message": message, "details": {}}
        await self._database.execute(_REFUSE, request.job_id, request.job_type.value, error, message)

    async def lease(self, limit: int) -> Sequence[LeasedJob]:
        """Take due jobs whose listing is not complete."""
        rows = await self._database.fetch(
            _LEASE, limit, uuid4(), self._lease, self._overlap, SOURCE, self._full_listing_every
        )
        return [to_leased(row) for row in rows]

    async def renew(self, jobs: Sequence[LeasedJob]) -> None:
        """Keep the leases that are still ours."""
        await self._database.execute(
            """UPDATE jobs j SET wake_at = now() + $3 FROM unnest($1::uuid[], $2::uuid[]) AS t(id, token)
               WHERE j.id = t.id AND j.lease_token = t.token AND j.listed_at IS NULL""",
            [job.id for job in jobs],
            [job.token for job in jobs],
            self._lease,
        )

    async def listing_failed(self, job: LeasedJob, error: dict[str, Any]) -> JobEvent | None:
        """The listing ends here; the job fails once its open rows are done. None when the lease is lost."""
        row = await self._database.fetchrow(_FAILED, job.id, job.token, error, str(error["message"]))
        if row is None:
            return None
        return JobEvent(job_id=job.id, version=row["version"], kind=JobEventKind.SETTLING, at=row["listed_at"])


def _wrong(request: JobRequested) -> bool:
    return request.force_processing and not (request.invoice_ids and request.reason)


def _traceparent(requests: Sequence[JobRequested]) -> str | None:
    """The batch's own where it is about one job: a job of another's trace would be lost in it."""
    context = current.get()
    return context.traceparent if context is not None and len({request.job_id for request in requests}) == 1 else None


def _columns(request: JobRequested, traceparent: str | None) -> tuple[object, ...]:
    return (
        request.job_id,
        request.job_type.value,
        request.triggered_by,
        {"requested_at": request.requested_at.isoformat(), **({TRACEPARENT: traceparent} if traceparent else {})},
        request.correlation_id,
        list(request.invoice_ids) if request.invoice_ids else None,
        request.force_processing,
        request.reason,
        request.requested_at,
    )


def to_leased(row: Row) -> LeasedJob:
    """A row of a statement that leases."""
    ids = row["invoice_ids"]
    return LeasedJob(
        id=row["id"],
        token=row["lease_token"],
        version=row["version"],
        started_now=row["started_now"],
        cursor=row["cursor"],
        page=row["page"],
        since=row["since"],
        invoice_ids=tuple(ids) if ids else None,
        force=row["force_processing"],
        correlation_id=row["correlation_id"],
        traceparent=row.get("traceparent"),
    )


def as_json(value: Any) -> str:
    """For arrays of JSON, which the driver's own codec cannot tell from nested arrays."""
    return orjson.dumps(value, default=str).decode()
