"""Job requests on Kafka."""

import asyncio

from common.contracts.events import JobRequested
from common.contracts.topics import Topic
from common.errors import InfrastructureError
from common.kafka import Announcer

WITHIN_SECONDS = 3.0
"""A caller waits no longer for a dead broker: the fetcher's sweep finds the row anyway."""


class KafkaJobRequests:
    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer

    async def announce(self, event: JobRequested) -> None:
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                await self._announcer.announce(Topic.JOBS_REQUESTED, [event])
        except TimeoutError as error:
            raise InfrastructureError(f"kafka: no acknowledgement within {WITHIN_SECONDS:g} s") from error
