"""Records that the broker deleted before their consumer came."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from common.contracts.events import InvoiceFetched
from common.contracts.topics import LOCAL_PARTITIONS
from common.db.pool import Database
from common.db.postgres_alerts import PostgresAlerts
from common.db.sweeper import Key, Sweep, Sweeper
from common.invoice.stage import Stage
from common.kafka.gaps import RETENTION_GAP
from common.kafka.observing import Observer
from common.kafka.watchdog import Watchdog
from tests.integration.common.kafka import TOPIC, Seen, announcing, committed, consuming
from tests.integration.common.rows import insert_row

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def announce_rows(bootstrap: str, rows: Sequence[UUID]) -> None:
    async with announcing(bootstrap) as announcer:
        await announcer.announce(TOPIC, [InvoiceFetched(id=row, version=1) for row in rows])


async def delete_everything(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        everything = {TopicPartition(TOPIC, n): RecordsToDelete(before_offset=-1) for n in range(LOCAL_PARTITIONS)}
        await admin.delete_records(everything)
    finally:
        await admin.close()


async def gap(database: Database) -> str | None:
    return await database.fetchval("SELECT subject FROM alerts WHERE kind = $1 AND closed_at IS NULL", RETENTION_GAP)


async def until_told(database: Database) -> None:
    async with asyncio.timeout(20):
        while await gap(database) is None:
            await asyncio.sleep(0.1)


async def lost_records(bootstrap: str, database: Database) -> set[UUID]:
    """Rows that were announced while nobody listened, and whose records are gone."""
    async with consuming(bootstrap, seen := Seen()):
        await announce_rows(bootstrap, [await insert_row(database, Stage.SENT) for _ in range(30)])
        await seen.until(30)
    rows = [await insert_row(database, due=timedelta(seconds=1)) for _ in range(30)]
    await announce_rows(bootstrap, rows)
    await delete_everything(bootstrap)
    return set(rows)


async def test_a_gap_is_told_when_the_next_record_comes_and_the_sweeper_works_the_rows_all_the_same(
    kafka_bootstrap: str, database: Database
) -> None:
    lost = await lost_records(kafka_bootstrap, database)
    seen = Seen()
    async with consuming(kafka_bootstrap, seen, alerts=PostgresAlerts(database)):
        later = [await insert_row(database) for _ in range(30)]
        await announce_rows(kafka_bootstrap, later)
        await seen.until(30)
    assert set(seen.ids) == set(later)
    assert await gap(database) == f"validator:{TOPIC}"
    swept: list[UUID] = []

    async def work(keys: Sequence[Key]) -> None:
        swept.extend(row for row, _ in keys)

    await Sweeper(database, (), service="test").once(Sweep(Stage.FETCHED, work))
    assert set(swept) == lost
    assert await committed(kafka_bootstrap) == 90


async def test_a_gap_is_told_although_no_record_comes_and_it_is_nothing_to_end_a_process_for(
    kafka_bootstrap: str, database: Database
) -> None:
    await lost_records(kafka_bootstrap, database)
    ended: list[str] = []
    async with consuming(kafka_bootstrap, Seen(), alerts=PostgresAlerts(database)) as subscription:
        watchdog = Watchdog([subscription], Observer(kafka_bootstrap), ended.append, limit=1.0, tick=0.2)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watchdog.run())
            await until_told(database)
            await asyncio.sleep(3.0)
            watching.cancel()
    assert ended == []
    assert await gap(database) == f"validator:{TOPIC}"
