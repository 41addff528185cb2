"""Which jobs have ended since one last looked, that Dagster did not ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestration.domain.job import JobGlance
from orchestration.domain.trigger import is_ours


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that ended before `until`, and at that instant `ids`."""

    until: datetime
    ids: frozenset[UUID] = frozenset()


def observe(listed: Sequence[JobGlance], seen: Seen) -> tuple[Sequence[JobGlance], Seen]:
    """The new ones, the first ended first, and what is seen with them."""
    new = [
        (job.completed_at, job)
        for job in listed
        if job.completed_at is not None
        and job.completed_at >= seen.until
        and job.job_id not in seen.ids
        and not is_ours(job.job_id)
    ]
    if not new:
        return [], seen
    new.sort(key=lambda one: one[0])
    until = new[-1][0]
    kept = seen.ids if until == seen.until else frozenset[UUID]()
    return [job for _, job in new], Seen(until, kept | {job.job_id for at, job in new if at == until})
