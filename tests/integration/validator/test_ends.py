"""How a validator ends, and how soon another goes on with what it had not begun."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from common.contracts.events import InvoiceFetched
from common.contracts.topics import Topic
from common.db.pool import Database
from tests.integration.common.kafka import announcing
from tests.integration.fetcher.process import announce, service
from tests.integration.fetcher.world import until
from tests.integration.validator.world import insert_fetched
from tests.unit.ubl.documents import SAMPLE

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(180)]


@pytest.fixture
def settings(database_url: str, kafka_bootstrap: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}


async def started(log: Path) -> None:
    def text() -> str:
        return log.read_text() if log.exists() else ""

    async def ready() -> bool:
        return '"partitions_assigned"' in text()

    await until(ready)


@asynccontextmanager
async def locked(url: str) -> AsyncGenerator[None]:
    """Nobody reads or moves a row, while the block lasts."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("BEGIN; LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        await connection.close()


async def test_it_ends_in_time_although_its_database_does_not_let_it_finish_and_nothing_is_lost(
    database: Database, settings: dict[str, str], tmp_path: Path
) -> None:
    row = await insert_fetched(database, SAMPLE)

    async def busy() -> bool:
        return bool(await database.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))

    async def validated() -> bool:
        return await database.fetchval("SELECT stage FROM invoices WHERE id = $1", row) == "validated"

    log = tmp_path / "validator.log"
    async with service("validator", log, STOP_TIMEOUT="2", **settings) as process:
        await started(log)
        async with locked(settings["DATABASE_URL"]):
            await announce(
                settings["KAFKA_BOOTSTRAP_SERVERS"], Topic.INVOICES_FETCHED, InvoiceFetched(id=row, version=1)
            )
            await until(busy)
            process.terminate()
            async with asyncio.timeout(2.0 + 2.0):
                assert await process.wait() == 0
    async with service("validator", log, **settings):
        await until(validated, seconds=30)


@asynccontextmanager
async def rows_that_keep_coming(bootstrap: str, database: Database) -> AsyncGenerator[None]:
    """Five announced rows ten times a second, while the block lasts; none is left without its announcement."""
    enough = asyncio.Event()

    async def feed() -> None:
        async with announcing(bootstrap) as announcer:
            while not enough.is_set():
                new = [await insert_fetched(database, SAMPLE) for _ in range(5)]
                await announcer.announce(Topic.INVOICES_FETCHED, [InvoiceFetched(id=row, version=1) for row in new])
                await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(feed())
        try:
            yield
        finally:
            enough.set()


@pytest.mark.parametrize(("how", "within"), [(signal.SIGTERM, 1.0), (signal.SIGKILL, 12.0)])
async def test_another_goes_on_with_its_work(
    database: Database, settings: dict[str, str], tmp_path: Path, how: signal.Signals, within: float
) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    bootstrap = settings["KAFKA_BOOTSTRAP_SERVERS"]

    async def all_validated() -> bool:
        return not await database.fetchval("SELECT count(*) FROM invoices WHERE stage = 'fetched'")

    async with service("validator", first, **settings) as process, service("validator", second, **settings):
        await asyncio.gather(started(first), started(second))
        async with rows_that_keep_coming(bootstrap, database):
            await asyncio.sleep(4.0)
            usual = await slowest(database)
            process.send_signal(how)
            await asyncio.sleep(within + 3.0)
        await until(all_validated, seconds=60)
        gap = await slowest(database)
    moves = await database.fetchval("SELECT count(*) FROM invoice_events")
    count = await database.fetchval("SELECT count(*) FROM invoices")
    print(f"{how.name}: a row waited {gap:.2f} s at most, {usual:.2f} s before; {count} rows")
    assert moves == count, "nothing is done twice"
    assert gap < within + usual


async def slowest(database: Database) -> float:
    """The longest that a row waited from its making to its verdict, but for the first two seconds' rows."""
    return await database.fetchval(
        """SELECT coalesce(extract(epoch FROM max(e.at - uuid_extract_timestamp(e.invoice_id))), 0)::float8
           FROM invoice_events e
           WHERE uuid_extract_timestamp(e.invoice_id) >
               (SELECT min(uuid_extract_timestamp(id)) + interval '2 s' FROM invoices)"""
    )
