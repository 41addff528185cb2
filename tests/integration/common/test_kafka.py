"""The three promises of common.kafka.consumer on the real broker, and controls that show that the checks can fail."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from common.contracts.events import InvoiceFetched
from common.contracts.topics import LOCAL_PARTITIONS, TOPICS, Group, all_topics
from common.db.dead_letters import PostgresDeadLetters
from common.db.pool import Database
from common.errors import InfrastructureError
from common.kafka import Batch
from common.kafka.provisioning import ensure_topics
from common.settings import Environment
from tests.integration.common.kafka import (
    GROUP,
    TOPIC,
    Seen,
    all_records,
    announce,
    announcing,
    committed,
    consuming,
    events,
)

pytestmark = [pytest.mark.stack, pytest.mark.slow]


class Failing(Seen):
    """Raises for its first `fails` batches; `before` runs on the failing batch first."""

    def __init__(self, fails: int, before: Any = None) -> None:
        super().__init__()
        self.fails = fails
        self.before = before

    async def __call__(self, batch: Batch[InvoiceFetched]) -> None:
        if self.fails:
            self.fails -= 1
            if self.before:
                await self.before(batch)
            raise RuntimeError("a defect in the handler")
        await super().__call__(batch)


class Leaving(Seen):
    """Returns without working its first `leaves` batches; `before` runs on such a batch first."""

    def __init__(self, leaves: int, before: Any = None) -> None:
        super().__init__()
        self.leaves = leaves
        self.before = before

    async def __call__(self, batch: Batch[InvoiceFetched]) -> None:
        if self.leaves:
            self.leaves -= 1
            if self.before:
                await self.before(batch)
            return
        await super().__call__(batch)


class Forgetful(Batch[Any]):
    """A batch as FastStream's manual mode leaves it: nobody rewinds."""

    def rewind(self) -> None:
        pass


async def test_a_batch_is_acknowledged_only_by_its_handler(kafka_bootstrap: str) -> None:
    sent = await announce(kafka_bootstrap, 40)
    seen, gate = Seen(), asyncio.Event()

    async def handle(batch: Batch[InvoiceFetched]) -> None:
        seen.ids += [event.id for event in batch.events]
        await gate.wait()
        await batch.acknowledge()

    async with consuming(kafka_bootstrap, handle):
        await seen.until(1)
        await asyncio.sleep(0.3)
        assert await committed(kafka_bootstrap) == 0
        gate.set()
        await seen.until(40)
    assert set(seen.ids) == sent
    assert len(seen.ids) == 40
    assert await committed(kafka_bootstrap) == 40


async def in_rounds(bootstrap: str, seen: Seen) -> tuple[set[Any], int]:
    """Three rounds of records, each after the consumer has met the one before; what was sent, what is committed."""
    sent: set[Any] = set()
    async with consuming(bootstrap, seen):
        for _ in range(3):
            sent |= await announce(bootstrap, 60)
            await asyncio.sleep(1.5)
    return sent, await committed(bootstrap)


async def test_an_exception_in_a_handler_loses_nothing_although_later_batches_are_committed(
    kafka_bootstrap: str,
) -> None:
    seen = Failing(fails=2)
    sent, offset = await in_rounds(kafka_bootstrap, seen)
    assert seen.fails == 0
    assert set(seen.ids) == sent
    assert offset == 180


async def test_a_handler_that_leaves_its_batch_unacknowledged_gets_it_again(kafka_bootstrap: str) -> None:
    seen = Leaving(leaves=2)
    sent, offset = await in_rounds(kafka_bootstrap, seen)
    assert seen.leaves == 0
    assert set(seen.ids) == sent
    assert offset == 180


