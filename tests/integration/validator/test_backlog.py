"""The validator's consumer and its sweeper together, on the real parts, in this process."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from common.contracts.events import InvoiceFetched
from common.contracts.topics import Topic
from common.db.pool import Database
from common.db.sweeper import Sweep, Sweeper
from common.invoice.move import Moved
from common.invoice.stage import Stage
from common.workers import Workers
from tests.integration.common.kafka import announcing, committed, consuming
from tests.integration.validator.killers import KILLER, validate_or_die
from tests.integration.validator.world import insert_fetched
from tests.unit.ubl.documents import SAMPLE
from ubl.verdict import Verdict
from validator.adapters.postgres import PostgresRows
from validator.adapters.workers import Apart, WorkerValidation, to_judged
from validator.domain import Judged
from validator.handlers import on_due, on_invoices_fetched, park_due, park_event
from validator.ports import Validate
from validator.use_cases import ValidateInvoices

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(240)]


class Told:
    """Counts what was announced."""

    def __init__(self) -> None:
        self.times: Counter[UUID] = Counter()
        self.at: dict[UUID, float] = {}

    async def __call__(self, moved: Sequence[Moved]) -> None:
        for one in moved:
            self.times[one.id] += 1
            self.at[one.id] = asyncio.get_running_loop().time()

    async def until(self, rows: set[UUID], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not rows <= self.times.keys():
                await asyncio.sleep(0.02)


class Counting:
    """Finds every document valid; counts how often each was judged."""

    def __init__(self) -> None:
        self.judged: Counter[bytes] = Counter()

    async def __call__(self, documents: Sequence[bytes]) -> Sequence[Judged]:
        self.judged.update(documents)
        await asyncio.sleep(0.02)  # a handler takes its time, and others may look meanwhile
        return [to_judged(Verdict("basic", "r", valid=True)) for _ in documents]


@asynccontextmanager
async def validating(
    bootstrap: str, database: Database, told: Told, judge: Validate, careful: Validate | None = None
) -> AsyncGenerator[None]:
    """A validator: its consumer, and a sweeper that looks ten times a second."""
    rows = PostgresRows(database)
    story, due = ValidateInvoices(rows, judge), ValidateInvoices(rows, careful or judge)
    sweep = Sweep(Stage.FETCHED, on_due(due, told), park=park_due(due.park, told))
    sweeper = Sweeper(database, [sweep], service="validator", every=timedelta(seconds=0.1))
    handler, park = on_invoices_fetched(story, told), park_event(story.park, told)
    async with consuming(bootstrap, handler, park=park), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sweeper.run())
        try:
            yield
        finally:
            running.cancel()


async def announce(bootstrap: str, rows: Sequence[UUID]) -> None:
    async with announcing(bootstrap) as announcer:
        await announcer.announce(Topic.INVOICES_FETCHED, [InvoiceFetched(id=row, version=1) for row in rows])


async def insert_many(database: Database, documents: Sequence[bytes]) -> list[UUID]:
    """Fetched rows whose timers ran out ten minutes ago."""
    rows = await database.fetch(
        """INSERT INTO invoices (invoice_id, ubl_data, raw_sha256, status, stage, wake_at)
           SELECT 'source-' || d, d, sha256(d::bytea), 'pending', 'fetched', now() - interval '10 min'
           FROM unnest($1::text[]) AS d RETURNING id""",
        [document.decode() for document in documents],
    )
    return [row["id"] for row in rows]


async def test_a_backlog_whose_timers_have_run_out_is_worked_and_announced_once(
    database: Database, kafka_bootstrap: str
) -> None:
    await work_a_backlog(database, kafka_bootstrap, 4000)


async def work_a_backlog(database: Database, kafka_bootstrap: str, count: int) -> None:
    """Its consumers were away for long: two of them and their sweepers now want the same rows."""
    documents = [f"<a>{n}</a>".encode() for n in range(count)]
    rows = await insert_many(database, documents)
    await announce(kafka_bootstrap, rows)
    told, judge = Told(), Counting()
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(validating(kafka_bootstrap, database, told, judge))
        await told.until(set(rows), seconds=60 + count / 500)
        async with asyncio.timeout(30):
            while await committed(kafka_bootstrap) < count:
                await asyncio.sleep(0.1)
    assert set(judge.judged) == set(documents)
    assert sum(judge.judged.values()) == count, f"{sum(judge.judged.values()) - count} were judged twice"
    assert set(told.times.values()) == {1}
    swept = await database.fetchval("SELECT count(*) FROM invoices WHERE version > 2")
    print(f"{swept} of {count} by the sweepers")
    assert 0 < swept < count


@pytest.mark.alone
async def test_documents_that_end_their_workers_delay_the_others_by_less_than_two_seconds_and_are_parked(
    database: Database, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("validator.adapters.workers.validate_many", validate_or_die)
    workers, apart = Workers(1), Workers(1, preload=("pytest", "validator.adapters.warmed"))
    alone, told = Apart(apart.run), Told()
    judge = WorkerValidation(workers.run, alone, "basic")
    careful = WorkerValidation(alone, alone, "basic")
    try:
        async with validating(kafka_bootstrap, database, told, judge, careful):
            await alone.stand_by()
            first = [await insert_fetched(database, SAMPLE) for _ in range(6)]
            await announce(kafka_bootstrap, first)
            await told.until(set(first))
            killers = [await insert_fetched(database, KILLER) for _ in range(6)]
            good = [await insert_fetched(database, SAMPLE) for _ in range(60)]
            began = asyncio.get_running_loop().time()
            await announce(kafka_bootstrap, [*killers, *good])
            await told.until(set(good))
            took = max(told.at[row] for row in good) - began
            await told.until(set(killers))
    finally:
        await workers.close()
        await apart.close()
    stands = await database.fetch("SELECT DISTINCT stage, reason, error_message FROM invoices WHERE reason IS NOT NULL")
    assert [tuple(row) for row in stands] == [("failed", "parked", "the document ended its worker process three times")]
    print(f"60 good documents behind 6 killers: {took:.2f} s")
    assert took < 2.0
    assert await database.fetchval("SELECT count(*) FROM suspects") == 0
