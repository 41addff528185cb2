"""The trigger on Kafka. A connection a publish: there is one a day."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from aiokafka.errors import KafkaError

from common.contracts.events import JobRequested
from common.contracts.topics import Topic
from common.errors import InfrastructureError
from common.kafka import Announcer, make_broker
from common.observability.spans import Opened, Span, tracer
from common.observability.tracing import Context, correlation_id, trace_id

TIMEOUT = 30.0


class KafkaTrigger:
    """Must not be used inside a running event loop.

    `trace`: the trace that the job belongs to; its root is this run, and told to `receiver` where there is one.
    """

    def __init__(self, bootstrap_servers: str, *, trace: str | None = None, receiver: str | None = None) -> None:
        self._servers = bootstrap_servers
        self._trace = trace
        self._receiver = receiver

    def publish(self, event: JobRequested) -> None:
        try:
            with self._traced(event):
                asyncio.run(self._publish(event))
        except (KafkaError, OSError, TimeoutError) as error:
            raise InfrastructureError(f"kafka: {type(error).__name__}: {error}") from error

    @contextmanager
    def _traced(self, event: JobRequested) -> Generator[None]:
        """The root of the trace; asking again tells the same span again."""
        if self._trace is None or self._receiver is None:
            yield
            return
        from common.observability.exporting import start_exporting  # noqa: PLC0415 - OpenTelemetry only where it is used

        spans = start_exporting(self._receiver, service="orchestration", ratio=1.0)
        root = Span(f"Dagster run: {event.job_type}", Context(self._trace, self._trace[16:], sampled=True), None)
        try:
            with Opened(root, tracer.told):
                yield
        finally:
            tracer.use(None)
            spans.close()

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
