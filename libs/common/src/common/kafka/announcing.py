"""Publishing events: pipelined, acknowledged by all in-sync replicas, with CloudEvents attributes in the headers."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.events import Event
from common.contracts.topics import Topic
from common.errors import InfrastructureError
from common.kafka.sending import Headers, Send, send_by
from common.observability.spans import Attribute, Kind, tracer
from common.observability.tracing import TRACEPARENT, correlation_id, new_traceparent
from common.waits import declared

ANNOUNCE_TIMEOUT = 15.0


class Announcer:
    """Announces on topics; when `announce` returns, every record is acknowledged."""

    def __init__(
        self, broker: KafkaBroker, *, source: str, clock: Clock = SYSTEM_CLOCK, send: Send | None = None
    ) -> None:
        self._send = send or send_by(broker)
        self._source = source
        self._clock = clock

    async def announce(self, topic: Topic, events: Sequence[Event]) -> None:
        """Publish `events`. Raises InfrastructureError when an ack is missing; some may be out, twice is harmless."""
        with tracer.span(f"publish {topic}", Kind.PRODUCER, attributes=_described(topic, len(events))):
            shared = _encoded(self._headers(topic))
            records = [
                (event.key, event.model_dump_json().encode(), [*shared, ("ce_id", str(self._clock.new_id()).encode())])
                for event in events
            ]
            await self._publish(topic, records)

    async def publish_raw(self, topic: str, key: bytes | None, value: bytes, headers: Mapping[str, str]) -> None:
        """Publish bytes as they are (dead letters keep what nobody could read)."""
        await self._publish(topic, [(key, value, _encoded(headers))])

    async def _publish(self, topic: str, records: Sequence[tuple[bytes | None, bytes, Headers]]) -> None:
        try:
            with declared(ANNOUNCE_TIMEOUT + 1.0):
                async with asyncio.timeout(ANNOUNCE_TIMEOUT):
                    acks: list[Any] = [await self._send(topic, key, value, headers) for key, value, headers in records]
                    await asyncio.gather(*acks)
        except (KafkaError, OSError, TimeoutError) as error:
            raise InfrastructureError(f"kafka: announcing on {topic}: {type(error).__name__}: {error}") from error

    def _headers(self, topic: Topic) -> dict[str, str]:
        headers = {
            "ce_specversion": "1.0",
            "ce_type": f"be.clearfacts.{topic}",
            "ce_source": f"/clearfacts/{self._source}",
            "ce_time": self._clock.now().isoformat().replace("+00:00", "Z"),
            "content-type": "application/json",
            TRACEPARENT: new_traceparent(),
        }
        if (correlation := correlation_id.get()) is not None:
            headers["correlation_id"] = correlation
        return headers


def _described(topic: str, records: int) -> dict[str, Attribute]:
    return {"messaging.system": "kafka", "messaging.destination.name": topic, "messaging.batch.message_count": records}


def _encoded(headers: Mapping[str, str]) -> Headers:
    return [(name, value.encode()) for name, value in headers.items()]
