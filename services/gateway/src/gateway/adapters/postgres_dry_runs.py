"""Dry runs in PostgreSQL, read as jobs are. What has expired is gone, also while its rows are still there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.db.pool import Database, Row
from gateway.adapters.conditions import Conditions
from gateway.adapters.viewers import BARRED, asked, barred
from gateway.domain.orders import ENDED
from gateway.domain.previews import JobPreview, Outcome, PreviewCause, PreviewItem
from gateway.domain.progress import LAST, JobProgress, Reading, Viewer
from gateway.domain.readings import InvoiceTrouble, JobFault, JobFilter, JobStatus, JobSummary, Results

MOST_CAUSES = 50

# Of one that has ended the counts stand still, and in its row.
_SUMMARY = """id, status, created_at, expires_at, started_at, completed_at, error, triggered_by, force_processing,
    reason, correlation_id, coalesce(counts, dry_run_counts(id)) AS counts"""
_ONE = f"""
SELECT {_SUMMARY}, listed_at, cancelled_at, invoice_ids, estimated_completion
FROM dry_runs WHERE id = $1 AND expires_at > now()
"""
_TROUBLES = """
SELECT id, source_id, outcome, reason, error FROM dry_run_items
WHERE dry_run_id = $1 AND outcome IN ('would_fail', 'would_wait') ORDER BY id DESC LIMIT $2
"""
_ITEM = ", ".join("source_id" if name == "invoice_id" else name for name in PreviewItem.__dataclass_fields__)
_CAUSES = """
SELECT outcome, reason, rule, count(*) AS invoices, (array_agg(source_id ORDER BY id))[1] AS example,
    (array_agg(error ORDER BY id))[1] AS example_error
FROM (
    SELECT id, source_id, outcome, reason, error,
        CASE WHEN reason = 'invalid' THEN split_part(error, ':', 1) END AS rule
    FROM dry_run_items WHERE dry_run_id = $1 AND outcome IN ('would_fail', 'would_wait')
) not_going
GROUP BY outcome, reason, rule ORDER BY invoices DESC, outcome, reason, rule LIMIT $2
"""
# Items only come, and each is judged once: the number grows with each change of any of them.
_PROGRESS = f"""
SELECT id, status, started_at, listed_at, cancelled_at, completed_at, error, expires_at,
    coalesce(counts, dry_run_counts(id)) AS counts,
    version + page + (listed_at IS NOT NULL)::int + (cancelled_at IS NOT NULL)::int AS moves,
    {BARRED}
FROM dry_runs WHERE id = $1 AND expires_at > now()
"""
_BUCKETS = {"would_go": "would_go", "would_fail": "failed", "would_wait": "held", "duplicate": "duplicate"}
"""Where the amounts of an outcome stand in a job's results."""


