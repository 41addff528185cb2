"""How far a job is, as those see it who watch it. `JobProgress` is what an event holds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.domain.orders import ENDED
from gateway.domain.readings import JobFault, Results

LAST = 2**53 - 1
"""The number of a job's end: nothing comes after it, and every reader of JSON holds it exactly."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """`results` are counted at this moment, without amounts until the job has ended; `stages`: rows by stage.

    The stages of a `dry_run` are its outcomes.
    """

    job_id: UUID
    status: str
    results: Results
    stages: dict[str, int]
    started_at: datetime | None
    listed_at: datetime | None
    cancelled_at: datetime | None
    completed_at: datetime | None
    error: JobFault | None
    dry_run: bool = field(default=False, kw_only=True)


class Viewer(NamedTuple):
    """Who watches, and by which generation of their tokens."""

    user_id: UUID
    generation: int


@dataclass(frozen=True, slots=True)
class Reading:
    """`number` comes from the rows themselves and grows with each of their changes: every replica counts alike."""

    number: int
    progress: JobProgress

    @property
    def ended(self) -> bool:
        return self.progress.status in ENDED
