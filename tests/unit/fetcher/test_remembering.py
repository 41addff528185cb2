"""Nothing is listed into a database that may have forgotten sends."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from common.errors import InfrastructureError
from fetcher.domain import SourcePage
from fetcher.ports import LeasedJob
from fetcher.remembering import RememberedLeases, RememberedPages

JOB = cast("LeasedJob", object())
PAGE = cast("SourcePage", object())


class FakeMemory:
    """Answers in turn, the last for ever."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)

    async def sure(self) -> bool:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class OneJob:
    leased = 0
    renewed = 0
    recorded = 0

    async def lease(self, limit: int) -> Sequence[LeasedJob]:
        self.leased += limit
        return [JOB]

    async def renew(self, jobs: Sequence[LeasedJob]) -> None:
        self.renewed += len(jobs)

    async def record(self, job: LeasedJob, page: SourcePage) -> Sequence[Any]:
        assert (job, page) == (JOB, PAGE)
        self.recorded += 1
        return ["moved"]

    async def unannounced(self, job: LeasedJob) -> Sequence[Any]:
        assert job is JOB
        return ["unannounced"]


async def test_while_it_is_sure_jobs_are_leased_and_pages_recorded() -> None:
    job = OneJob()
    leases, pages = RememberedLeases(job, FakeMemory(True)), RememberedPages(job, FakeMemory(True))
    assert await leases.lease(2) == [JOB]
    await leases.renew([JOB])
    assert await pages.record(JOB, PAGE) == ["moved"]
    assert await pages.unannounced(JOB) == ["unannounced"]
    assert (job.leased, job.renewed, job.recorded) == (2, 1, 1)


async def test_while_it_is_not_sure_no_job_is_touched() -> None:
    job = OneJob()
    assert await RememberedLeases(job, FakeMemory(False)).lease(2) == ()
    assert job.leased == 0


async def test_a_lease_over_a_connection_that_proves_forgetful_is_not_used() -> None:
    assert await RememberedLeases(OneJob(), FakeMemory(True, False)).lease(2) == ()


async def test_a_page_of_a_job_that_was_leased_before_is_not_recorded_any_more() -> None:
    job = OneJob()
    with pytest.raises(InfrastructureError):
        await RememberedPages(job, FakeMemory(False)).record(JOB, PAGE)
    assert job.recorded == 0
