"""Sweepers on the real database: each row to one of them, and older announcements come too late."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from common.db.moves import apply_moves
from common.db.pool import Database
from common.db.sweeper import Key, Sweep, Sweeper
from common.errors import RowFault
from common.invoice.move import Move
from common.invoice.stage import Stage
from tests.integration.common.rows import insert_row

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
    worked = Worked()
    await Sweeper(database, (), service="test").once(Sweep(Stage.FETCHED, worked))
    assert worked.keys == [(row, 2)]
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
        raise RowFault("22021")

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
