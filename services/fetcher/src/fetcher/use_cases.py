"""The fetcher's stories: accept a request, list the source, close what is done, look again at conflicts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import JobEvent, JobEventKind
from common.contracts.faults import ExternalCall, JobErrorCode
from common.errors import ClearfactsError, RowFault
from common.invoice.move import Moved
from common.observability.spans import tracer
from common.observability.tracing import correlation_id, parse_context
from common.observability.tracing import job_id as job_at_hand
from fetcher.domain import SourcePage
from fetcher.ports import (
    Closing,
    LeasedJob,
    LeaseLost,
    Leases,
    Listings,
    Pages,
    Source,
    SourceRefused,
    SourceUnavailable,
)

log = structlog.get_logger()

AnnounceMoves = Callable[[Sequence[Moved]], Awaitable[None]]
AnnounceJobs = Callable[[Sequence[JobEvent]], Awaitable[None]]

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class ListSource:
    """Works one leased job from where it stands to the end of the listing."""

    def __init__(
        self,
        source: Source,
        jobs: Listings,
        pages: Pages,
        *,
        announce: AnnounceMoves,
        announce_jobs: AnnounceJobs,
        retries: int,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._source = source
        self._jobs = jobs
        self._pages = pages
        self._announce = announce
        self._announce_jobs = announce_jobs
        self._retries = retries
        self._clock = clock

    async def __call__(self, job: LeasedJob) -> None:
        """Raises InfrastructureError or RetryableError when the job has to be taken again later."""
        correlation_id.set(job.correlation_id)
        job_at_hand.set(str(job.id))
        with tracer.span("list the source", parent=parse_context(job.traceparent)):
            await self._work(job)

    async def _work(self, job: LeasedJob) -> None:
        try:
            if job.started_now:
                await self._tell(job, JobEventKind.STARTED)
            elif job.page > 0:
                await self._announce(await self._pages.unannounced(job))
            await self._list(job)
            await self._tell(job, JobEventKind.SETTLING)
        except (SourceUnavailable, SourceRefused) as error:
            await self._fail(job, self._source_error(error))
        except RowFault as fault:
            message = f"A page could not be recorded: {fault}"[:1000]
            await self._fail(job, {"code": JobErrorCode.PAGE_NOT_RECORDED, "message": message, "details": {}})
        except LeaseLost as lost:
            log.info("job_left_to_others", job_id=str(job.id), why=str(lost))

    async def _list(self, job: LeasedJob) -> None:
        page = await self._page(job, job.cursor)
        number = job.page
        seen: set[str] = set()
        while True:
            step = _at(job, number, page.cursor)
            if page.next_cursor is None:
                await self._record(step, page)
                return
            if page.next_cursor in seen:
                raise SourceRefused("its cursors go round in a circle", endpoint="/invoices", status_code=200)
            seen.add(page.next_cursor)
            page = await self._record_and_fetch(step, page, page.next_cursor)
            number += 1

    async def _record_and_fetch(self, step: LeasedJob, page: SourcePage, cursor: str) -> SourcePage:
        """Both at once, and to both ends: a source that fails must not undo the page that is being recorded."""
        recorded, following = await asyncio.gather(
            self._record(step, page), self._page(step, cursor), return_exceptions=True
        )
        if isinstance(recorded, BaseException):
            raise recorded
        if isinstance(following, BaseException):
            raise following
        return following

    async def _record(self, job: LeasedJob, page: SourcePage) -> None:
        moved = await self._pages.record(job, page)
        await self._announce(moved)
        log.info("page_recorded", job_id=str(job.id), page=job.page, items=len(page.items), rows=len(moved))

    async def _page(self, job: LeasedJob, cursor: str | None) -> SourcePage:
        pause = _FIRST_PAUSE
        for attempt in range(self._retries + 1):
            try:
                return await self._source.page(cursor, since=job.since, ids=job.invoice_ids)
            except SourceUnavailable as error:
                if attempt == self._retries:
                    raise
                log.warning("source_unavailable", error=str(error), retry_in=pause)
                await asyncio.sleep(pause * (0.5 + self._clock.chance.random() / 2))
                pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("the loop returns or raises")

    def _source_error(self, error: SourceUnavailable | SourceRefused) -> dict[str, Any]:
        """The seed's EXTERNAL_API_ERROR."""
        retries = self._retries if isinstance(error, SourceUnavailable) else 0
        call = ExternalCall(error.endpoint, error.status_code, retries)
        message = f"The listing could not be completed: {error}"
        return {"code": JobErrorCode.EXTERNAL_API_ERROR, "message": message, "details": call.details}

    async def _fail(self, job: LeasedJob, error: dict[str, Any]) -> None:
        log.error("listing_failed", job_id=str(job.id), error=error["message"])
        event = await self._jobs.listing_failed(job, error)
        if event:
            await self._announce_jobs([event])

    async def _tell(self, job: LeasedJob, kind: JobEventKind) -> None:
        version = job.version if kind is JobEventKind.STARTED else job.version + 1
        await self._announce_jobs([JobEvent(job_id=job.id, version=version, kind=kind, at=self._clock.now())])


