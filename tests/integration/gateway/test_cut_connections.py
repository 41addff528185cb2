"""Connections that the server cuts at any instant are an outage, never a defect."""

import asyncio

import asyncpg
import pytest

from common.db.pool import Database
from common.errors import InfrastructureError

pytestmark = pytest.mark.stack

CUTS = 40


async def test_whatever_the_driver_says_of_a_cut_connection_means_not_there(
    database: Database, database_url: str
) -> None:
    """The driver raises InternalClientError for about one cut in seven (seen); the pool has to know it."""
    done = asyncio.Event()
    outages = 0

    async def work() -> None:
        nonlocal outages
        number = 0
        while not done.is_set():
            number += 1  # another text each time: the cut shall hit the driver while it prepares, too
            try:
                await database.fetch(f"SELECT {number}, * FROM jobs LIMIT $1", 3)
            except InfrastructureError:
                outages += 1

    async def cut() -> None:
        elsewhere = await asyncpg.connect(database_url)
        for _ in range(CUTS):
            await elsewhere.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.02)  # work goes on between two cuts
        await elsewhere.close()
        done.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(cut())
        for _ in range(4):
            tasks.create_task(work())
    assert outages > 0
    assert await database.is_there()
