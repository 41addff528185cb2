"""Partitions are made ahead by a loop, and making them twice is the same as once."""

import asyncio
from datetime import timedelta

from common.db.partitions import Partitions
from common.db.pool import Database

MADE = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'invoices'::regclass"


async def test_a_partition_that_is_missing_is_made_by_the_loop(database: Database) -> None:
    name = await database.fetchval(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'invoices'::regclass "
        "ORDER BY 1 DESC OFFSET 1 LIMIT 1"
    )
    before = await database.fetchval(MADE)
    await database.execute(f"DROP TABLE {name}")
    assert await database.fetchval(MADE) == before - 1
    loop = asyncio.ensure_future(Partitions(database, every=timedelta(milliseconds=10)).run())
    async with asyncio.timeout(10):
        while await database.fetchval(MADE) < before:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # more rounds, which must change nothing
    loop.cancel()
    assert await database.fetchval(MADE) == before
