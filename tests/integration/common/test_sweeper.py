"""Sweepers on the real database: each row to one of them, and older announcements come too late."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from common.db.moves import apply_moves
from common.db.pool import Database
from common.db.postgres_alerts import PostgresAlerts
from common.db.sweeper import Key, Sweep, Sweeper
from common.errors import InfrastructureError, RowFault
from common.invoice.move import Move
from common.invoice.stage import Stage
from common.isolation import Isolation
from common.storm import CONSECUTIVE
from tests.integration.common.rows import insert_row
from tests.support.readings import reading

pytestmark = pytest.mark.stack

LONG_AGO = timedelta(minutes=1)


class Worked:
    def __init__(self) -> None:
        self.keys: list[Key] = []

    async def __call__(self, keys: Sequence[Key]) -> None:
        self.keys += keys


async def test_two_sweepers_never_lease_the_same_row(database: Database) -> None:
    for _ in range(60):
        await insert_row(database, due=LONG_AGO)
    worked = [Worked(), Worked(), Worked()]

    async def sweep(work: Worked) -> None:
        sweeper = Sweeper(database, (), service="test", batch=7)
        while await sweeper.once(Sweep(Stage.FETCHED, work)):
            pass

    await asyncio.gather(*map(sweep, worked))
    leased = [row for one in worked for row, _ in one.keys]
    assert len(leased) == len(set(leased)) == 60
    assert all(version == 2 for one in worked for _, version in one.keys)


async def test_an_announcement_that_is_older_than_the_lease_finds_the_row_taken(database: Database) -> None:
    row = await insert_row(database, due=LONG_AGO)
    worked, before = Worked(), reading("swept_rows_total", service="test", stage="fetched")
    await Sweeper(database, (), service="test").once(Sweep(Stage.FETCHED, worked))
    assert worked.keys == [(row, 2)]
    assert reading("swept_rows_total", service="test", stage="fetched") == before + 1
    async with database.connection() as connection:
        late = await apply_moves(connection, [Move(row, 1, Stage.FETCHED, Stage.VALIDATED)], actor="handler")
        mine = await apply_moves(connection, [Move(row, 2, Stage.FETCHED, Stage.VALIDATED)], actor="sweeper")
    assert (late, [moved.id for moved in mine]) == ([], [row])


async def test_a_leased_row_is_not_due_until_its_lease_ends(database: Database) -> None:
    await insert_row(database, due=LONG_AGO)
    sweeper = Sweeper(database, (), service="test", lease=timedelta(milliseconds=80))
    sweep = Sweep(Stage.FETCHED, Worked())
    assert [len(await sweeper.once(sweep)), len(await sweeper.once(sweep))] == [1, 0]
    await asyncio.sleep(0.1)
    assert len(await sweeper.once(sweep)) == 1


async def test_only_due_rows_of_the_stage_and_condition_are_taken(database: Database) -> None:
    due = await insert_row(database, Stage.FAILED, due=LONG_AGO, reason="refused")
    await insert_row(database, Stage.FAILED, due=LONG_AGO, reason="invalid")
    await insert_row(database, Stage.FAILED, due=-LONG_AGO, reason="refused")
    await insert_row(database, Stage.FAILED, reason="refused")
    await insert_row(database, Stage.SENT, due=LONG_AGO, reason="refused")
    worked = Worked()
    await Sweeper(database, (), service="test").once(Sweep(Stage.FAILED, worked, "reason = 'refused'"))
    assert [row for row, _ in worked.keys] == [due]


async def test_a_sweep_that_fails_leaves_its_rows_for_later_and_the_other_sweeps_go_on(database: Database) -> None:
    await insert_row(database, Stage.SENDING, due=LONG_AGO)
    row = await insert_row(database, Stage.UNKNOWN, due=LONG_AGO)

    async def fail(_: Sequence[Key]) -> None:
        raise InfrastructureError("kafka")

    worked = Worked()
    sweeper = Sweeper(
        database,
        [Sweep(Stage.SENDING, fail), Sweep(Stage.UNKNOWN, worked)],
        service="test",
        every=timedelta(milliseconds=10),
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sweeper.run())
        async with asyncio.timeout(5):
            while not worked.keys:
                await asyncio.sleep(0.01)
        running.cancel()
    assert worked.keys == [(row, 2)]
    assert await database.fetchval("SELECT count(*) FROM invoices WHERE stage = 'sending' AND wake_at > now()") == 1


async def test_many_batches_are_swept_in_one_round(database: Database) -> None:
    rows: set[UUID] = {await insert_row(database, due=LONG_AGO) for _ in range(25)}
    worked = Worked()
    sweeper = Sweeper(database, [Sweep(Stage.FETCHED, worked)], service="test", every=timedelta(hours=1), batch=10)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sweeper.run())
        async with asyncio.timeout(5):
            while len(worked.keys) < 25:
                await asyncio.sleep(0.01)
        running.cancel()
    assert {row for row, _ in worked.keys} == rows


async def test_a_row_that_fails_alone_is_parked_and_its_batch_is_worked(database: Database) -> None:
    rows = [await insert_row(database, due=LONG_AGO) for _ in range(20)]
    worked, parked = Worked(), list[tuple[UUID, str]]()

    async def work(keys: Sequence[Key]) -> None:
        if any(row == rows[7] for row, _ in keys):
            raise KeyError("a defect")
        await worked(keys)

    async def park(key: Key, cause: str) -> None:
        parked.append((key[0], cause))

    await Sweeper(database, (), service="test").once(Sweep(Stage.FETCHED, work, park=park))
    assert {row for row, _ in worked.keys} == set(rows) - {rows[7]}
    assert [row for row, _ in parked] == [rows[7]]
    assert parked[0][1].startswith("an unexpected error: KeyError at test_sweeper.py")


async def test_a_row_that_fails_where_nobody_can_end_it_is_left_to_its_lease_and_stops_nobody(
    database: Database,
) -> None:
    rows = [await insert_row(database, Stage.SENT, due=LONG_AGO) for _ in range(5)]
    worked = Worked()

    async def work(keys: Sequence[Key]) -> None:
        if any(row == rows[2] for row, _ in keys):
            raise RowFault("22021")
        await worked(keys)

    await Sweeper(database, (), service="test").once(Sweep(Stage.SENT, work))
    assert {row for row, _ in worked.keys} == set(rows) - {rows[2]}
    assert await database.fetchval("SELECT version FROM invoices WHERE id = $1", rows[2]) == 2


class Killed(BaseException):
    """The process ends in the middle: nothing after it runs."""


async def test_a_row_that_ends_its_process_is_taken_alone_and_parked_after_three_deaths(database: Database) -> None:
    rows = [await insert_row(database, due=LONG_AGO) for _ in range(10)]
    killer, worked, parked, sizes = rows[4], Worked(), list[tuple[UUID, str]](), list[int]()

    async def work(keys: Sequence[Key]) -> None:
        if any(row == killer for row, _ in keys):
            sizes.append(len(keys))
            raise Killed
        await worked(keys)
        await database.execute("UPDATE invoices SET wake_at = NULL WHERE id = ANY($1)", [row for row, _ in keys])

    async def park(key: Key, cause: str) -> None:
        parked.append((key[0], cause))

    async def one_life() -> bool:
        try:
            await Sweeper(database, (), service="test").once(Sweep(Stage.FETCHED, work, park=park))
        except Killed:
            await database.execute("UPDATE invoices SET wake_at = now() WHERE wake_at IS NOT NULL")
            return True
        return False

    deaths = 0
    while await one_life():
        deaths += 1
        assert deaths < 10
    assert parked == [(killer, "its process ended three times with it alone in hand")]
    assert sizes == [10, 10, 1, 1, 1]
    assert {row for row, _ in worked.keys} >= set(rows) - {killer}
    assert await database.fetchval("SELECT count(*) FROM suspects") == 0


async def test_a_suspect_that_passes_is_no_suspect_any_more(database: Database) -> None:
    row = await insert_row(database, due=LONG_AGO)
    await database.execute("UPDATE invoices SET version = 5 WHERE id = $1", row)
    worked = Worked()

    async def park(key: Key, cause: str) -> None:
        raise AssertionError(f"{key} was parked: {cause}")

    await Sweeper(database, (), service="test").once(Sweep(Stage.FETCHED, worked, park=park))
    assert worked.keys == [(row, 6)]
    assert await database.fetchval("SELECT count(*) FROM suspects") == 0


async def test_in_a_storm_one_row_is_probed_and_nothing_more_is_parked(database: Database) -> None:
    rows = {await insert_row(database, due=LONG_AGO) for _ in range(60)}
    worked, parked, defect = Worked(), set[UUID](), True

    async def work(keys: Sequence[Key]) -> None:
        if defect:
            raise ZeroDivisionError("a bad deploy")
        await worked(keys)
        await database.execute("UPDATE invoices SET wake_at = NULL WHERE id = ANY($1)", [row for row, _ in keys])

    async def park(key: Key, cause: str) -> None:
        assert cause
        parked.add(key[0])
        await database.execute("UPDATE invoices SET wake_at = NULL WHERE id = $1", key[0])

    sweep = Sweep(Stage.FETCHED, work, park=park, isolation=Isolation("test", alerts=PostgresAlerts(database)))
    sweeper = Sweeper(database, [sweep], service="test", every=timedelta(milliseconds=50))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sweeper.run())
        await asyncio.sleep(4.0)
        assert len(parked) == CONSECUTIVE
        assert await database.fetchval("SELECT count(*) FROM alerts WHERE kind = 'storm' AND closed_at IS NULL") == 1
        defect = False
        async with asyncio.timeout(20):
            while len({row for row, _ in worked.keys}) < len(rows) - CONSECUTIVE:
                await asyncio.sleep(0.05)
        running.cancel()
    assert {row for row, _ in worked.keys} | parked == rows
    assert await database.fetchval("SELECT count(*) FROM alerts WHERE kind = 'storm' AND closed_at IS NULL") == 0
