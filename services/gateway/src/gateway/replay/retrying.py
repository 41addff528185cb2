"""Retrying what failed of one job: a replay of exactly that."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.domain.access import Caller, User
from gateway.domain.failures import Kind, Selection
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.orders import Failures
from gateway.domain.replays import ReplayOrder, ReplayReceipt
from gateway.replay.orders import StartReplay


class FailuresOfJobs(Protocol):
    async def failures(self, job_id: UUID) -> Failures | None:
        """None where there is no such job."""
        ...


@dataclass(frozen=True, slots=True)
class RetryFailed:
    jobs: FailuresOfJobs
    start: StartReplay

    async def __call__(
        self, job_id: UUID, reason: str, user: User, caller: Caller, *, key: str | None
    ) -> ReplayReceipt:
        """Start the replay. Raises NotFound, NotAllowedNow or IdempotencyKeyReused."""
        if (found := await self.jobs.failures(job_id)) is None:
            raise NotFound("job", str(job_id))
        if found.dry_run:
            raise NotAllowedNow("It was a dry run: nothing was sent and nothing failed; start the job itself")
        if found.cancelling:
            raise NotAllowedNow("The job is being cancelled: retry what failed once it has ended")
        try:
            order = ReplayOrder(Selection(kind=Kind.INVOICE, job_id=job_id), reason)
            return await self.start(order, user, caller, key=key)
        except NotAllowedNow:
            if found.failed:
                raise
            raise _nothing_failed(found) from None


def _nothing_failed(found: Failures) -> NotAllowedNow:
    others = [
        f"{found.held} are held for a person" if found.held else None,
        f"{found.archived} failed and were archived: restore them first" if found.archived else None,
    ]
    why = "; ".join(["No invoice of this job is failed: there is nothing to retry", *filter(None, others)])
    return NotAllowedNow(why, {"failed": 0, "held": found.held, "archived": found.archived})