async def test_control_without_the_rewind_records_are_lost_in_silence(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.kafka.working.Batch", Forgetful)
    seen = Leaving(leaves=2)
    sent, offset = await in_rounds(kafka_bootstrap, seen)
    assert seen.leaves == 0
    assert set(seen.ids) < sent, "the check above could not have failed"
    assert offset == 180


async def test_control_a_commit_before_the_work_loses_it(kafka_bootstrap: str) -> None:
    async def commit_too_early(batch: Batch[InvoiceFetched]) -> None:
        await batch.acknowledge()

    seen = Leaving(leaves=1, before=commit_too_early)
    sent, offset = await in_rounds(kafka_bootstrap, seen)
    assert set(seen.ids) < sent
    assert offset == 180


async def test_a_batch_that_is_given_back_is_seen_by_the_next_process(kafka_bootstrap: str) -> None:
    sent = await announce(kafka_bootstrap, 50)
    met = asyncio.Event()

    async def hang(_: Batch[InvoiceFetched]) -> None:
        met.set()
        raise InfrastructureError("gone for good")

    async with consuming(kafka_bootstrap, hang):
        await asyncio.wait_for(met.wait(), 20)
    assert await committed(kafka_bootstrap) == 0
    seen = Seen()
    async with consuming(kafka_bootstrap, seen):
        await seen.until(50)
    assert set(seen.ids) == sent


BAD: list[tuple[bytes | None, list[tuple[str, bytes | None]]]] = [
    (b"{not json", [("a", b"plain")]),
    (b'{"job_id": 1}', []),
    (b"\xff\xfe\x00", [("latin", b"\xe9")]),
    (None, [("none", None)]),
    (b'{"id": "x\\u0000", "version": 1}', [("nul", b"x\x00")]),
    (b"x" * 1_000_000, []),
]


async def test_an_unreadable_record_is_parked_with_its_bytes_and_the_rest_of_its_batch_goes_on(
    kafka_bootstrap: str, database: Database
) -> None:
    good = events(20)
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, max_request_size=1_048_576) as producer:
        for number, (value, headers) in enumerate(BAD):
            await producer.send_and_wait(TOPIC.value, value, key=b"k", partition=0, headers=headers)
            neighbour = good[number].model_dump_json().encode()
            await producer.send_and_wait(TOPIC.value, neighbour, partition=0, headers=[("latin", b"\xe9")])
    async with announcing(kafka_bootstrap) as announcer:
        await announcer.announce(TOPIC, good[len(BAD) :])
    store = PostgresDeadLetters(database, "test")
    seen = Seen()
    async with consuming(kafka_bootstrap, seen, store):
        await seen.until(20)
    assert set(seen.ids) == {event.id for event in good}
    assert await committed(kafka_bootstrap) == 20 + len(BAD)
    rows = await database.fetch("SELECT * FROM dead_letters ORDER BY record_offset")
    assert [row["value"] for row in rows] == [value or b"" for value, _ in BAD]
    assert {(row["topic"], row["partition"], row["consumer_group"], bytes(row["record_key"])) for row in rows} == {
        (TOPIC.value, 0, GROUP.value, b"k")
    }
    assert all(row["cause"] for row in rows)
    letters = await all_records(kafka_bootstrap, f"{GROUP}.dlq.v1")
    assert len(letters) == len(BAD)
    bodies = {dict(one.headers)["x-original-offset"]: one.value for one in letters}
    assert bodies[b"0"] == b"{not json"
    assert bodies[str(rows[-1]["record_offset"]).encode()] == b"", "too large with its origin: the row has the bytes"


async def test_parking_a_record_twice_keeps_one_row(kafka_bootstrap: str, database: Database) -> None:
    async with announcing(kafka_bootstrap) as announcer:
        await announcer.publish_raw(TOPIC.value, b"k", b"{", {})
    store = PostgresDeadLetters(database, "test")
    failing = Failing(fails=1)
    async with consuming(kafka_bootstrap, failing, store):
        async with asyncio.timeout(20):
            while await committed(kafka_bootstrap) < 1:
                await asyncio.sleep(0.05)
    assert failing.fails == 0
    assert await database.fetchval("SELECT count(*) FROM dead_letters") == 1


async def described_topics(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, Any]:
    """The topics, once the broker has told all of its parts about them."""
    async with asyncio.timeout(10):
        while True:
            described: dict[str, Any] = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
            if all(topic["partitions"] for topic in described.values()):
                return described
            await asyncio.sleep(0.05)


async def test_topics_are_made_as_the_table_says_and_making_them_again_changes_nothing(kafka_bootstrap: str) -> None:
    await ensure_topics(kafka_bootstrap, Environment.LOCAL)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        names = [spec.name for spec in all_topics()]
        described = await described_topics(admin, names)
        answers: list[Any] = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        )
    finally:
        await admin.close()
    configs = {name: {entry[0]: entry[1] for entry in entries} for _, _, _, name, entries in answers[0].resources}
    for spec in all_topics():
        partitions = described[spec.name]["partitions"]
        assert len(partitions) == min(spec.partitions, LOCAL_PARTITIONS)
        assert {len(partition["replicas"]) for partition in partitions} == {1}
        assert configs[spec.name]["retention.ms"] == str(int(spec.retention.total_seconds() * 1000))
        assert configs[spec.name]["unclean.leader.election.enable"] == "false"
        assert configs[spec.name]["max.message.bytes"] == "1048576"
    assert set(described) >= {spec.name for spec in TOPICS.values()} | {f"{group}.dlq.v1" for group in Group}


async def test_a_broker_that_is_not_there_cannot_be_provisioned() -> None:
    with pytest.raises(InfrastructureError, match="kafka"):
        await ensure_topics("127.0.0.1:1", Environment.LOCAL)
