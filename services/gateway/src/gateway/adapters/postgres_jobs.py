"""Jobs in PostgreSQL: the gateway inserts the row, the fetcher alone changes it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from common.clock import Clock
from common.contracts.events import JobType
from common.db.pool import Connection, Database, Row
from common.observability.tracing import TRACEPARENT, current, parse_context
from gateway.adapters.conditions import Conditions
from gateway.adapters.dry_run_orders import insert_dry_run
from gateway.adapters.dry_run_orders import refuse_too_many as refuse_too_many_dry_runs
from gateway.adapters.postgres_audit import write_audit
from gateway.adapters.postgres_dry_runs import PostgresDryRuns
from gateway.adapters.postgres_job_control import failures_of
from gateway.domain.faults import IdempotencyKeyReused, TooManyJobs
from gateway.domain.orders import ENDED, MOST_OPEN_JOBS, NO_FAILURES, Placed, Receipt
from gateway.domain.pace import LATEST, Course, Pace, expected_end
from gateway.domain.readings import InvoiceTrouble, JobFault, JobFilter, JobStatus, JobSummary, Results

MOST_ERRORS = 100

_INSERT = """
INSERT INTO jobs (id, job_type, status, triggered_by, created_at, updated_at, correlation_id, invoice_ids,
    force_processing, reason, metadata, wake_at)
VALUES ($1, $2, 'pending', $3, $4, $4, $5, $6, $7, $8, $9, now() + interval '5 seconds')
"""
_SUMMARY = """id, job_type, status, created_at, started_at, completed_at, results, error, error_message, triggered_by,
    force_processing, reason, correlation_id"""
_ONE = f"SELECT {_SUMMARY}, listed_at, cancelled_at, invoice_ids, metadata FROM jobs WHERE id = $1"
_TROUBLE = "id, invoice_id, status, reason, error_message, updated_at"
# From one partial index each, so that a job of a million invoices is not read for the few that went wrong.
_TROUBLES = f"""
(SELECT {_TROUBLE} FROM invoices WHERE job_id = $1 AND status = 'failed' AND archived_at IS NULL
    ORDER BY processed_at DESC, id DESC LIMIT $2)
UNION ALL (SELECT {_TROUBLE} FROM invoices WHERE job_id = $1 AND status = 'failed' AND archived_at IS NOT NULL
    ORDER BY processed_at DESC, id DESC LIMIT $2)
UNION ALL (SELECT {_TROUBLE} FROM invoices WHERE job_id = $1 AND status = 'held' ORDER BY updated_at DESC LIMIT $2)
ORDER BY updated_at DESC, id DESC LIMIT $2
"""
# A key is good for one order of a user, whatever it is for.
_EARLIER = """
SELECT k.fingerprint, k.job_id, j.metadata->>'estimated_completion' AS estimated_completion
FROM idempotency_keys k JOIN jobs j ON j.id = k.job_id WHERE k.user_id = $1 AND k.key = $2
UNION ALL
SELECT fingerprint, id, to_json(estimated_completion)#>>'{}' FROM dry_runs
WHERE triggered_by = $1 AND idempotency_key = $2
"""
_PACE = """
SELECT sum(invoices) / nullif(extract(epoch FROM sum(took)), 0)::float8 AS per_second,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY invoices) AS typical, min(took) AS shortest
FROM (
    SELECT (results->>'total_invoices')::float8 AS invoices, completed_at - started_at AS took
    FROM jobs WHERE status = 'completed' AND started_at IS NOT NULL AND (results->>'total_invoices')::bigint > 0
    ORDER BY created_at DESC LIMIT $1
) latest
"""


class PostgresJobs:
    def __init__(self, database: Database, clock: Clock, *, dry_run_kept: timedelta = timedelta(hours=24)) -> None:
        self._database = database
        self._clock = clock
        self._dry_runs = PostgresDryRuns(database, clock)
        self._kept = dry_run_kept

    async def place(self, placed: Placed) -> Receipt:
        async with self._database.transaction() as connection:
            if placed.idempotency_key is not None:
                earlier = await _earlier(connection, placed.user.id, placed.idempotency_key)
                if earlier is not None:
                    return _replayed(earlier, placed)
            await _lock_user(connection, placed.user.id)
            if placed.order.dry_run:
                await refuse_too_many_dry_runs(connection, placed.user.id)
                await insert_dry_run(connection, placed, kept=self._kept)
            else:
                await _refuse_too_many(connection, placed.user.id)
                await _insert_job(connection, placed)
                await _keep_key(connection, placed)
            await _audit(connection, placed)
        return Receipt(placed.job_id, placed.estimated_completion)

    async def pace(self) -> Pace | None:
        row = await self._database.fetchrow(_PACE, LATEST)
        return Pace(**row) if row and row["per_second"] else None

    async def job(self, job_id: UUID) -> JobStatus | None:
        row = await self._database.fetchrow(_ONE, job_id)
        if row is None:
            return await self._dry_runs.job(job_id, most_errors=MOST_ERRORS)
        summary = self._summary(row)
        failures = await failures_of(self._database, job_id) or NO_FAILURES
        troubles = await self._database.fetch(_TROUBLES, job_id, MOST_ERRORS) if failures.total else []
        return JobStatus(
            **summary,
            listed_at=row["listed_at"],
            cancelled_at=row["cancelled_at"],
            invoice_ids=row["invoice_ids"],
            estimated_completion=await self._estimated(row, summary["results"]),
            errors=[_trouble(trouble) for trouble in troubles],
            errors_total=failures.total,
            errors_link=_link(job_id, "failed") if failures.failed or failures.archived else None,
            held_link=_link(job_id, "held") if failures.held else None,
            trace_id=_trace(row),
        )

    async def _estimated(self, row: Row, results: Results) -> datetime | None:
        if row["status"] in ENDED:
            return None
        asked, listed = row["invoice_ids"], row["listed_at"] is not None
        course = Course(row["started_at"], listed, results, len(asked) if asked else None, _told(row))
        return expected_end(course, await self.pace(), self._clock.now())

    async def jobs(self, chosen: JobFilter, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[JobSummary]:
        if chosen.dry_run:
            return await self._dry_runs.jobs(chosen, after=after, limit=limit)
        where = Conditions()
        where.equal("status", chosen.status)
        where.equal("job_type", chosen.job_type)
        if after is not None:
            where.add("(created_at, id) < ({}, {})", *after)
        sql = f"SELECT {_SUMMARY} FROM jobs {where.sql} ORDER BY created_at DESC, id DESC LIMIT {limit:d}"
        return [JobSummary(**self._summary(row)) for row in await self._database.fetch(sql, *where.values)]

    def _summary(self, row: Row) -> dict[str, Any]:
        return {
            "job_id": row["id"],
            "job_type": row["job_type"],
            "status": row["status"],
            "created_at": row["created_at"],
            "started_at": row["started_at"],
            "completed_at": row["completed_at"],
            "duration_seconds": self._seconds(row["started_at"], row["completed_at"]),
            "results": results_of(row["results"]),
            "error": fault_of(row),
            "triggered_by": row["triggered_by"],
            "force_processing": row["force_processing"],
            "reason": row["reason"],
            "correlation_id": row["correlation_id"],
        }

    def _seconds(self, started: datetime | None, completed: datetime | None) -> int | None:
        if started is None:
            return None
        return max(0, round(((completed or self._clock.now()) - started).total_seconds()))


async def _earlier(connection: Connection, user_id: UUID, key: str) -> Row | None:
    """The order that used this key; two requests with one key take turns from here to their commit."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{user_id}/{key}")
    return await connection.fetchrow(_EARLIER, user_id, key)


