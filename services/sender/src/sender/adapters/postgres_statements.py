"""Held rows of which a person gave the uuid, and what became of them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, assert_never

from common.db.corrections import note_corrections
from common.db.moves import apply_moves
from common.db.pool import Connection, Database
from common.db.sweeper import Key, Sweep
from common.invoice.move import Move, Moved
from common.invoice.stage import Reason, Stage
from sender.domain.statements import Believed, Contradicted, NotNow, Reply, Statement

Work = Callable[[Sequence[Key]], Awaitable[None]]

STATED = f"reason = '{Reason.STATED}'"

_STATEMENTS = f"""
SELECT i.id, i.version, i.reference, i.clearfacts_response->'stated'->>'uuid' AS uuid,
    i.clearfacts_response->'stated'->>'by' AS by
FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
JOIN invoices i ON i.id = t.id AND i.version = t.version AND i.stage = 'held' AND i.{STATED}
ORDER BY i.id
"""

_STILL = f"SELECT FROM invoices WHERE id = $1 AND version = $2 AND stage = 'held' AND {STATED} FOR UPDATE"

# Evidence of its own beside the attempts: what one of them proves later is never written over, and two uuids show.
_EVIDENCE = """
INSERT INTO attempts (invoice_id, number, version, reference, lease_until, ended_at, outcome, uuid, response)
VALUES ($1, nextval('attempt_number'), $2, $3, now(), now(), 'accepted', $4, $5)
RETURNING number
"""


def statement_sweep(work: Work) -> Sweep:
    """What finds rows whose uuid a person gave."""
    return Sweep(Stage.HELD, work, STATED)


class PostgresStatements:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def statements(self, keys: Sequence[Key]) -> Sequence[Statement]:
        """Those that still wait at that version."""
        rows = await self._database.fetch(_STATEMENTS, [id_ for id_, _ in keys], [version for _, version in keys])
        return [Statement(**dict(row)) for row in rows]

    async def conclude(self, statement: Statement, reply: Reply) -> Moved | None:
        """Move the row as the reply says; None where it waits on, or moved meanwhile."""
        match reply:
            case NotNow(wait=wait):
                await self._database.execute(
                    "UPDATE invoices SET wake_at = now() + $3::interval WHERE id = $1 AND version = $2",
                    statement.id,
                    statement.version,
                    wait,
                )
                return None
            case Believed():
                return await self._sent(statement, reply)
            case Contradicted(why=why):
                wish = Move(
                    statement.id, statement.version, Stage.HELD, Stage.HELD, Reason.UNKNOWN_OUTCOME, why,
                    details={"uuid": statement.uuid, "stated_by": statement.by},
                )  # fmt: skip
                async with self._database.transaction() as connection:
                    moved = await apply_moves(connection, [wish], actor="sender")
                return moved[0] if moved else None
            case _:
                assert_never(reply)

    async def _sent(self, statement: Statement, reply: Believed) -> Moved | None:
        said = {"uuid": reply.uuid, "stated_by": statement.by, "read_back": reply.read_back}
        async with self._database.transaction() as connection:
            if await connection.fetchrow(_STILL, statement.id, statement.version) is None:
                return None
            number = await _note_evidence(connection, statement, reply, said)
            wish = Move(
                statement.id, statement.version, Stage.HELD, Stage.SENT, maybe_sent=False, response=said,
                details={"attempt": number, **said},
            )  # fmt: skip
            [moved] = await apply_moves(connection, [wish], actor="sender")
            await note_corrections(connection, [statement.id])
        return replace(moved, attempt=number, uuid=reply.uuid)


async def _note_evidence(connection: Connection, statement: Statement, reply: Believed, said: dict[str, Any]) -> int:
    number: int = await connection.fetchval(
        _EVIDENCE, statement.id, statement.version, statement.reference, reply.uuid, said
    )
    return number
