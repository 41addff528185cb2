"""What the end of a topic says: each partition's last records, read without a group and without a trace."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from common.contracts.topics import Topic
from common.errors import InfrastructureError

Record = ConsumerRecord[bytes, bytes]
Spans = Mapping[TopicPartition, tuple[int, int]]
"""First offset, and the one after the last."""


@dataclass(frozen=True, slots=True)
class FirstRecord:
    offset: int
    at: datetime


_AT_ONCE_MS = 200
_STOP_WITHIN = 5.0


@asynccontextmanager
async def _consumer(bootstrap_servers: str) -> AsyncGenerator[AIOKafkaConsumer, None]:
    """A consumer of no group. Inside, what Kafka raises comes as InfrastructureError."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        yield consumer
    except (KafkaError, OSError, TimeoutError) as error:
        raise InfrastructureError(f"kafka: {type(error).__name__}: {error}") from error
    finally:
        with suppress(TimeoutError):  # its fetcher may swallow the first cancellation, for ever
            async with asyncio.timeout(_STOP_WITHIN):
                await consumer.stop()


async def spans(bootstrap_servers: str, topic: Topic) -> Spans:
    """Each partition's first offset and the one after its last, as of now. Raises InfrastructureError."""
    async with _consumer(bootstrap_servers) as consumer:
        # without a subscription nothing else asks for the topic's metadata
        await consumer._client.add_topic(topic)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise InfrastructureError(f"kafka: there is no topic {topic}")
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        return {partition: (begins[partition], ends[partition]) for partition in partitions}


async def first_since(bootstrap_servers: str, wanted: Spans, at: datetime) -> Mapping[TopicPartition, FirstRecord]:
    """Each partition's first record of that time or later; a partition without one is left out."""
    if not wanted:
        return {}
    async with _consumer(bootstrap_servers) as consumer:
        for topic in {partition.topic for partition in wanted}:
            await consumer._client.add_topic(topic)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        found = await consumer.offsets_for_times(dict.fromkeys(wanted, int(at.timestamp() * 1000)))
        return {
            partition: FirstRecord(first.offset, datetime.fromtimestamp(first.timestamp / 1000, UTC))
            for partition, first in found.items()
            if first is not None
        }


async def read_span(bootstrap_servers: str, wanted: Spans) -> AsyncGenerator[Record, None]:
    """All records from the first offset to before the second, each partition in its order.

    A consumer for each call: one that is assigned anew and stopped soon after hangs (aiokafka 0.12).
    """
    open_ = {partition: end for partition, (begin, end) in wanted.items() if begin < end}
    if not open_:
        return
    async with _consumer(bootstrap_servers) as consumer:
        consumer.assign(list(open_))
        for partition in open_:
            consumer.seek(partition, wanted[partition][0])
        while open_:
            batches = await consumer.getmany(*open_, timeout_ms=_AT_ONCE_MS)
            for partition, records in batches.items():
                for record in records:
                    if record.offset < open_[partition]:
                        yield record
            for partition, end in list(open_.items()):
                if await consumer.position(partition) >= end:
                    del open_[partition]
