"""The fetcher's loops: taking jobs and closing them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from common.contracts.events import JobEvent, JobEventKind, JobRequested, JobType
from common.errors import DatabaseTimeout, InfrastructureError
from common.kafka.consumer import Batch
from fetcher.handlers import on_jobs_requested
from fetcher.ports import LeasedJob
from fetcher.use_cases import CloseJobs, JobRunner
from tests.unit.fetcher.fakes import NOW, FakeClosing, FakeJobs, Heard, leased, moved

TICK = timedelta(milliseconds=20)


async def while_running(loop: Callable[[], Awaitable[None]], condition: Callable[[], bool]) -> None:
    """Run `loop` until the condition holds; fails after five seconds."""
    task = asyncio.ensure_future(loop())
    try:
        async with asyncio.timeout(5):
            while not condition():
                assert not task.done(), task
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_no_more_jobs_at_once_than_allowed_and_their_leases_are_renewed() -> None:
    jobs = FakeJobs(due=[leased() for _ in range(3)])
    working: list[LeasedJob] = []

    async def work(job: LeasedJob) -> None:
        working.append(job)
        await asyncio.Event().wait()

    runner = JobRunner(jobs, work, at_once=2, renew_every=TICK)
    await while_running(runner.run, lambda: len(jobs.renewed) > 2)
    assert len(working) == 2
    assert len(jobs.due) == 1
    assert jobs.renewed[-1] == working


async def test_a_ring_takes_a_new_job_at_once_and_a_job_given_back_frees_its_place() -> None:
    jobs = FakeJobs()
    worked: list[LeasedJob] = []

    async def work(job: LeasedJob) -> None:
        worked.append(job)
        raise InfrastructureError("not now")

    runner = JobRunner(jobs, work, at_once=1, renew_every=timedelta(hours=1))
    first, second = leased(), leased()

    def rung() -> bool:
        if not worked and not jobs.due:
            jobs.due.append(first)
        elif worked == [first] and not jobs.due:
            jobs.due.append(second)
        runner.ring()
        return worked == [first, second]

    await while_running(runner.run, rung)


async def test_a_database_that_is_away_stops_neither_taking_nor_renewing() -> None:
    class Flaky(FakeJobs):
        failures_left = 2

        async def lease(self, limit: int) -> list[LeasedJob]:
            if self.failures_left:
                self.failures_left -= 1
                raise InfrastructureError("database")
            return list(await super().lease(limit))

        async def renew(self, jobs: object) -> None:
            self.renewed.append([])
            raise InfrastructureError("database")

    jobs = Flaky(due=[leased()])
    worked: list[LeasedJob] = []

    async def work(job: LeasedJob) -> None:
        worked.append(job)
        await asyncio.Event().wait()

    runner = JobRunner(jobs, work, at_once=1, renew_every=TICK)

    def done() -> bool:
        runner.ring()
        return len(worked) == 1 and len(jobs.renewed) > 1

    await while_running(runner.run, done)


def closer(closing: FakeClosing, heard: Heard) -> CloseJobs:
    return CloseJobs(closing, heard.announce_jobs, announce_moves=heard.announce)


async def test_a_job_that_cannot_be_ended_now_does_not_stop_the_others() -> None:
    slow, fine = uuid4(), uuid4()
    closing, heard = FakeClosing(done=[slow, fine], broken={slow: DatabaseTimeout("57014")}), Heard()
    await closer(closing, heard).close()
    assert [event.job_id for event in heard.jobs] == [fine]
    assert closing.heard == heard.jobs


async def test_an_end_that_nobody_heard_is_not_taken_as_heard() -> None:
    closing, heard = FakeClosing(done=[uuid4()]), Heard(deaf=InfrastructureError("kafka"))
    with pytest.raises(InfrastructureError):
        await closer(closing, heard).close()
    assert closing.heard == []


async def test_ends_that_are_due_again_are_announced_again() -> None:
    again = JobEvent(job_id=uuid4(), version=4, kind=JobEventKind.FAILED, at=NOW)
    closing, heard = FakeClosing(due_again=[again]), Heard()
    await closer(closing, heard).close()
    assert heard.jobs == closing.heard == [again]


async def test_the_rows_that_a_cancellation_failed_are_announced() -> None:
    cancelled = [moved("s-1")]
    heard = Heard()
    await closer(FakeClosing(cancelled=cancelled), heard).close()
    assert heard.moves == cancelled


async def test_closing_and_refreshing_go_on_after_an_error() -> None:
    class Flaky(FakeClosing):
        rounds = 0

        async def finished(self) -> list[object]:  # type: ignore[override]
            self.rounds += 1
            raise InfrastructureError("database")

    closing = Flaky(done=[uuid4()])
    await while_running(closer(closing, Heard()).run, lambda: closing.rounds > 1 and len(closing.refreshed) > 1)


async def test_a_request_is_a_row_before_it_is_acknowledged_and_then_the_bell_rings() -> None:
    told: list[str] = []
    jobs = FakeJobs()
    request = JobRequested(job_id=uuid4(), job_type=JobType.MANUAL, requested_at=NOW)

    class Recorded(Batch[JobRequested]):
        async def acknowledge(self) -> None:
            told.append(f"acknowledged after {len(jobs.accepted)}")

    await on_jobs_requested(jobs, lambda: told.append("rung"))(Recorded([request], None, []))
    assert told == ["acknowledged after 1", "rung"]
