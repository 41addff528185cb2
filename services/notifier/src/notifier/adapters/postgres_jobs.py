"""The job that a notification tells about, read as it stands."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.db.pool import Database, Row
from common.errors import PermanentError
from notifier.adapters.previews import read_preview
from notifier.domain.corrections import Correction
from notifier.domain.failures import Failures
from notifier.domain.previews import Preview
from notifier.domain.report import Amounts, Cause, Counts, JobReport
from notifier.domain.still_open import Waiting

_CODE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$")

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

# Through the indexes of failed rows, and only so many: to find the cause of a row costs a twentieth of a millisecond.
_FAILURES = """
WITH failed AS (
    SELECT failure_fingerprint(reason, error_message) AS fingerprint, coalesce(reason, 'unknown') AS reason,
        count(*) AS count, min(CASE reason
            WHEN 'invalid' THEN jsonb_path_query_first(findings, '$.** ? (@.severity == "fatal").rule') #>> '{}'
            WHEN 'refused' THEN jsonb_path_query_first(clearfacts_response, '$.**.code') #>> '{}'
        END) AS code
    FROM (SELECT reason, error_message, findings, clearfacts_response FROM invoices
          WHERE job_id = $1 AND status = 'failed' AND archived_at IS NULL LIMIT 20000) found
    GROUP BY 1, 2
)
SELECT 'failed' AS status, f.*, (SELECT count(*) FROM (
    SELECT FROM invoices i WHERE failure_fingerprint(i.reason, i.error_message) = f.fingerprint
        AND i.status = 'failed' AND i.archived_at IS NULL LIMIT 10000) known) AS waiting
FROM failed f ORDER BY f.count DESC, f.fingerprint LIMIT 50
"""


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

    async def read_failures(self, job_id: UUID) -> Sequence[Failures]:
        rows = await self._database.fetch(_FAILURES, job_id)
        return [Failures(row["fingerprint"], _cause(row), row["waiting"]) for row in rows]

    async def read_preview(self, run_id: UUID) -> Preview | None:
        return await read_preview(self._database, run_id)


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
