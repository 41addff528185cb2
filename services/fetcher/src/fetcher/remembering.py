"""Lists only into a database that remembers every sending: what it has forgotten would look new, and be sent again."""

from collections.abc import Sequence

from common.errors import InfrastructureError
from common.invoice.move import Moved
from fetcher.domain import SourcePage
from fetcher.ports import LeasedJob, Leases, Memory, Pages


class RememberedLeases:
    """Due jobs, as long as the memory is sure; a lease that was taken while it became unsure runs out unused."""

    def __init__(self, jobs: Leases, memory: Memory) -> None:
        self._jobs = jobs
        self._memory = memory

    async def lease(self, limit: int) -> Sequence[LeasedJob]:
        """None while it is not sure."""
        if not await self._memory.sure():
            return ()
        leased = await self._jobs.lease(limit)
        return leased if await self._memory.sure() else ()

    async def renew(self, jobs: Sequence[LeasedJob]) -> None:
        await self._jobs.renew(jobs)


class RememberedPages:
    """Pages of jobs that were leased before."""

    def __init__(self, pages: Pages, memory: Memory) -> None:
        self._pages = pages
        self._memory = memory

    async def record(self, job: LeasedJob, page: SourcePage) -> Sequence[Moved]:
        """Raises InfrastructureError while it is not sure: the job is taken again later."""
        if not await self._memory.sure():
            raise InfrastructureError("the database may have forgotten sends: nothing is listed into it")
        return await self._pages.record(job, page)

    async def unannounced(self, job: LeasedJob) -> Sequence[Moved]:
        return await self._pages.unannounced(job)
