"""Inbound: a record of a finished job becomes a row, then the bell is rung."""

from collections.abc import Awaitable, Callable

from common.contracts.events import JobEvent
from common.kafka import Batch
from notifier.use_cases import RecordFinishedJobs


def make_handler(record: RecordFinishedJobs, ring: Callable[[], None]) -> Callable[[Batch[JobEvent]], Awaitable[None]]:
    async def on_job_events(batch: Batch[JobEvent]) -> None:
        if await record(batch.events):
            ring()
        await batch.acknowledge()

    return on_job_events
