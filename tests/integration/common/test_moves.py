"""The one door, on the real database."""

from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.db.moves import apply_moves, clear_wake
from common.db.pool import Database
from common.invoice.move import IllegalMoveError, Move
from common.invoice.stage import Reason, Stage


async def insert_row(database: Database, stage: Stage = Stage.FETCHED, status: str = "pending") -> UUID:
    row_id = SYSTEM_CLOCK.new_id()
    await database.execute(
        """INSERT INTO invoices (id, invoice_id, ubl_data, status, stage, raw_sha256)
           VALUES ($1, $2, '', $3, $4, '')""",
        row_id,
        f"source-{row_id}",
        status,
        stage.value,
    )
    return row_id


async def test_a_move_at_the_rows_version_applies_and_writes_its_event(database: Database) -> None:
    row = await insert_row(database)
    async with database.connection() as connection:
        moved = await apply_moves(connection, [Move(row, 1, Stage.FETCHED, Stage.VALIDATED)], actor="test")
    assert [(m.id, m.version, m.stage) for m in moved] == [(row, 2, Stage.VALIDATED)]
    stored = await database.fetchrow("SELECT stage, status, version FROM invoices WHERE id = $1", row)
    assert stored is not None
    assert tuple(stored) == ("validated", "pending", 2)
    event = await database.fetchrow("SELECT version, stage, actor FROM invoice_events WHERE invoice_id = $1", row)
    assert event is not None
    assert tuple(event) == (2, "validated", "test")


async def test_a_move_at_another_version_changes_nothing(database: Database) -> None:
    row = await insert_row(database)
    async with database.connection() as connection:
        moved = await apply_moves(connection, [Move(row, 7, Stage.FETCHED, Stage.VALIDATED)], actor="test")
    assert moved == []
    assert await database.fetchval("SELECT version FROM invoices WHERE id = $1", row) == 1
    assert await database.fetchval("SELECT count(*) FROM invoice_events WHERE invoice_id = $1", row) == 0


async def test_an_end_sets_status_reason_and_time(database: Database) -> None:
    row = await insert_row(database)
    move = Move(row, 1, Stage.FETCHED, Stage.FAILED, Reason.INVALID, "no line", findings=[{"rule": "X"}])
    async with database.connection() as connection:
        await apply_moves(connection, [move], actor="test")
    stored = await database.fetchrow(
        "SELECT status, reason, error_message, findings, processed_at IS NOT NULL AS done FROM invoices WHERE id = $1",
        row,
    )
    assert stored is not None
    assert tuple(stored) == ("failed", "invalid", "no line", [{"rule": "X"}], True)


def test_a_move_that_is_not_in_the_machine_cannot_be_built() -> None:
    with pytest.raises(IllegalMoveError):
        Move(uuid4(), 1, Stage.SENT, Stage.VALIDATED)


async def test_clearing_the_timer_spares_a_row_that_moved_on(database: Database) -> None:
    row = await insert_row(database)
    async with database.connection() as connection:
        await apply_moves(connection, [Move(row, 1, Stage.FETCHED, Stage.FAILED, Reason.INVALID)], actor="test")
        await clear_wake(connection, [(row, 1)])
        assert await connection.fetchval("SELECT wake_at IS NOT NULL FROM invoices WHERE id = $1", row)
        await clear_wake(connection, [(row, 2)])
        assert await connection.fetchval("SELECT wake_at IS NULL FROM invoices WHERE id = $1", row)
