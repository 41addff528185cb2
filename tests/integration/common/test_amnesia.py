"""The memory's comparison on a real database and a real broker."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest
from faststream.kafka import KafkaBroker

from common.amnesia import ALERT, Memory, last_claims_in
from common.clock import Clock
from common.contracts.events import InvoiceOutcome
from common.contracts.topics import Topic
from common.db.pool import Database
from common.errors import InfrastructureError
from common.kafka import Announcer
from common.kafka.broker import make_broker


@pytest.fixture
async def broker(kafka_bootstrap: str) -> AsyncGenerator[KafkaBroker, None]:
    broker = make_broker(kafka_bootstrap, client_id="test")
    await broker.connect()
    yield broker
    await broker.stop()


def told(attempt: int | None, invoice: UUID) -> InvoiceOutcome:
    stage = "failed" if attempt is None else "claimed"
    return InvoiceOutcome(id=invoice, version=2, stage=stage, source_id="s", attempt=attempt)


async def attempted(database: Database, count: int) -> list[tuple[int, UUID]]:
    rows = await database.fetch(
        """INSERT INTO attempts (invoice_id, number, version, reference, lease_until)
           SELECT uuidv7(), nextval('attempt_number'), 2, gen_random_uuid(), now() FROM generate_series(1, $1)
           RETURNING number, invoice_id""",
        count,
    )
    return [(row["number"], row["invoice_id"]) for row in rows]


async def open_alerts(database: Database) -> int:
    return await database.fetchval("SELECT count(*) FROM alerts WHERE kind = $1 AND closed_at IS NULL", ALERT)


@pytest.fixture
async def memory(database: Database, kafka_bootstrap: str) -> Memory:
    await topic_seen(kafka_bootstrap)
    return Memory(database, last_claims_in(kafka_bootstrap))


async def topic_seen(bootstrap: str) -> None:
    """A topic that was made a moment ago is not in every answer of the broker yet."""
    while True:
        try:
            await last_claims_in(bootstrap)()
        except InfrastructureError:
            await asyncio.sleep(0.1)
        else:
            return


async def test_a_new_system_has_nothing_to_remember(memory: Memory, database: Database) -> None:
    assert await memory.sure()
    assert await open_alerts(database) == 0


async def test_a_database_that_has_every_claim_is_sure(memory: Memory, database: Database, broker: KafkaBroker) -> None:
    known = await attempted(database, 50)
    ends = [told(None, uuid4()) for _ in range(100)]
    await Announcer(broker, source="test").announce(Topic.INVOICES_OUTCOMES, [*[told(*k) for k in known], *ends])
    assert await memory.sure()


async def test_a_sequence_that_is_behind_has_forgotten(memory: Memory, database: Database, broker: KafkaBroker) -> None:
    await attempted(database, 5)
    await Announcer(broker, source="test").announce(Topic.INVOICES_OUTCOMES, [told(6, uuid4())])
    assert not await memory.sure()
    assert not await memory.remembers()
    assert await open_alerts(database) == 1


async def test_one_forgotten_claim_is_enough_though_the_sequence_is_past_it(
    memory: Memory, database: Database, broker: KafkaBroker
) -> None:
    await attempted(database, 32)
    await Announcer(broker, source="test").announce(Topic.INVOICES_OUTCOMES, [told(9, uuid4())])
    assert not await memory.sure()


async def test_claims_are_found_behind_thousands_of_ends_that_were_never_sent(
    memory: Memory, database: Database, broker: KafkaBroker
) -> None:
    announcer = Announcer(broker, source="test")
    invoice = uuid4()
    await announcer.announce(Topic.INVOICES_OUTCOMES, [told(7, invoice)])
    ends = [told(None, invoice) for _ in range(5_000)]  # the same key: the same partition
    await announcer.announce(Topic.INVOICES_OUTCOMES, ends)
    assert not await memory.sure()


async def test_what_was_forgotten_may_be_given_back_while_it_runs(
    database: Database, broker: KafkaBroker, kafka_bootstrap: str
) -> None:
    at = iter(range(0, 1_000, 10))
    memory = Memory(database, last_claims_in(kafka_bootstrap), clock=Clock(monotonic=lambda: float(next(at))))
    invoice = uuid4()
    await Announcer(broker, source="test").announce(Topic.INVOICES_OUTCOMES, [told(1, invoice)])
    assert not await memory.sure()
    await database.execute(
        """INSERT INTO attempts (invoice_id, number, version, reference, lease_until)
           VALUES ($1, nextval('attempt_number'), 2, gen_random_uuid(), now())""",
        invoice,
    )
    assert await memory.sure()
    assert await memory.remembers()
    assert await open_alerts(database) == 0


async def test_an_unreachable_broker_leaves_it_unsure_but_accuses_nobody(database: Database) -> None:
    memory = Memory(database, last_claims_in("127.0.0.1:9"))
    assert not await memory.sure()
    assert await memory.remembers()
    assert await open_alerts(database) == 0
