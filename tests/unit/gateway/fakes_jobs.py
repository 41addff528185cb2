"""Fakes of what acts on jobs and watches them, over the rows of `FakeJobs`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from common.clock import Clock
from gateway.domain.access import Caller, User
from gateway.domain.orders import ENDED, Cancellation, Failures
from gateway.domain.previews import Outcome, PreviewItem
from gateway.domain.progress import LAST, JobProgress, Reading, Viewer
from gateway.domain.readings import JobStatus


@dataclass
class FakeJobControl:
    """`audit` lists who cancelled what and why."""

    rows: list[JobStatus]
    clock: Clock
    audit: list[tuple[UUID, UUID, str]] = field(default_factory=list[tuple[UUID, UUID, str]])

    async def cancel(self, job_id: UUID, reason: str, user: User, caller: Caller) -> Cancellation | None:
        place = next((place for place, row in enumerate(self.rows) if row.job_id == job_id), None)
        if place is None:
            return None
        repeated = self.rows[place].cancelled_at is not None or self.rows[place].status in ENDED
        if not repeated:
            self.rows[place] = replace(self.rows[place], cancelled_at=self.clock.now())
            self.audit.append((job_id, user.id, reason))
        row = self.rows[place]
        return Cancellation(job_id, row.status, row.cancelled_at, row.completed_at, repeated=repeated)

    async def failures(self, job_id: UUID) -> Failures | None:
        row = next((row for row in self.rows if row.job_id == job_id), None)
        if row is None:
            return None
        if row.dry_run:
            return Failures(0, 0, 0, dry_run=True)
        cancelling = row.cancelled_at is not None and row.completed_at is None
        return Failures(row.results.failed, 0, row.results.held, cancelling=cancelling)


@dataclass
class FakeDryRuns:
    """The items of each dry run, in the order of the listing."""

    rows: dict[UUID, list[PreviewItem]] = field(default_factory=dict[UUID, list[PreviewItem]])

    async def is_there(self, job_id: UUID) -> bool:
        return job_id in self.rows

    async def items(
        self, job_id: UUID, outcome: Outcome | None, *, after: UUID | None, limit: int
    ) -> Sequence[PreviewItem]:
        found = sorted(self.rows[job_id], key=lambda item: item.id)
        return [i for i in found if outcome in {None, i.outcome} and (after is None or i.id > after)][:limit]


@dataclass
class FakeProgress:
    """`versions` makes the numbers; `reads` notes who watched at each reading; `broken` is raised instead."""

    rows: list[JobStatus]
    versions: dict[UUID, int] = field(default_factory=dict[UUID, int])
    barred: set[Viewer] = field(default_factory=set[Viewer])
    reads: list[list[Viewer]] = field(default_factory=list[list[Viewer]])
    broken: Exception | None = None

    async def progress(self, job_id: UUID, viewers: Sequence[Viewer]) -> tuple[Reading | None, frozenset[Viewer]]:
        self.reads.append(list(viewers))
        if self.broken is not None:
            raise self.broken
        row = next((row for row in self.rows if row.job_id == job_id), None)
        if row is None:
            return None, frozenset()
        number = LAST if row.status in ENDED else self.versions.get(job_id, 1)
        return Reading(number, shown(row)), frozenset(self.barred)


def shown(row: JobStatus) -> JobProgress:
    names = JobProgress.__dataclass_fields__.keys() - {"stages"}
    return JobProgress(stages={"sent": row.results.processed}, **{name: getattr(row, name) for name in names})