def _replayed(earlier: Row, placed: Placed) -> Receipt:
    if earlier["fingerprint"] != placed.order.fingerprint:
        raise IdempotencyKeyReused
    return Receipt(earlier["job_id"], datetime.fromisoformat(earlier["estimated_completion"]), replayed=True)


async def _lock_user(connection: Connection, user_id: UUID) -> None:
    """One order after the other: else two at once would not count each other."""
    await connection.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)


async def _refuse_too_many(connection: Connection, user_id: UUID) -> None:
    sql = "SELECT count(*) FROM jobs WHERE triggered_by = $1 AND status IN ('pending', 'running')"
    if await connection.fetchval(sql, user_id) >= MOST_OPEN_JOBS:
        raise TooManyJobs(MOST_OPEN_JOBS)


async def _insert_job(connection: Connection, placed: Placed) -> None:
    await connection.execute(
        _INSERT,
        placed.job_id,
        JobType.MANUAL.value,
        placed.user.id,
        placed.at,
        placed.caller.correlation_id,
        placed.order.invoice_ids,
        placed.order.force_processing,
        placed.order.reason,
        {
            "estimated_completion": placed.estimated_completion.astimezone(UTC).isoformat(),
            **({TRACEPARENT: context.traceparent} if (context := current.get()) else {}),
        },
    )


async def _keep_key(connection: Connection, placed: Placed) -> None:
    if placed.idempotency_key is not None:
        await connection.execute(
            "INSERT INTO idempotency_keys (user_id, key, fingerprint, job_id) VALUES ($1, $2, $3, $4)",
            placed.user.id,
            placed.idempotency_key,
            placed.order.fingerprint,
            placed.job_id,
        )


async def _audit(connection: Connection, placed: Placed) -> None:
    order = placed.order
    details = {"force_processing": order.force_processing, "invoice_ids": order.invoice_ids, "reason": order.reason}
    await write_audit(
        connection,
        action="jobs.request",
        user_id=placed.user.id,
        caller=placed.caller,
        resource=("job", placed.job_id),
        details=details | ({"dry_run": True} if order.dry_run else {}),
    )


def _trace(row: Row) -> str | None:
    context = parse_context((row["metadata"] or {}).get(TRACEPARENT))
    return context.trace if context is not None and context.sampled else None


def _told(row: Row) -> datetime | None:
    """The estimate that the order was answered with; a scheduled job has none."""
    told = (row["metadata"] or {}).get("estimated_completion")
    return datetime.fromisoformat(told) if told else None


def results_of(stored: dict[str, Any] | None) -> Results:
    """Of the column `results`; what a newer fetcher counts besides is left out."""
    known = {name: value for name, value in (stored or {}).items() if name in Results.__slots__}
    return Results(**known)


def fault_of(row: Row) -> JobFault | None:
    """Of the columns `error` and `error_message`."""
    if (error := row["error"]) is not None:
        return JobFault(error.get("code", "UNKNOWN"), error.get("message", ""), error.get("details") or {})
    return JobFault("JOB_FAILED", row["error_message"], {}) if row["error_message"] else None


def _link(job_id: UUID, status: str) -> str:
    return f"/api/v1/invoices?job_id={job_id}&status={status}"


def _trouble(row: Row) -> InvoiceTrouble:
    return InvoiceTrouble(
        invoice_id=row["invoice_id"],
        error=row["error_message"] or row["reason"] or row["status"],
        timestamp=row["updated_at"],
        id=row["id"],
        status=row["status"],
        reason=row["reason"],
    )
