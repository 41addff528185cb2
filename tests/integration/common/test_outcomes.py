"""Telling what moved, on the real broker and database: the event of each stage, and whose timer is cleared."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer

from common.contracts.events import Event, InvoiceOutcome
from common.contracts.topics import Topic
from common.db.moves import OUTCOME_COLUMNS, to_moved
from common.db.pool import Database
from common.errors import InfrastructureError
from common.invoice.move import Moved
from common.invoice.stage import Stage
from common.kafka import Announcer, make_broker
from common.outcomes import MoveAnnouncer
from tests.integration.common.kafka import announcing
from tests.integration.common.rows import insert_row
from tests.support.readings import reading

pytestmark = pytest.mark.stack


@pytest.fixture
async def announcer(kafka_bootstrap: str) -> AsyncGenerator[Announcer]:
    async with announcing(kafka_bootstrap) as made:
        yield made


async def as_moved(database: Database, row: UUID) -> Moved:
    found = await database.fetchrow(f"SELECT {OUTCOME_COLUMNS} FROM invoices i WHERE i.id = $1", row)
    assert found is not None
    return to_moved(found)


async def values(bootstrap: str, topic: Topic, count: int) -> list[bytes]:
    consumer: Any = AIOKafkaConsumer(
        topic.value, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_every_stage_is_told_on_its_topic_and_ends_need_nobody_any_more(
    announcer: Announcer, database: Database, kafka_bootstrap: str
) -> None:
    due = -timedelta(seconds=30)
    rows = [
        await insert_row(database, Stage.FETCHED, due=due),
        await insert_row(database, Stage.VALIDATED, due=due),
        await insert_row(database, Stage.SENT, due=due),
        await insert_row(database, Stage.HELD, due=due, reason="conflicting_version"),
        await insert_row(database, Stage.UNKNOWN, due=due),
    ]
    moved = [await as_moved(database, row) for row in rows]
    await MoveAnnouncer(announcer, database, service="test").announce(moved)
    told = [
        InvoiceOutcome.model_validate_json(one) for one in await values(kafka_bootstrap, Topic.INVOICES_OUTCOMES, 2)
    ]
    assert {(one.id, one.stage) for one in told} == {(rows[2], "sent"), (rows[3], "held")}
    assert str(rows[0]).encode() in (await values(kafka_bootstrap, Topic.INVOICES_FETCHED, 1))[0]
    assert str(rows[1]).encode() in (await values(kafka_bootstrap, Topic.INVOICES_VALIDATED, 1))[0]
    cleared = await database.fetch("SELECT id FROM invoices WHERE wake_at IS NULL")
    assert [row["id"] for row in cleared] == [rows[2]], "a conflict is looked at again; open rows keep their timer"


class Deaf(Announcer):
    """Nobody hears it."""

    async def announce(self, topic: Topic, events: Sequence[Event]) -> None:
        raise InfrastructureError(f"kafka: announcing on {topic}")


async def test_an_end_that_could_not_be_told_keeps_its_timer(database: Database) -> None:
    deaf = Deaf(make_broker("127.0.0.1:1", client_id="test"), source="test")
    row = await insert_row(database, Stage.SENT, due=-timedelta(seconds=30))
    with pytest.raises(InfrastructureError):
        await MoveAnnouncer(deaf, database, service="test").announce([await as_moved(database, row)])
    assert await database.fetchval("SELECT wake_at IS NOT NULL FROM invoices WHERE id = $1", row)


async def test_an_end_is_counted_from_the_jobs_request_and_another_round_by_its_reason(
    announcer: Announcer, database: Database
) -> None:
    job = await database.fetchval(
        """INSERT INTO jobs (job_type, status, created_at) VALUES ('manual', 'running', now() - interval '90 seconds')
           RETURNING id"""
    )
    row = await insert_row(database, Stage.SENT)
    await database.execute("UPDATE invoices SET job_id = $1 WHERE id = $2", job, row)
    again = await insert_row(database, Stage.VALIDATED, reason="not_accepted")
    seconds = reading("invoice_end_to_end_seconds_sum", outcome="sent")
    ends = reading("invoice_end_to_end_seconds_count", outcome="sent")
    rounds = reading("invoice_retries_total", service="test", reason="not_accepted")
    moved = [await as_moved(database, one) for one in (row, again)]
    await MoveAnnouncer(announcer, database, service="test").announce(moved)
    assert reading("invoice_end_to_end_seconds_count", outcome="sent") == ends + 1
    assert reading("invoice_end_to_end_seconds_sum", outcome="sent") - seconds == pytest.approx(90, abs=20)
    assert reading("invoice_retries_total", service="test", reason="not_accepted") == rounds + 1
