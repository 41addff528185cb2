"""How far a job is: one statement, also for who may still watch it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from common.db.pool import Database, Row
from common.invoice.stage import STATUS, Stage, Status
from gateway.adapters.postgres_dry_runs import PostgresDryRuns
from gateway.adapters.postgres_jobs import fault_of, results_of
from gateway.adapters.viewers import BARRED, asked, barred
from gateway.domain.orders import ENDED
from gateway.domain.progress import LAST, JobProgress, Reading, Viewer
from gateway.domain.readings import Results

# No row ever leaves its job and no version ever falls: the sum of the versions grows with each change of any of them.
# A job that has ended is told by its own snapshot; nothing is counted for it.
_READ = f"""
WITH counted AS (
    SELECT stage, count(*) AS invoices, sum(version) AS moves FROM invoices
    WHERE job_id = $1 AND EXISTS (SELECT FROM jobs WHERE id = $1 AND status IN ('pending', 'running'))
    GROUP BY stage
)
SELECT id, status, started_at, listed_at, cancelled_at, completed_at, results, error, error_message,
    version + page + (listed_at IS NOT NULL)::int + (cancelled_at IS NOT NULL)::int
        + coalesce((SELECT sum(moves) FROM counted), 0)::bigint AS number,
    coalesce((SELECT jsonb_object_agg(stage, invoices) FROM counted), '{{}}') AS stages,
    CASE WHEN status IN ('pending', 'running') THEN (
        SELECT count(DISTINCT (t.source_id, t.sha256))
        FROM job_pages p, unnest(p.source_ids, p.raw_sha256, p.fates) AS t(source_id, sha256, fate)
        WHERE p.job_id = $1 AND t.fate = 'known') END AS known,
    {BARRED}
FROM jobs WHERE id = $1
"""


class PostgresProgress:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._dry_runs = PostgresDryRuns(database)

    async def progress(self, job_id: UUID, viewers: Sequence[Viewer]) -> tuple[Reading | None, frozenset[Viewer]]:
        row = await self._database.fetchrow(_READ, job_id, asked(viewers))
        if row is None:
            return await self._dry_runs.progress(job_id, viewers)
        ended = row["status"] in ENDED
        results = results_of(row["results"]) if ended else _counted(row["stages"], row["known"])
        reading = Reading(LAST if ended else row["number"], _progress(row, results))
        return reading, barred(row, viewers)


def _progress(row: Row, results: Results) -> JobProgress:
    return JobProgress(
        job_id=row["id"],
        status=row["status"],
        results=results,
        stages=row["stages"],
        started_at=row["started_at"],
        listed_at=row["listed_at"],
        cancelled_at=row["cancelled_at"],
        completed_at=row["completed_at"],
        error=fault_of(row),
    )


def _counted(stages: Mapping[str, int], known: int) -> Results:
    """A stage of a newer version counts as open: it is not over for all that this version knows."""
    counts = Counter({Status.DUPLICATE: known})
    for stage, invoices in stages.items():
        counts[STATUS[Stage(stage)] if stage in STATUS else Status.PENDING] += invoices
    return Results(
        total_invoices=counts.total(),
        processed=counts[Status.SENT],
        failed=counts[Status.FAILED],
        duplicates=counts[Status.DUPLICATE],
        held=counts[Status.HELD],
        open=counts[Status.PENDING],
    )
