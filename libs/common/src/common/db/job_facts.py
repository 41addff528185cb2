"""What is asked of the jobs of many invoices: when each was requested, and in which trace. Read once for each job."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import structlog

from common.db.pool import Database
from common.errors import ClearfactsError
from common.observability.tracing import Context, parse_context

log = structlog.get_logger()

MOST = 1_000
_READ = """
SELECT id, extract(epoch FROM created_at)::float8 AS requested_at, metadata->>'traceparent' AS traceparent
FROM jobs WHERE id = ANY($1)
"""


class JobFacts(NamedTuple):
    """`requested_at` in seconds since 1970; `traceparent` of whoever asked, None where nobody said."""

    requested_at: float
    traceparent: str | None

    @property
    def context(self) -> Context | None:
        """The span that the job was asked for in, where it is sampled."""
        context = parse_context(self.traceparent)
        return context if context is not None and context.sampled else None


class KnownJobs:
    """The last `MOST` jobs that somebody asked for; neither fact of a job ever changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[UUID, JobFacts] = OrderedDict()

    async def learn(self, job_ids: Iterable[UUID | None]) -> None:
        """Read those that are not known yet; where the database is away they stay unknown."""
        wanted = {job_id for job_id in job_ids if job_id is not None and job_id not in self._known}
        if not wanted:
            return
        try:
            rows = await self._database.fetch(_READ, list(wanted))
        except ClearfactsError as error:
            log.warning("jobs_not_read", error=str(error))
            return
        for row in rows:
            self._known[row["id"]] = JobFacts(row["requested_at"], row["traceparent"])
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    async def context(self, job_id: UUID | None) -> Context | None:
        """Where the spans of a job's work belong; None where it is not traced."""
        await self.learn((job_id,))
        facts = self.get(job_id)
        return facts.context if facts else None

    def get(self, job_id: UUID | None) -> JobFacts | None:
        return self._known.get(job_id) if job_id is not None else None
