"""Edits in PostgreSQL: a new version beside the original, and the row or record that has it."""

from collections.abc import Sequence
from uuid import UUID

from common.db.moves import apply_moves
from common.db.pool import Connection, Database
from common.invoice.move import Move, Moved
from common.invoice.stage import Stage
from gateway.adapters.postgres_audit import write_audit
from gateway.adapters.postgres_filing import file
from gateway.adapters.replay_facts import lock_rows, row_facts
from gateway.domain.access import Caller, User
from gateway.domain.editing import Edit, Edited, Target
from gateway.domain.failures import Kind
from gateway.domain.faults import NotAllowedNow
from gateway.domain.replays import ItemRefusal
from gateway.replay.judging import judge_row
from ubl.placing import Placed

_ROW = "SELECT id, invoice_id, dossier, ubl_data, raw FROM invoices WHERE id = $1"
_RECORD = "SELECT id, topic, value FROM dead_letters WHERE id = $1"
_ORIGINAL = """
INSERT INTO document_versions (item_id, number, content) SELECT id, 0, {content} FROM {table} WHERE id = $1
ON CONFLICT DO NOTHING
"""
_ROWS_ORIGINAL = _ORIGINAL.format(content="coalesce(raw, convert_to(ubl_data, 'UTF8'))", table="invoices")
_RECORDS_ORIGINAL = _ORIGINAL.format(content="value", table="dead_letters AS letters")
_VERSION = """
INSERT INTO document_versions (item_id, number, content, diff, user_id, reason)
SELECT $1, max(number) + 1, $2, $3, $4, $5 FROM document_versions WHERE item_id = $1 RETURNING number
"""
# The hash of the bytes that the source listed stays: listed again, they are known.
_BODY = "UPDATE invoices SET ubl_data = $2, raw = $3, updated_at = now() WHERE id = $1"
_VALUE = """
UPDATE dead_letters SET value = $3, version = version + 1, updated_at = now(),
    resolution = jsonb_build_object('action', 'edit', 'reason', $4::text, 'user_id', $5::text)
WHERE id = $1 AND version = $2 AND status = 'dead' RETURNING version
"""


class PostgresEdits:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def target(self, item_id: UUID) -> Target | None:
        if (row := await self._database.fetchrow(_ROW, item_id)) is not None:
            content = row["raw"] if row["raw"] is not None else row["ubl_data"].encode()
            return Target(item_id, Kind.INVOICE, content, row["invoice_id"], row["dossier"], None)
        if (row := await self._database.fetchrow(_RECORD, item_id)) is not None:
            return Target(item_id, Kind.RECORD, row["value"], "", None, row["topic"])
        return None

    async def edit_row(
        self, item_id: UUID, edit: Edit, placed: Placed, diff: str, user: User, caller: Caller
    ) -> tuple[Edited, Sequence[Moved]]:
        async with self._database.transaction() as connection:
            await lock_rows(connection, [item_id])
            row = (await row_facts(connection, [item_id])).get(item_id)
            verdict = judge_row(item_id, edit.version, row)
            if isinstance(verdict, ItemRefusal) or row is None:
                why = verdict.why if isinstance(verdict, ItemRefusal) else "it is gone"
                raise NotAllowedNow(f"It cannot be edited: {why}")
            if (holder := await file(connection, item_id, placed)) != item_id:
                raise NotAllowedNow(f"Row {holder} is this invoice already: it has the key {placed.key}")
            number = await _store(connection, _ROWS_ORIGINAL, item_id, edit, diff, user)
            await connection.execute(_BODY, item_id, *_columns(edit.content))
            moved: Sequence[Moved] = ()
            if edit.replay:
                details = {"replay": "edit", "edit": number, "reason": edit.reason}
                move = Move(item_id, row.version, Stage.FAILED, Stage.FETCHED, details=details)
                moved = await apply_moves(connection, [move], actor=str(user.id))
            await _audit(connection, item_id, edit, number, user, caller)
        return Edited(item_id, number, diff, moved[0].version if moved else None), moved

    async def edit_record(self, item_id: UUID, edit: Edit, diff: str, user: User, caller: Caller) -> Edited:
        async with self._database.transaction() as connection:
            await connection.execute(_RECORDS_ORIGINAL, item_id)
            values = item_id, edit.version, edit.content, edit.reason, str(user.id)
            if await connection.fetchval(_VALUE, *values) is None:
                raise NotAllowedNow("It cannot be edited: it was changed, replayed or archived since you looked")
            number = await _store(connection, _RECORDS_ORIGINAL, item_id, edit, diff, user)
            await _audit(connection, item_id, edit, number, user, caller)
        return Edited(item_id, number, diff)


async def _store(connection: Connection, original: str, item_id: UUID, edit: Edit, diff: str, user: User) -> int:
    await connection.execute(original, item_id)
    number: int = await connection.fetchval(_VERSION, item_id, edit.content, diff, user.id, edit.reason)
    return number


async def _audit(connection: Connection, item_id: UUID, edit: Edit, number: int, user: User, caller: Caller) -> None:
    await write_audit(
        connection,
        action="failed.edit",
        user_id=user.id,
        caller=caller,
        resource=("failed_message", item_id),
        details={"reason": edit.reason, "number": number, "replay": edit.replay},
    )


def _columns(content: bytes) -> tuple[str, bytes | None]:
    """`ubl_data` where PostgreSQL can hold it as text, else `raw`."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "", content
    return ("", content) if "\x00" in text else (text, None)
