"""The rows of `notifications`, and the job that one tells about."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.db.corrections import note_job
from common.db.pool import Database, Row
from common.errors import PermanentError
from notifier.adapters.postgres_alerts import record_alerts
from notifier.domain.corrections import Correction
from notifier.domain.notification import Claim, Kind
from notifier.domain.report import Amounts, Cause, Counts, JobReport
from notifier.domain.still_open import Waiting
from notifier.domain.wording import Message

CHANNEL = "slack"
WINDOW = "end"
"""A job ends once; its corrections are other kinds and windows."""

_CODE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$")

_RECORD = f"""
INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
SELECT '{CHANNEL}', '{Kind.JOB_FINISHED}', job_id::text, '{WINDOW}', now() FROM unnest($1::uuid[]) AS t(job_id)
ON CONFLICT DO NOTHING
"""

_RECORD_MISSING = f"""
WITH missing AS (
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT '{CHANNEL}', '{Kind.JOB_FINISHED}', j.id::text, '{WINDOW}', now() FROM jobs j
    WHERE j.status IN ('completed', 'failed') AND j.completed_at > now() - $1::interval AND NOT EXISTS (
        SELECT FROM notifications n WHERE n.channel = '{CHANNEL}' AND n.kind = '{Kind.JOB_FINISHED}'
            AND n.subject = j.id::text AND n.window_key = '{WINDOW}')
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT count(*) FROM missing
"""

# As the closer asks: through the index of open rows.
_OPEN = "EXISTS (SELECT FROM invoices i WHERE i.job_id = j.id AND i.status = 'pending')"

_RECORD_STILL_OPEN = f"""
WITH late AS (
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT '{CHANNEL}', '{Kind.JOB_STILL_OPEN}', j.id::text, 'late', now() FROM jobs j
    WHERE j.status = 'running' AND j.listed_at < now() - $1::interval AND {_OPEN}
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT count(*) FROM late
"""

_RECORD_MORNING = f"""
WITH morning AS (
    INSERT INTO notifications (channel, kind, subject, window_key, wake_at)
    SELECT '{CHANNEL}', '{Kind.MORNING_REPORT}', 'jobs', $1, now()
    WHERE EXISTS (SELECT FROM jobs j WHERE j.status = 'running' AND j.started_at < $2 AND {_OPEN})
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT count(*) FROM morning
"""

_CLAIM = f"""
UPDATE notifications SET lease_token = $1, attempts = attempts + 1, wake_at = now() + $2::interval
WHERE id = (
    SELECT id FROM notifications
    WHERE channel = '{CHANNEL}' AND kind = ANY($3) AND status = 'waiting' AND wake_at <= now()
    ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, lease_token, kind, subject, window_key, attempts, created_at
"""

_JOB = """
SELECT id, job_type, status, started_at, completed_at, cancelled_at, error, error_message, results
FROM jobs WHERE id = $1
"""

# Their shape belongs to those who write findings and answers: the first fatal rule, or the code, is enough here.
_CAUSES = """
SELECT status, coalesce(reason, 'unknown') AS reason, count(*) AS count, CASE reason
    WHEN 'invalid' THEN jsonb_path_query_first(findings, '$.** ? (@.severity == "fatal").rule') #>> '{}'
    WHEN 'refused' THEN jsonb_path_query_first(clearfacts_response, '$.**.code') #>> '{}'
END AS code
FROM invoices WHERE job_id = $1 AND status IN ('failed', 'held') GROUP BY 1, 2, 4
"""

_BUCKETS = """
SELECT status, coalesce(currency, '') AS currency, count(*) AS invoices, coalesce(sum(amount), 0) AS amount
FROM invoices WHERE job_id = $1 GROUP BY 1, 2
"""

_WAITING = """
SELECT stage, reason, count(*) AS count, min(wake_at) AS next_at FROM invoices
WHERE status = 'pending' AND job_id IN (
    SELECT id FROM jobs WHERE status = 'running' AND started_at < $2 AND (id = $1 OR $1::uuid IS NULL))
GROUP BY stage, reason
"""


class PostgresNotifications:
    def __init__(self, database: Database, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._clock = clock

    async def record(self, job_ids: Sequence[UUID]) -> None:
        await self._database.execute(_RECORD, list(job_ids))

    async def record_missing(self, within: timedelta) -> int:
        return int(await self._database.fetchval(_RECORD_MISSING, within))

    async def record_still_open(self, after: timedelta) -> int:
        return int(await self._database.fetchval(_RECORD_STILL_OPEN, after))

    async def record_morning(self, day: date, since: datetime) -> int:
        return int(await self._database.fetchval(_RECORD_MORNING, day.isoformat(), since))

    async def record_alerts(self, within: timedelta) -> int:
        return await record_alerts(self._database, within)

    async def record_correction(self, job_id: UUID) -> None:
        async with self._database.connection() as connection:
            await note_job(connection, job_id)

    async def claim(self, lease: timedelta) -> Claim | None:
        row = await self._database.fetchrow(_CLAIM, self._clock.new_id(), lease, list(Kind))
        if row is None:
            return None
        return Claim(
            row["id"],
            row["lease_token"],
            Kind(row["kind"]),
            row["subject"],
            row["attempts"],
            row["created_at"],
            row["window_key"],
        )

    async def mark_sent(self, claim: Claim, message: Message) -> None:
        await self._database.execute(
            """UPDATE notifications SET status = 'sent', sent_at = now(), wake_at = NULL, lease_token = NULL,
                   error = NULL, body = $3 WHERE id = $1 AND lease_token = $2""",
            claim.id, claim.token, asdict(message),
        )  # fmt: skip

    async def postpone(self, claim: Claim, wait: timedelta, error: str) -> None:
        await self._database.execute(
            """UPDATE notifications SET wake_at = now() + $3::interval, lease_token = NULL, error = $4
               WHERE id = $1 AND lease_token = $2""",
            claim.id, claim.token, wait, error,
        )  # fmt: skip

    async def abandon(self, claim: Claim, error: str) -> None:
        await self._database.execute(
            """UPDATE notifications SET status = 'abandoned', wake_at = NULL, lease_token = NULL, error = $3
               WHERE id = $1 AND lease_token = $2""",
            claim.id, claim.token, error,
        )  # fmt: skip


class PostgresJobReports:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, job_id: UUID) -> JobReport | None:
        job = await self._database.fetchrow(_JOB, job_id)
        if job is None:
            return None
        causes = await self._database.fetch(_CAUSES, job_id)
        try:
            return _report(job, [_cause(row) for row in causes])
        except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
            raise PermanentError(f"the job's results make no sense: {type(error).__name__}") from error

    async def read_correction(self, job_id: UUID) -> Correction | None:
        told = await self.read(job_id)
        if told is None or not told.finished:
            return None
        rows = await self._database.fetch(_BUCKETS, job_id)
        amounts = {
            status: {row["currency"]: row["amount"] for row in rows if row["status"] == status and row["currency"]}
            for status in ("sent", "failed", "duplicate", "held")
        }
        return Correction(replace(told, counts=_counted(rows, told.counts), amounts=amounts), told.counts)

    async def read_open(self, job_id: UUID | None, started_before: datetime) -> Sequence[Waiting]:
        rows = await self._database.fetch(_WAITING, job_id, started_before)
        return [Waiting(row["stage"], row["reason"], row["count"], row["next_at"]) for row in rows]


def _report(job: Row, causes: Sequence[Cause]) -> JobReport:
    error: Mapping[str, Any] = job["error"] or {}
    results: Mapping[str, Any] = job["results"] or {}
    return JobReport(
        job_id=job["id"],
        job_type=job["job_type"],
        status=job["status"],
        started_at=job["started_at"],
        completed_at=job["completed_at"],
        cancelled=job["cancelled_at"] is not None,
        error_code=error.get("code"),
        error_message=error.get("message") or job["error_message"],
        counts=_counts(results) if results else None,
        amounts={bucket: _amounts(sums) for bucket, sums in (results.get("amounts") or {}).items()},
        causes=causes,
    )


def _counts(results: Mapping[str, Any]) -> Counts:
    names = ("total_invoices", "processed", "failed", "duplicates", "held", "open")
    return Counts(*(int(results.get(name) or 0) for name in names))


def _counted(rows: Sequence[Row], told: Counts | None) -> Counts:
    """The buckets now. What was listed again has no row: the total stays, so the rest of it are duplicates."""
    found = Counter[str]()
    for row in rows:
        found[row["status"]] += row["invoices"]
    total = told.total if told else found.total()
    duplicates = total - found["sent"] - found["failed"] - found["held"] - found["pending"]
    return Counts(total, found["sent"], found["failed"], duplicates, found["held"], found["pending"])


def _amounts(sums: Mapping[str, Any]) -> Amounts:
    return {currency: Decimal(str(amount)) for currency, amount in sums.items()}


def _cause(row: Row) -> Cause:
    # A code is a code: free text might name somebody.
    code = row["code"] if row["code"] and _CODE.match(row["code"]) else None
    return Cause(row["status"], row["reason"], code, row["count"])
