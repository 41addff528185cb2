"""Ending a job early."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog

from gateway.domain.access import Caller, User
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.orders import Cancellation

log = structlog.get_logger()


class Cancellations(Protocol):
    async def cancel(self, job_id: UUID, reason: str, user: User, caller: Caller) -> Cancellation | None:
        """Mark the job, audited in the same transaction; a job that ended or was marked before stays as it is.

        None where there is no such job.
        """
        ...


@dataclass(frozen=True, slots=True)
class CancelJob:
    """The mark alone is ours: the fetcher stops listing and fails what is open; what is being sent ends by itself."""

    jobs: Cancellations

    async def __call__(self, job_id: UUID, reason: str, user: User, caller: Caller) -> Cancellation:
        """How it stands now. Raises NotFound, and NotAllowedNow for a job that has ended."""
        found = await self.jobs.cancel(job_id, reason, user, caller)
        if found is None:
            raise NotFound("job", str(job_id))
        if found.ended:
            raise NotAllowedNow(f"The job has ended: it is {found.status}", found.standing())
        if not found.repeated:
            log.info("job_cancelled", job_id=str(job_id), by=str(user.id))
        return found