class PostgresDryRuns:
    def __init__(self, database: Database, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._clock = clock

    async def is_there(self, job_id: UUID) -> bool:
        sql = "SELECT EXISTS (SELECT FROM dry_runs WHERE id = $1 AND expires_at > now())"
        return await self._database.fetchval(sql, job_id)

    async def items(
        self, job_id: UUID, outcome: Outcome | None, *, after: UUID | None, limit: int
    ) -> Sequence[PreviewItem]:
        where = Conditions()
        where.add("dry_run_id = {}", job_id)
        where.equal("outcome", outcome)
        if after is not None:
            where.add("id > {}", after)
        sql = f"SELECT {_ITEM} FROM dry_run_items {where.sql} ORDER BY id LIMIT {limit:d}"
        return [_item(row) for row in await self._database.fetch(sql, *where.values)]

    async def jobs(self, chosen: JobFilter, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[JobSummary]:
        """Newest first."""
        where = Conditions()
        where.add("expires_at > now()")
        where.equal("status", chosen.status)
        where.equal("'manual'", chosen.job_type)
        if after is not None:
            where.add("(created_at, id) < ({}, {})", *after)
        sql = f"SELECT {_SUMMARY} FROM dry_runs {where.sql} ORDER BY created_at DESC, id DESC LIMIT {limit:d}"
        return [JobSummary(**self._summary(row)) for row in await self._database.fetch(sql, *where.values)]

    async def job(self, job_id: UUID, *, most_errors: int) -> JobStatus | None:
        row = await self._database.fetchrow(_ONE, job_id)
        if row is None:
            return None
        summary, preview = self._summary(row), _preview(row)
        troubles = await self._database.fetch(_TROUBLES, job_id, most_errors)
        causes = await self._database.fetch(_CAUSES, job_id, MOST_CAUSES)
        return JobStatus(
            **summary,
            listed_at=row["listed_at"],
            cancelled_at=row["cancelled_at"],
            invoice_ids=row["invoice_ids"],
            estimated_completion=self._estimated(row),
            errors=[_trouble(trouble, row) for trouble in troubles],
            errors_total=preview.would_fail + preview.would_wait,
            errors_link=_link(job_id, "would_fail") if preview.would_fail else None,
            held_link=_link(job_id, "would_wait") if preview.would_wait else None,
            preview_causes=[PreviewCause(**dict(cause)) for cause in causes],
            preview_link=_link(job_id),
        )

    async def progress(self, job_id: UUID, viewers: Sequence[Viewer]) -> tuple[Reading | None, frozenset[Viewer]]:
        """As of a job; `stages` are its invoices by outcome."""
        row = await self._database.fetchrow(_PROGRESS, job_id, asked(viewers))
        if row is None:
            return None, frozenset()
        counts = {outcome: int(found["invoices"]) for outcome, found in row["counts"].items()}
        number = row["moves"] + 2 * sum(counts.values()) - counts.get("open", 0)
        ended = row["status"] in ENDED
        return Reading(LAST if ended else number, _progress(row, counts)), barred(row, viewers)

    def _estimated(self, row: Row) -> datetime | None:
        told: datetime = row["estimated_completion"]
        return told if row["status"] not in ENDED and told > self._clock.now() else None

    def _summary(self, row: Row) -> dict[str, Any]:
        until: datetime = row["completed_at"] or self._clock.now()
        return {
            "job_id": row["id"],
            "job_type": "manual",
            "status": row["status"],
            "created_at": row["created_at"],
            "started_at": row["started_at"],
            "completed_at": row["completed_at"],
            "duration_seconds": max(0, round((until - row["started_at"]).total_seconds()))
            if row["started_at"]
            else None,
            "results": _results(row),
            "error": _fault(row),
            "triggered_by": row["triggered_by"],
            "force_processing": row["force_processing"],
            "reason": row["reason"],
            "correlation_id": row["correlation_id"],
            "dry_run": True,
            "preview": _preview(row),
        }


def _preview(row: Row) -> JobPreview:
    counts = {outcome: int(found["invoices"]) for outcome, found in row["counts"].items()}
    return JobPreview(
        would_go=counts.get("would_go", 0),
        would_fail=counts.get("would_fail", 0),
        would_wait=counts.get("would_wait", 0),
        duplicates=counts.get("duplicate", 0),
        known=counts.get("known", 0),
        open=counts.get("open", 0),
        expires_at=row["expires_at"],
    )


def _results(row: Row) -> Results:
    found, preview = row["counts"], _preview(row)
    amounts = {bucket: found[outcome]["amounts"] for outcome, bucket in _BUCKETS.items() if outcome in found}
    return Results(
        total_invoices=sum(int(one["invoices"]) for one in found.values()),
        failed=preview.would_fail,
        duplicates=preview.duplicates + preview.known,
        held=preview.would_wait,
        open=preview.open,
        amounts={bucket: sums for bucket, sums in amounts.items() if sums},
    )


def _progress(row: Row, counts: dict[str, int]) -> JobProgress:
    return JobProgress(
        job_id=row["id"],
        status=row["status"],
        results=_results(row),
        stages=counts,
        started_at=row["started_at"],
        listed_at=row["listed_at"],
        cancelled_at=row["cancelled_at"],
        completed_at=row["completed_at"],
        error=_fault(row),
        dry_run=True,
    )


def _fault(row: Row) -> JobFault | None:
    error = row["error"]
    return JobFault(error["code"], error["message"], error.get("details") or {}) if error else None


def _trouble(item: Row, run: Row) -> InvoiceTrouble:
    return InvoiceTrouble(
        invoice_id=item["source_id"],
        error=item["error"] or item["reason"] or item["outcome"],
        timestamp=run["completed_at"] or run["started_at"] or run["created_at"],
        id=item["id"],
        status="failed" if item["outcome"] == "would_fail" else "held",
        reason=item["reason"],
    )


def _item(row: Row) -> PreviewItem:
    names = PreviewItem.__dataclass_fields__.keys() - {"invoice_id"}
    return PreviewItem(invoice_id=row["source_id"], **{name: row[name] for name in names})


def _link(job_id: UUID, outcome: Outcome | None = None) -> str:
    return f"/api/v1/jobs/{job_id}/preview" + (f"?outcome={outcome}" if outcome else "")
