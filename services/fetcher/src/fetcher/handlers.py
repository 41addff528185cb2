"""Inbound records of the fetcher."""

from collections.abc import Awaitable, Callable

from common.contracts.events import JobRequested
from common.kafka.consumer import Batch
from fetcher.ports import Jobs


def on_jobs_requested(jobs: Jobs, ring: Callable[[], None]) -> Callable[[Batch[JobRequested]], Awaitable[None]]:
    """The job becomes a row and is worked from there: the record may be acknowledged at once."""

    async def handle(batch: Batch[JobRequested]) -> None:
        await jobs.accept(batch.events)
        await batch.acknowledge()
        ring()

    return handle
