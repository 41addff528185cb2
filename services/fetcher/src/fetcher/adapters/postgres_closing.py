"""Completing jobs: the facts of the balance proof, the results, the end."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

from common.contracts.events import JobEvent, JobEventKind, JobType
from common.contracts.faults import JobErrorCode
from common.db.moves import apply_moves
from common.db.pool import Connection, Database, Row
from common.invoice.move import Move, Moved
from common.invoice.stage import Reason, Stage, Status
from common.observability import metrics
from fetcher.balance import BalanceFacts
from fetcher.domain import BUCKETS

_FINISHED = """
SELECT j.id FROM jobs j
WHERE j.status IN ('pending', 'running') AND (j.cancelled_at IS NOT NULL OR j.listed_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM invoices i WHERE i.job_id = j.id AND i.status = 'pending')
  -- A conflict whose holder has ended is judged again within seconds, and may go on: it is not done yet.
  AND NOT EXISTS (
    SELECT FROM invoices i
    JOIN invoice_keys k ON k.dossier = i.dossier AND k.dedupe_key = i.dedupe_key
    JOIN invoices h ON h.id = k.holder
    WHERE i.job_id = j.id AND i.status = 'held' AND i.reason = 'conflicting_version'
      AND (h.stage = 'sent' OR (h.stage = 'failed' AND NOT h.maybe_sent)))
ORDER BY j.id
"""

# No page can be recorded once the mark is there, so what is open here is all that there will be.
_CANCELLED = """
SELECT i.id, i.version, i.stage FROM jobs j JOIN invoices i ON i.job_id = j.id
WHERE j.cancelled_at IS NOT NULL AND j.status IN ('pending', 'running')
  AND i.status = 'pending' AND i.stage IN ('fetched', 'validated')
ORDER BY i.id LIMIT 1000
"""

_CANCELLED_TEXT = "its job was cancelled"

_FACTS = """
WITH pages AS MATERIALIZED (
    SELECT page, cursor, next_cursor, source_ids, raw_sha256, fates, invoices,
        lag(next_cursor) OVER (ORDER BY page) AS expected_cursor, lag(page) OVER (ORDER BY page) AS before
    FROM job_pages WHERE job_id = $1
),
items AS MATERIALIZED (
    SELECT t.source_id, t.sha256, t.fate, t.invoice
    FROM pages, unnest(pages.source_ids, pages.raw_sha256, pages.fates, pages.invoices)
        AS t(source_id, sha256, fate, invoice)
),
different AS MATERIALIZED (
    SELECT bool_or(fate = 'new') AS new, bool_or(fate = 'known') AS known FROM items GROUP BY source_id, sha256
),
mine AS MATERIALIZED (
    SELECT id, invoice_id, status, maybe_sent FROM invoices WHERE job_id = $1
),
accepted AS MATERIALIZED (
    SELECT a.invoice_id, count(DISTINCT a.uuid) AS uuids
    FROM attempts a JOIN mine ON mine.id = a.invoice_id WHERE a.outcome = 'accepted' GROUP BY a.invoice_id
)
SELECT
    (SELECT count(*) FROM different) AS listed,
    (SELECT count(*) FROM different WHERE known AND new IS NOT TRUE) AS known,
    (SELECT count(*) FROM items WHERE source_id IS NULL OR invoice IS NULL
        OR fate IS NULL OR fate NOT IN ('new', 'known', 'repeated')) AS without_fate,
    (SELECT count(*) FROM items t WHERE t.fate = 'new'
        AND NOT EXISTS (SELECT FROM mine m WHERE m.id = t.invoice AND m.invoice_id = t.source_id))
    + (SELECT count(*) FROM items t WHERE t.fate IN ('known', 'repeated')
        AND NOT EXISTS (SELECT FROM invoices i WHERE i.id = t.invoice AND i.invoice_id = t.source_id))
        AS fate_without_row,
    (SELECT count(*) FROM mine m WHERE NOT EXISTS (SELECT FROM items t WHERE t.invoice = m.id AND t.fate = 'new'))
        AS row_without_page,
    (SELECT count(*) FROM pages WHERE CASE WHEN before IS NULL THEN page <> 0 OR cursor IS NOT NULL
        ELSE page <> before + 1 OR cursor IS DISTINCT FROM expected_cursor END)
    + (SELECT abs(j.page - (SELECT count(*) FROM pages)) FROM jobs j WHERE j.id = $1)
    + (SELECT count(*) FROM pages p JOIN jobs j ON j.id = $1 AND j.error IS NULL AND j.cancelled_at IS NULL
        WHERE p.page = (SELECT max(page) FROM pages) AND p.next_cursor IS NOT NULL) AS broken_page_chain,
    (SELECT count(*) FROM mine m LEFT JOIN accepted a ON a.invoice_id = m.id
        WHERE m.status = 'sent' AND a.invoice_id IS NULL) AS sent_without_acceptance,
    (SELECT count(*) FROM accepted a JOIN mine m ON m.id = a.invoice_id
        WHERE m.status <> 'sent' AND NOT m.maybe_sent) AS accepted_but_not_sent,
    (SELECT count(*) FROM accepted WHERE uuids > 1) AS accepted_twice
"""

_BUCKETS = """
SELECT status, coalesce(currency, '') AS currency, count(*) AS invoices, coalesce(sum(amount), 0) AS amount
FROM invoices WHERE job_id = $1 GROUP BY status, currency
"""

_KNOWN = """
SELECT count(DISTINCT (t.source_id, t.sha256))
FROM job_pages p, unnest(p.source_ids, p.raw_sha256, p.fates) AS t(source_id, sha256, fate)
WHERE p.job_id = $1 AND t.fate = 'known'
"""

_END = """
UPDATE jobs SET status = $2, error = $3, error_message = $4, results = $5, completed_at = now(), updated_at = now(),
    version = version + 1, wake_at = now() + interval '30 seconds'
