"""A service's consuming side on the real broker, as small as a test needs it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from common.contracts.dead_letters import Unreadable
from common.contracts.events import InvoiceFetched
from common.contracts.topics import DEAD_LETTERS, Group, Topic
from common.isolation import Alerts
from common.kafka import Announcer, Batch, Consumers, make_broker
from common.kafka.dead_letters import DeadLetters, DeadLetterStore
from common.kafka.working import Park

TOPIC = Topic.INVOICES_FETCHED
GROUP = Group.VALIDATOR
PARTITIONS = DEAD_LETTERS[GROUP].partitions
Handle = Callable[[Batch[InvoiceFetched]], Awaitable[None]]


class NoStore:
    async def keep(self, group: Group, records: Sequence[Unreadable]) -> None:
        raise AssertionError(f"{group} cannot read {records}")


class Seen:
    """Every event that a handler finished, in order."""

    def __init__(self) -> None:
        self.ids: list[UUID] = []

    async def __call__(self, batch: Batch[InvoiceFetched]) -> None:
        self.ids += [event.id for event in batch.events]
        await batch.acknowledge()

    async def until(self, count: int, *, seconds: float = 30.0) -> None:
        """Wait until `count` different events were seen."""
        async with asyncio.timeout(seconds):
            while len(set(self.ids)) < count:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def consuming(
    bootstrap: str,
    handle: Handle,
    store: DeadLetterStore | None = None,
    *,
    alerts: Alerts | None = None,
    park: Park[InvoiceFetched] | None = None,
) -> AsyncGenerator[Any]:
    """A running consumer; yields its subscription."""
    broker = make_broker(bootstrap, client_id="test", graceful_timeout=5.0)
    letters = DeadLetters(GROUP, store or NoStore(), Announcer(broker, source="test"))
    consumers = Consumers(broker, GROUP, letters, alerts=alerts)
    consumers.on(TOPIC, InvoiceFetched, handle, park=park)
    await broker.connect()
    await broker.start()
    try:
        yield consumers.subscribers[0]
    finally:
        await broker.stop()


@asynccontextmanager
async def announcing(bootstrap: str) -> AsyncGenerator[Announcer]:
    broker = make_broker(bootstrap, client_id="producer")
    await broker.connect()
    await broker.start()
    try:
        yield Announcer(broker, source="test")
    finally:
        await broker.stop()


def events(count: int) -> list[InvoiceFetched]:
    return [InvoiceFetched(id=uuid4(), version=1) for _ in range(count)]


async def announce(bootstrap: str, count: int) -> set[UUID]:
    made = events(count)
    async with announcing(bootstrap) as announcer:
        await announcer.announce(TOPIC, made)
    return {event.id for event in made}


async def committed(bootstrap: str) -> int:
    """How many records of the topic the group has acknowledged."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(GROUP.value)
    finally:
        await admin.close()
    return sum(meta.offset for partition, meta in offsets.items() if partition.topic == TOPIC.value)


async def all_records(bootstrap: str, topic: str) -> list[ConsumerRecord[Any, Any]]:
    """Everything that is on the dead-letter topic now."""
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord[Any, Any]] = []
        async with asyncio.timeout(20):
            while len(records) < sum(ends.values()):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records += batch
        return records
    finally:
        await consumer.stop()