def _at(job: LeasedJob, page: int, cursor: str | None) -> LeasedJob:
    return LeasedJob(
        job.id, job.token, job.version, False, cursor, page, job.since, job.invoice_ids, job.force, job.correlation_id
    )


class JobRunner:
    """Takes due jobs and works several side by side; keeps their leases while it does."""

    def __init__(
        self, jobs: Leases, work: Callable[[LeasedJob], Awaitable[None]], *, at_once: int, renew_every: timedelta
    ) -> None:
        self._jobs = jobs
        self._work = work
        self._at_once = at_once
        self._renew_every = renew_every.total_seconds()
        self._working: dict[UUID, LeasedJob] = {}
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is a new job: do not wait for the next look."""
        self._rung.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._renew())
            while True:
                for job in await self._lease():
                    self._working[job.id] = job
                    tasks.create_task(self._one(job))
                try:
                    async with asyncio.timeout(1.0):
                        await self._rung.wait()
                except TimeoutError:
                    pass
                self._rung.clear()

    async def _lease(self) -> Sequence[LeasedJob]:
        free = self._at_once - len(self._working)
        if free <= 0:
            return ()
        try:
            return await self._jobs.lease(free)
        except ClearfactsError as error:
            log.warning("jobs_not_leased", error=str(error))
            return ()

    async def _one(self, job: LeasedJob) -> None:
        try:
            await self._work(job)
        except ClearfactsError as error:
            log.warning("job_given_back", job_id=str(job.id), error=str(error))
        finally:
            del self._working[job.id]

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._renew_every)
            try:
                if self._working:
                    await self._jobs.renew(list(self._working.values()))
            except ClearfactsError as error:
                log.warning("leases_not_renewed", error=str(error))


class CloseJobs:
    """The one closer: each second it ends what is done; between, it refreshes the results of what is not."""

    def __init__(
        self, closing: Closing, announce: AnnounceJobs, *, announce_moves: AnnounceMoves, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._closing = closing
        self._announce = announce
        self._announce_moves = announce_moves
        self._clock = clock

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self.close, share=20))
            tasks.create_task(self._repeat(self.refresh, share=100))

    async def close(self) -> None:
        """End every job that is done, and say so until the broker has heard it."""
        if cancelled := await self._closing.cancel_open():
            await self._announce_moves(cancelled)
        for job_id in await self._closing.finished():
            await self._end(job_id)
        if events := await self._closing.unannounced():
            await self._announce(events)
            await self._closing.announced(events)

    async def _end(self, job_id: UUID) -> None:
        """End one job; where that fails the others go on."""
        try:
            event = await self._closing.end(job_id)
        except ClearfactsError as error:
            log.warning("job_not_ended", job_id=str(job_id), error=str(error))
            return
        if event:
            log.info("job_ended", job_id=str(job_id), outcome=event.kind)
            await self._announce([event])
            await self._closing.announced([event])

    async def refresh(self) -> None:
        for job_id in await self._closing.running():
            await self._closing.write_results(job_id)

    async def _repeat(self, step: Callable[[], Awaitable[None]], *, share: int) -> None:
        """Each second, or as seldom as `share` times its own cost: counting must never be what the database does."""
        while True:
            started = self._clock.monotonic()
            try:
                await step()
            except ClearfactsError as error:
                log.warning("closing_waits", error=str(error))
            cost = self._clock.monotonic() - started
            await asyncio.sleep(max(1.0, share * cost))