WHERE id = $1 AND status IN ('pending', 'running') AND (cancelled_at IS NOT NULL OR listed_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM invoices i WHERE i.job_id = $1 AND i.status = 'pending')
RETURNING id, version, status, completed_at, job_type
"""

_UNANNOUNCED = """
WITH due AS (
    SELECT id FROM jobs WHERE wake_at <= now() AND status IN ('completed', 'failed')
    ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED
)
UPDATE jobs j SET wake_at = now() + interval '30 seconds' FROM due WHERE j.id = due.id
RETURNING j.id, j.version, j.status, j.completed_at
"""


class PostgresClosing:
    """The database's side of the closer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        for kind, status in product(JobType, ("completed", "failed")):
            metrics.JOBS_FINISHED.labels(kind, status)  # 0 from the start: the first one must be a rise

    async def running(self) -> Sequence[UUID]:
        """Jobs that are not ended."""
        return [row["id"] for row in await self._database.fetch("SELECT id FROM jobs WHERE status = 'running'")]

    async def write_results(self, job_id: UUID) -> None:
        """Refresh a running job's results."""
        async with self._database.transaction() as connection:
            results = await _results(connection, job_id)
            await connection.execute(
                "UPDATE jobs SET results = $2 WHERE id = $1 AND status = 'running'", job_id, results
            )

    async def finished(self) -> Sequence[UUID]:
        """Jobs with a complete listing, or cancelled, and no open row."""
        return [row["id"] for row in await self._database.fetch(_FINISHED)]

    async def cancel_open(self) -> Sequence[Moved]:
        """Fail rows of cancelled jobs that nobody has in hand; what is being sent ends by itself."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_CANCELLED)
            moves = [
                Move(row["id"], row["version"], Stage(row["stage"]), Stage.FAILED, Reason.CANCELLED, _CANCELLED_TEXT)
                for row in rows
            ]
            return await apply_moves(connection, moves, actor="fetcher")

    async def facts(self, connection: Connection, job_id: UUID) -> BalanceFacts:
        """Count everything that the proof compares, in one snapshot of `connection`."""
        row = await connection.fetchrow(_FACTS, job_id)
        if row is None:
            raise AssertionError("an aggregate always has a row")
        buckets = await connection.fetch(
            "SELECT status, count(*) AS invoices FROM invoices WHERE job_id = $1 GROUP BY status", job_id
        )
        return BalanceFacts(
            **{name: int(row[name]) for name in row.keys()},  # noqa: SIM118 - a record iterates over its values
            buckets={bucket["status"]: bucket["invoices"] for bucket in buckets},
        )

    async def end(self, job_id: UUID) -> JobEvent | None:
        """Prove the balance and end the job, in one transaction; None when somebody else did."""
        async with self._database.connection() as connection, connection.transaction(isolation="repeatable_read"):
            facts = await self.facts(connection, job_id)
            job = await connection.fetchrow("SELECT error, cancelled_at FROM jobs WHERE id = $1", job_id)
            error = _error(facts, job) if job else None
            results = await _results(connection, job_id)
            status = "failed" if error else "completed"
            row = await connection.fetchrow(_END, job_id, status, error, error and error["message"], results)
        if row:
            metrics.JOBS_FINISHED.labels(row["job_type"], row["status"]).inc()
            metrics.BALANCE_BROKEN.inc(bool(facts.contradictions()))
        return _event(row) if row else None

    async def unannounced(self) -> Sequence[JobEvent]:
        """Ended jobs whose announcement is due again."""
        return [_event(row) for row in await self._database.fetch(_UNANNOUNCED)]

    async def announced(self, events: Sequence[JobEvent]) -> None:
        """These ends were heard by the broker."""
        await self._database.execute(
            """UPDATE jobs j SET wake_at = NULL FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
               WHERE j.id = t.id AND j.version = t.version AND j.status IN ('completed', 'failed')""",
            [event.job_id for event in events],
            [event.version for event in events],
        )


def _error(facts: BalanceFacts, job: Row) -> dict[str, Any] | None:
    """Why the job failed: the worst first."""
    if contradictions := facts.contradictions():
        message = "balance broken: " + "; ".join(contradictions)
        return {"code": JobErrorCode.BALANCE_BROKEN, "message": message, "details": {"contradictions": contradictions}}
    if job["cancelled_at"] is not None:
        return {
            "code": JobErrorCode.CANCELLED,
            "message": "cancelled",
            "details": {"cancelled_at": job["cancelled_at"]},
        }
    return job["error"]


async def _results(connection: Connection, job_id: UUID) -> dict[str, Any]:
    """The job's `results` as in docs/architecture/spine.md."""
    counts: dict[str, int] = dict.fromkeys(BUCKETS.values(), 0)
    amounts: dict[str, dict[str, str]] = {status: {} for status in BUCKETS if status != Status.PENDING}
    for row in await connection.fetch(_BUCKETS, job_id):
        counts[BUCKETS[row["status"]]] += row["invoices"]
        if row["currency"] and row["status"] in amounts:
            amounts[row["status"]][row["currency"]] = format(Decimal(row["amount"]), "f")
    counts["duplicates"] += await connection.fetchval(_KNOWN, job_id)
    return {"total_invoices": sum(counts.values()), **counts, "amounts": amounts}


def _event(row: Row) -> JobEvent:
    kind = JobEventKind.COMPLETED if row["status"] == "completed" else JobEventKind.FAILED
    return JobEvent(job_id=row["id"], version=row["version"], kind=kind, at=row["completed_at"])
