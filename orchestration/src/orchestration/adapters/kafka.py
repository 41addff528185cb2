"""The trigger on Kafka. A connection a publish: there is one a day."""

import asyncio

from aiokafka.errors import KafkaError

from common.contracts.events import JobRequested
from common.contracts.topics import Topic
from common.errors import InfrastructureError
from common.kafka import Announcer, make_broker
from common.observability.tracing import correlation_id, trace_id

TIMEOUT = 30.0


class KafkaTrigger:
    """Must not be used inside a running event loop. `trace`: the trace that the job belongs to."""

    def __init__(self, bootstrap_servers: str, *, trace: str | None = None) -> None:
        self._servers = bootstrap_servers
        self._trace = trace

    def publish(self, event: JobRequested) -> None:
        try:
            asyncio.run(self._publish(event))
        except (KafkaError, OSError, TimeoutError) as error:
            raise InfrastructureError(f"kafka: {type(error).__name__}: {error}") from error

    async def _publish(self, event: JobRequested) -> None:
        correlation_id.set(event.correlation_id)
        trace_id.set(self._trace)
        broker = make_broker(self._servers, client_id="orchestration")
        try:
            async with asyncio.timeout(TIMEOUT):
                await broker.connect()
                await Announcer(broker, source="orchestration").announce(Topic.JOBS_REQUESTED, [event])
        finally:
            await broker.stop()
