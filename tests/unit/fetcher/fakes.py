"""The outside of the fetcher, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from common.contracts.events import JobEvent, JobEventKind, JobRequested
from common.invoice.move import Moved
from common.invoice.stage import Stage
from fetcher.domain import SourcePage, listed
from fetcher.ports import LeasedJob, LeaseLost

NOW = datetime(2026, 2, 2, 2, 40, tzinfo=UTC)


def leased(**changes: Any) -> LeasedJob:
    usual: dict[str, Any] = {
        "id": uuid4(),
        "token": uuid4(),
        "version": 2,
        "started_now": True,
        "cursor": None,
        "page": 0,
        "since": None,
        "invoice_ids": None,
        "force": False,
        "correlation_id": None,
    }
    return LeasedJob(**{**usual, **changes})


def moved(source_id: str) -> Moved:
    return Moved(uuid4(), 1, Stage.FETCHED, None, None, source_id, None, None, 0, None, None)


@dataclass
class FakeSource:
    """Documents in keyset order: (id, modified at, text). The `faults` are raised one by one before anything else."""

    documents: Sequence[tuple[str, datetime, str]]
    limit: int = 2
    clock: datetime = NOW
    faults: list[Exception] = field(default_factory=list[Exception])
    asked: list[tuple[str | None, datetime | None, Sequence[str] | None]] = field(default_factory=list[Any])

    async def page(self, cursor: str | None, *, since: datetime | None, ids: Sequence[str] | None) -> SourcePage:
        self.asked.append((cursor, since, ids))
        if self.faults:
            raise self.faults.pop(0)
        found = sorted((at, source_id, text) for source_id, at, text in self.documents)
        found = [item for item in found if (since is None or item[0] >= since) and (ids is None or item[1] in ids)]
        after = [item for item in found if cursor is None or f"{item[0].isoformat()} {item[1]}" > cursor]
        items, rest = after[: self.limit], after[self.limit :]
        following = f"{items[-1][0].isoformat()} {items[-1][1]}" if rest else None
        return SourcePage(
            tuple(listed(source_id, at, text, b"") for at, source_id, text in items),
            cursor,
            following,
            len(found),
            self.clock,
        )


@dataclass
class FakeJobs:
    due: list[LeasedJob] = field(default_factory=list[LeasedJob])
    failures: list[tuple[LeasedJob, dict[str, Any]]] = field(default_factory=list[Any])
    renewed: list[Sequence[LeasedJob]] = field(default_factory=list[Any])
    accepted: list[JobRequested] = field(default_factory=list[JobRequested])
    lost: bool = False

    async def accept(self, requests: Sequence[JobRequested]) -> None:
        self.accepted += requests

    async def lease(self, limit: int) -> Sequence[LeasedJob]:
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    async def renew(self, jobs: Sequence[LeasedJob]) -> None:
        self.renewed.append(list(jobs))

    async def listing_failed(self, job: LeasedJob, error: dict[str, Any]) -> JobEvent | None:
        if self.lost:
            return None
        self.failures.append((job, error))
        return JobEvent(job_id=job.id, version=job.version + 1, kind=JobEventKind.SETTLING, at=NOW)


@dataclass
class FakePages:
    """`refuse` is raised instead of recording the page of that number."""

    left_over: Sequence[Moved] = ()
    refuse: dict[int, Exception] = field(default_factory=dict[int, Exception])
    recorded: list[tuple[int, SourcePage]] = field(default_factory=list[Any])

    async def record(self, job: LeasedJob, page: SourcePage) -> Sequence[Moved]:
        if job.page in self.refuse:
            raise self.refuse[job.page]
        if any(number == job.page for number, _ in self.recorded):
            raise LeaseLost("somebody else was here")
        self.recorded.append((job.page, page))
        return [moved(item.source_id) for item in page.items]

    async def unannounced(self, job: LeasedJob) -> Sequence[Moved]:
        return self.left_over

    def ids(self) -> list[str]:
        return [item.source_id for _, page in self.recorded for item in page.items]


@dataclass
class FakeClosing:
    done: list[UUID] = field(default_factory=list[UUID])
    broken: dict[UUID, Exception] = field(default_factory=dict[UUID, Exception])
    cancelled: Sequence[Moved] = ()
    due_again: Sequence[JobEvent] = ()
    heard: list[JobEvent] = field(default_factory=list[JobEvent])
    refreshed: list[UUID] = field(default_factory=list[UUID])

    async def running(self) -> Sequence[UUID]:
        return self.done

    async def write_results(self, job_id: UUID) -> None:
        self.refreshed.append(job_id)

    async def finished(self) -> Sequence[UUID]:
        return self.done

    async def cancel_open(self) -> Sequence[Moved]:
        return self.cancelled

    async def end(self, job_id: UUID) -> JobEvent | None:
        if job_id in self.broken:
            raise self.broken[job_id]
        return JobEvent(job_id=job_id, version=5, kind=JobEventKind.COMPLETED, at=NOW)

    async def unannounced(self) -> Sequence[JobEvent]:
        return self.due_again

    async def announced(self, events: Sequence[JobEvent]) -> None:
        self.heard += events


@dataclass
class Heard:
    """What was announced; `deaf` is raised instead."""

    moves: list[Moved] = field(default_factory=list[Moved])
    jobs: list[JobEvent] = field(default_factory=list[JobEvent])
    deaf: Exception | None = None

    async def announce(self, moves: Sequence[Moved]) -> None:
        if self.deaf:
            raise self.deaf
        self.moves += moves

    async def announce_jobs(self, events: Sequence[JobEvent]) -> None:
        if self.deaf:
            raise self.deaf
        self.jobs += events

    def kinds(self) -> list[JobEventKind]:
        return [event.kind for event in self.jobs]
