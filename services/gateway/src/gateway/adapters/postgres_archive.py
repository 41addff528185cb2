"""Setting failures aside, and taking them back."""

from typing import Any, Literal, TypeAlias

from common.db.pool import Database
from gateway.adapters.failure_selection import everything
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.access import Caller, User
from gateway.domain.failures import Selection

Action: TypeAlias = Literal["archive", "restore"]

_COLUMNS = "id, 'invoice' AS kind", "id, 'record' AS kind"
# What is on its way, or was sent, stays as it is: only failures that nobody works are set aside.
_ROWS = "UPDATE invoices SET archived_at = {} WHERE id = ANY($1::uuid[]) AND status = 'failed' AND archived_at {}"
_INVOICES = {"archive": _ROWS.format("now()", "IS NULL"), "restore": _ROWS.format("NULL", "IS NOT NULL")}
_RECORDS = """
UPDATE dead_letters SET status = $2, version = version + 1, updated_at = now(),
    resolution = jsonb_build_object('action', $4::text, 'reason', $5::text, 'user_id', $6::text)
WHERE id = ANY($1::uuid[]) AND status = $3
"""
_OF = {"archive": ("dead", "archived"), "restore": ("archived", "dead")}


class PostgresArchive:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def archive(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        return await self._set("archive", chosen, reason, user, caller)

    async def restore(self, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        return await self._set("restore", chosen, reason, user, caller)

    async def _set(self, action: Action, chosen: Selection, reason: str, user: User, caller: Caller) -> int:
        values: list[Any] = []
        sql = everything(chosen, values, columns=_COLUMNS)
        async with self._database.transaction() as connection:
            found = await connection.fetch(f"SELECT id, kind FROM ({sql}) AS chosen ORDER BY id", *values)
            rows = [row["id"] for row in found if row["kind"] == "invoice"]
            letters = [row["id"] for row in found if row["kind"] == "record"]
            await connection.execute("SELECT id FROM invoices WHERE id = ANY($1) ORDER BY id FOR UPDATE", rows)
            done = [await connection.execute(_INVOICES[action], rows)]
            of, to = _OF[action]
            done.append(await connection.execute(_RECORDS, letters, to, of, action, reason, str(user.id)))
            number = sum(int(tag.rsplit(" ", 1)[1]) for tag in done)
            await write_audit(
                connection,
                action=f"failed.{action}",
                user_id=user.id,
                caller=caller,
                resource=("failed_message", chosen.ids[0] if chosen.ids and len(chosen.ids) == 1 else None),
                details={"reason": reason, "number": number, "ids": [str(row["id"]) for row in found[:1000]]},
            )
        return number
