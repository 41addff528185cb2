"""How far each consumer group is behind, asked of the broker by clients of no group."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, NotCoordinatorForGroupError

from common.contracts.topics import TOPICS, Group, Topic
from common.errors import InfrastructureError

ANSWER_TIMEOUT = 3.0
_CLOSE_TIMEOUT = 2.0
_NO_COORDINATOR = (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError)


async def lags(bootstrap_servers: str) -> Mapping[tuple[Group, Topic], int]:
    """Records that each of our groups has not acknowledged, by topic; without the groups that nobody knows now.

    Raises InfrastructureError, within seconds.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT), _clients(bootstrap_servers) as (admin, consumer):
            described = await admin.describe_topics(list(Topic))
            partitions = {one["topic"]: _partitions(one) for one in described}
            every = [partition for each in partitions.values() for partition in each]
            begins, ends = await consumer.beginning_offsets(every), await consumer.end_offsets(every)
            found: dict[tuple[Group, Topic], int] = {}
            for group in Group:
                try:
                    committed = await admin.list_consumer_group_offsets(group)
                except _NO_COORDINATOR:  # its coordinator is just being found or moved: not known at this moment
                    continue
                for topic in _read_by(group):
                    found[group, topic] = sum(
                        max(0, ends[one] - max(committed[one].offset if one in committed else 0, begins[one]))
                        for one in partitions[topic]
                    )
            return found
    except (KafkaError, OSError, TimeoutError) as error:
        raise InfrastructureError(f"kafka: {type(error).__name__}: {error}") from error


def _read_by(group: Group) -> list[Topic]:
    return [topic for topic, spec in TOPICS.items() if group in spec.readers]


def _partitions(described: Any) -> list[TopicPartition]:
    return [TopicPartition(described["topic"], one["partition"]) for one in described["partitions"]]


@asynccontextmanager
async def _clients(bootstrap_servers: str) -> AsyncGenerator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer], None]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, client_id="lag")
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, client_id="lag", group_id=None)
    try:
        await asyncio.gather(admin.start(), consumer.start())
        yield admin, consumer
    finally:
        with suppress(TimeoutError):  # a stop may hang where the broker does
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await asyncio.gather(admin.close(), consumer.stop(), return_exceptions=True)
