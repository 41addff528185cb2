"""How far behind a group is, on the real broker."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from common.contracts.topics import Group, Topic
from common.kafka.lag import lags

pytestmark = pytest.mark.stack


async def test_lag_is_what_is_not_acknowledged(kafka_bootstrap: str) -> None:
    assert await sender_lag(kafka_bootstrap) == 0
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    for number in range(5):
        await producer.send_and_wait(Topic.INVOICES_VALIDATED, b"x", partition=number % 2)
    await producer.stop()
    assert await sender_lag(kafka_bootstrap) == 5
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id=Group.SENDER, enable_auto_commit=False)
    await consumer.start()
    partition = TopicPartition(Topic.INVOICES_VALIDATED, 0)
    consumer.assign([partition])
    await consumer.commit({partition: 2})
    await consumer.stop()
    assert await sender_lag(kafka_bootstrap) == 3


async def sender_lag(bootstrap: str) -> int:
    """Once it is known: a new broker has no coordinators yet."""
    while True:
        found = await lags(bootstrap)
        if (lag := found.get((Group.SENDER, Topic.INVOICES_VALIDATED))) is not None:
            return lag
        await asyncio.sleep(0.1)
