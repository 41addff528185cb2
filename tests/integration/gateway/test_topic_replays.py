"""Windows of a real topic: what still stands is announced again, the rest says why not; what is gone is refused."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from common.clock import SYSTEM_CLOCK
from common.contracts.events import InvoiceFetched
from common.contracts.topics import Topic
from common.db.pool import Database
from common.kafka import Announcer
from gateway.adapters.kafka_topics import KafkaTopics
from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotAllowedNow
from gateway.domain.replays import ReplayOrder, Terms, Window
from gateway.replaying import Replaying, build_replaying
from tests.integration.gateway.replays_world import LEASE, Wire, insert_failed
from tests.integration.gateway.test_replays import CALLER, until, working
from tests.integration.gateway.world import RealWorld

pytestmark = pytest.mark.stack

TOPIC = Topic.INVOICES_FETCHED.value


async def publish(bootstrap: str, *events: InvoiceFetched | bytes) -> None:
    """To partition 0, one after the other."""
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for event in events:
            value = event if isinstance(event, bytes) else event.model_dump_json().encode()
            await producer.send_and_wait(TOPIC, value, partition=0, headers=[("ce_id", b"1")])
    finally:
        await producer.stop()


def engine_of(database: Database, bootstrap: str, wire: Wire) -> Replaying:
    announcer = Announcer(None, source="gateway", send=wire.send)  # pyright: ignore[reportArgumentType]
    return build_replaying(
        database, announcer, Cursors(b"k" * 32), bootstrap=bootstrap, lease=LEASE, clock=SYSTEM_CLOCK
    )


async def test_what_still_stands_is_announced_again_and_the_rest_says_why_not(
    database: Database, kafka_bootstrap: str
) -> None:
    stands = await insert_failed(database, status="pending", stage="fetched", reason=None, version=1)
    moved = await insert_failed(database, status="pending", stage="validated", reason=None, version=2)
    gone = uuid4()
    await publish(
        kafka_bootstrap,
        InvoiceFetched(id=stands, version=1),
        InvoiceFetched(id=moved, version=1),
        b"not json",
        InvoiceFetched(id=gone, version=1),
        InvoiceFetched(id=stands, version=1),
    )
    wire = Wire()
    engine = engine_of(database, kafka_bootstrap, wire)
    order = ReplayOrder(Window(TOPIC, 0, 0, 3), "the broker lost them", Terms(canary=0))
    preview = await engine.stories.start.rehearse(order)
    assert (preview.total, preview.outcomes) == (3, {"republished": 1, "not_failed_any_more": 1, "gone": 1})
    user = await RealWorld(database).admin()
    receipt = await engine.stories.start(order, user, CALLER, key=None)
    async with working(engine):
        found = await until(engine, receipt.replay_id, "completed")
    assert found.outcomes == {"republished": 1, "not_failed_any_more": 1, "gone": 1}
    ((topic, _, value, headers),) = wire.records
    assert (topic, InvoiceFetched.model_validate_json(value).id) == (TOPIC, stands)
    assert (headers["ce_id"], headers["x-replay-id"]) == ("1", str(receipt.replay_id))
    items = (await engine.stories.read.items(receipt.replay_id, None, cursor=None, limit=9)).items
    assert items[1].why == "it stands at validated in version 2, the record tells of 1"


async def test_a_window_of_time_has_what_was_written_in_it(kafka_bootstrap: str) -> None:
    topics = KafkaTopics(kafka_bootstrap)
    event = InvoiceFetched(id=uuid4(), version=1)
    await publish(kafka_bootstrap, event)
    await asyncio.sleep(0.05)
    between = SYSTEM_CLOCK.now()
    await asyncio.sleep(0.05)
    await publish(kafka_bootstrap, event, event)
    since = between - timedelta(hours=1)
    assert len(await topics.read(Window(TOPIC, since=since), 10)) == 3
    assert len(await topics.read(Window(TOPIC, since=since, until=between), 10)) == 1
    assert [record.offset for record in await topics.read(Window(TOPIC, since=between), 10)] == [1, 2]
    assert await topics.read(Window(TOPIC, since=between + timedelta(hours=1)), 10) == []
    with pytest.raises(NotAllowedNow, match="more than 2 records"):
        await topics.read(Window(TOPIC, since=since), 2)


async def test_a_window_older_than_the_topic_is_refused(kafka_bootstrap: str) -> None:
    topics = KafkaTopics(kafka_bootstrap)
    event = InvoiceFetched(id=uuid4(), version=1)
    before = SYSTEM_CLOCK.now() - timedelta(minutes=1)
    await publish(kafka_bootstrap, event, event, event)
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(TOPIC, 0): RecordsToDelete(before_offset=2)})
    await admin.close()
    with pytest.raises(NotAllowedNow, match="begins at offset 2"):
        await topics.read(Window(TOPIC, 0, 0, 2), 10)
    with pytest.raises(NotAllowedNow, match="begins before the topic"):
        await topics.read(Window(TOPIC, since=before), 10)
    assert [record.offset for record in await topics.read(Window(TOPIC, 0, 2, 99), 10)] == [2]


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (Window("jobs.requested.v1", 0, 0, 1), "cannot be replayed"),
        (Window(TOPIC, 99, 0, 1), "no partition 99"),
    ],
)
async def test_what_cannot_be_replayed_says_so(kafka_bootstrap: str, window: Window, why: str) -> None:
    await publish(kafka_bootstrap, InvoiceFetched(id=uuid4(), version=1))  # the topic is there
    with pytest.raises(NotAllowedNow, match=why):
        await KafkaTopics(kafka_bootstrap).read(window, 10)
