"""Rebalances and outages in the middle of work: everything is handled, almost nothing twice."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import pytest

from common.contracts.events import InvoiceFetched
from common.db.pool import Database, connect
from common.errors import InfrastructureError
from common.health import Health
from common.kafka import Announcer, Batch, make_broker
from common.kafka.health import broker_answers, consumes
from local.infrastructure import Infrastructure
from tests.integration.common.kafka import TOPIC, Seen, announce, announcing, committed, consuming, events

pytestmark = [pytest.mark.stack, pytest.mark.slow]

RECORDS = 600


class Slow(Seen):
    """Takes its time before it is done, as a handler with a database does."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.in_hand = asyncio.Event()

    async def __call__(self, batch: Batch[InvoiceFetched]) -> None:
        self.in_hand.set()
        await asyncio.sleep(self.seconds)
        await super().__call__(batch)


async def announce_in_pieces(announcer: Announcer, total: int) -> set[UUID]:
    """Records over about three seconds, so that there is work before, during and after."""
    sent: set[UUID] = set()
    for _ in range(30):
        made = events(total // 30)
        await announcer.announce(TOPIC, made)
        sent |= {event.id for event in made}
        await asyncio.sleep(0.1)
    return sent


async def test_a_rebalance_waits_for_the_batch_in_hand_and_its_commit(kafka_bootstrap: str) -> None:
    first, second = Slow(0.4), Slow(0.1)
    async with AsyncExitStack() as stack:
        announcer = await stack.enter_async_context(announcing(kafka_bootstrap))
        await stack.enter_async_context(consuming(kafka_bootstrap, first))
        work = asyncio.ensure_future(announce_in_pieces(announcer, RECORDS))
        await asyncio.wait_for(first.in_hand.wait(), 20)
        await stack.enter_async_context(consuming(kafka_bootstrap, second))
        sent = await work
        async with asyncio.timeout(40):
            while len({*first.ids, *second.ids}) < RECORDS:
                await asyncio.sleep(0.05)
    handled = first.ids + second.ids
    assert set(handled) == sent
    assert second.ids, "there was no rebalance"
    assert len(handled) - len(sent) == 0, f"{len(handled) - len(sent)} were handled twice"
    assert await committed(kafka_bootstrap) == RECORDS


async def test_a_batch_that_takes_longer_than_the_session_is_still_waited_for(kafka_bootstrap: str) -> None:
    sent = await announce(kafka_bootstrap, 50)
    slow, second = Slow(8.0), Seen()
    async with consuming(kafka_bootstrap, slow):
        await asyncio.wait_for(slow.in_hand.wait(), 20)
        async with consuming(kafka_bootstrap, second):
            await slow.until(50)
            await asyncio.sleep(1.0)
    assert set(slow.ids) == sent
    assert second.ids == [], "handed to another while it was in hand"


async def test_a_member_that_stops_hands_over_without_a_loss(kafka_bootstrap: str) -> None:
    first, second = Slow(0.1), Slow(0.1)
    async with consuming(kafka_bootstrap, second), announcing(kafka_bootstrap) as announcer:
        async with consuming(kafka_bootstrap, first):
            work = asyncio.ensure_future(announce_in_pieces(announcer, RECORDS))
            await asyncio.sleep(1.0)
        sent = await work
        async with asyncio.timeout(40):
            while len({*first.ids, *second.ids}) < RECORDS:
                await asyncio.sleep(0.05)
    assert {*first.ids, *second.ids} == sent
    assert len(first.ids) + len(second.ids) == RECORDS


@pytest.mark.timeout(180)
async def test_a_broker_that_is_down_for_seconds_costs_nothing_but_time(
    kafka_bootstrap: str, infrastructure: Infrastructure
) -> None:
    seen = Slow(0.05)
    async with consuming(kafka_bootstrap, seen) as subscriber, announcing(kafka_bootstrap) as announcer:
        sent: set[UUID] = set()

        async def insist() -> None:
            for _ in range(40):
                made = events(10)
                while True:
                    try:
                        await announcer.announce(TOPIC, made)
                    except InfrastructureError:
                        await asyncio.sleep(0.2)
                    else:
                        break
                sent.update(event.id for event in made)
                await asyncio.sleep(0.05)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(insist())
            await seen.until(50)
            await infrastructure.hold("kafka")
            try:
                await asyncio.sleep(3.0)
            finally:
                await infrastructure.release("kafka")
        await seen.until(400, seconds=60)
        assert consumes(subscriber)
    assert set(seen.ids) == sent
    print(f"{len(seen.ids) - 400} of 400 were handled twice")


@asynccontextmanager
async def own_pool(url: str) -> AsyncGenerator[Database]:
    pool = await connect(url, application="test", connections=2)
    try:
        yield pool
    finally:
        await pool.close()


@pytest.mark.timeout(180)
async def test_a_database_that_goes_away_inside_a_handler_is_waited_for_and_then_it_goes_on(
    kafka_bootstrap: str, database_url: str, infrastructure: Infrastructure
) -> None:
    seen, tries = Seen(), 0
    async with own_pool(database_url) as database:

        async def handle(batch: Batch[InvoiceFetched]) -> None:
            nonlocal tries
            tries += 1
            await database.execute("SELECT 1")
            await seen(batch)

        await infrastructure.hold("postgres")
        try:
            async with consuming(kafka_bootstrap, handle):
                sent = await announce(kafka_bootstrap, 20)
                async with asyncio.timeout(20):
                    while tries < 3:
                        await asyncio.sleep(0.05)
                assert seen.ids == []
                assert await committed(kafka_bootstrap) == 0
                await infrastructure.release("postgres")
                await seen.until(20)
        finally:
            await infrastructure.release("postgres")
    assert set(seen.ids) == sent
    assert len(seen.ids) == 20


@pytest.mark.timeout(120)
async def test_readiness_tells_the_truth_about_both(
    kafka_bootstrap: str, database_url: str, infrastructure: Infrastructure
) -> None:
    broker = make_broker(kafka_bootstrap, client_id="test")
    await broker.connect()
    async with own_pool(database_url) as database:
        health = Health({"postgres": database.is_there, "kafka": lambda: broker_answers(broker)})
        assert await health.readiness() == {"postgres": "up", "kafka": "up"}
        for part in ("postgres", "kafka"):
            await infrastructure.hold(part)
            try:
                states = await health.readiness()
            finally:
                await infrastructure.release(part)
            assert states == {"postgres": "up", "kafka": "up"} | {part: "down"}
        async with asyncio.timeout(30):
            while set((await health.readiness()).values()) != {"up"}:
                await asyncio.sleep(0.2)
    await broker.stop()


async def test_a_consumer_whose_task_died_is_not_ready(kafka_bootstrap: str) -> None:
    async with consuming(kafka_bootstrap, Seen()) as subscriber:
        async with asyncio.timeout(20):
            while not consumes(subscriber):
                await asyncio.sleep(0.05)
        for task in subscriber.tasks:
            task.cancel()
        await asyncio.sleep(0.05)
        assert not consumes(subscriber)


@pytest.mark.timeout(180)
async def test_a_storm_of_rebalances_costs_no_record_and_none_is_handled_twice(kafka_bootstrap: str) -> None:
    """A worker comes or goes every three seconds, while records keep coming."""
    steady = Slow(0.05)
    workers = [steady]
    async with AsyncExitStack() as stack:
        announcer = await stack.enter_async_context(announcing(kafka_bootstrap))
        await stack.enter_async_context(consuming(kafka_bootstrap, steady))
        sent: set[UUID] = set()
        for _ in range(4):
            workers.append(Slow(0.05))
            async with consuming(kafka_bootstrap, workers[-1]):
                sent |= await announce_in_pieces(announcer, RECORDS)
            sent |= await announce_in_pieces(announcer, RECORDS)
        async with asyncio.timeout(60):
            while len({row for worker in workers for row in worker.ids}) < len(sent):
                await asyncio.sleep(0.05)
    handled = [row for worker in workers for row in worker.ids]
    assert set(handled) == sent
    assert len(handled) == len(sent), f"{len(handled) - len(sent)} of {len(sent)} were handled twice"
    assert sum(bool(worker.ids) for worker in workers) > 1, "there was no rebalance"
