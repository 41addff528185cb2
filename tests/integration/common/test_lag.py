"""How far behind a group is, on the real broker."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from common.contracts.topics import Group, Topic
from common.kafka.lag import lags

pytestmark = pytest.mark.stack


async def test_lag_is_what_is_not_acknowledged(kafka_bootstrap: str) -> None:
    before = await lags(kafka_bootstrap)
    assert before[Group.SENDER, Topic.INVOICES_VALIDATED] == 0
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    for number in range(5):
        await producer.send_and_wait(Topic.INVOICES_VALIDATED, b"x", partition=number % 2)
    await producer.stop()
    assert (await lags(kafka_bootstrap))[Group.SENDER, Topic.INVOICES_VALIDATED] == 5
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id=Group.SENDER, enable_auto_commit=False)
    await consumer.start()
    partition = TopicPartition(Topic.INVOICES_VALIDATED, 0)
    consumer.assign([partition])
    await consumer.commit({partition: 2})
    await consumer.stop()
    after = await lags(kafka_bootstrap)
    assert after[Group.SENDER, Topic.INVOICES_VALIDATED] == 3
    assert {group for group, _ in after} == set(Group)
