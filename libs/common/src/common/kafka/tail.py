"""What the end of a topic says: each partition's last records, read without a group and without a trace."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from common.contracts.topics import Topic
from common.errors import InfrastructureError

Record = ConsumerRecord[bytes, bytes]
Reader = AIOKafkaConsumer

_AT_ONCE_MS = 200


@asynccontextmanager
async def reader(bootstrap_servers: str) -> AsyncGenerator[Reader, None]:
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
        await consumer.stop()


async def partitions_of(consumer: Reader, topic: Topic) -> list[TopicPartition]:
    """The topic's partitions. Raises InfrastructureError for a topic that is not there."""
    # without a subscription nothing else asks for the topic's metadata
    await consumer._client.add_topic(topic)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise InfrastructureError(f"kafka: there is no topic {topic}")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


async def spans(consumer: Reader, topic: Topic) -> dict[TopicPartition, tuple[int, int]]:
    """Each partition's first offset and the one after its last, as of now."""
    partitions = await partitions_of(consumer, topic)
    begins, ends = await asyncio.gather(consumer.beginning_offsets(partitions), consumer.end_offsets(partitions))
    return {partition: (begins[partition], ends[partition]) for partition in partitions}


async def read_span(consumer: Reader, wanted: Mapping[TopicPartition, tuple[int, int]]) -> AsyncGenerator[Record, None]:
    """All records from the first offset to before the second, each partition in its order."""
    open_ = {partition: end for partition, (begin, end) in wanted.items() if begin < end}
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
