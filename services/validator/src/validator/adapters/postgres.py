"""The rows that the validator works."""

from collections.abc import Sequence

from common.db.moves import OUTCOME_COLUMNS, apply_moves, to_moved
from common.db.pool import Database
from common.db.suspects import DEATHS, forget, mark
from common.invoice.move import Move, Moved
from validator.domain import Document
from validator.ports import Key

_READ = """
SELECT i.id, i.version, i.ubl_data, i.raw, i.wake_at < now() + interval '30 s' AS due_soon
FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
JOIN invoices i ON i.id = t.id AND i.version = t.version
WHERE i.stage = 'fetched'
"""

_HOLD = """
UPDATE invoices i SET wake_at = now() + interval '2 min'
FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
WHERE i.id = t.id AND i.version = t.version AND i.stage = 'fetched'
RETURNING i.id
"""
"""A row that waited so long that a sweeper may lease it any moment is held first: nobody shall work it twice."""

_NEXT = """
UPDATE invoices i SET wake_at = now() FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
WHERE i.id = t.id AND i.version = t.version
"""

_MOVED_BEFORE = f"""
SELECT {OUTCOME_COLUMNS}
FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
JOIN invoices i ON i.id = t.id AND i.version = t.version + 1
WHERE i.stage = 'validated' OR (i.stage = 'failed' AND i.wake_at IS NOT NULL)
"""


class PostgresRows:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, keys: Sequence[Key]) -> Sequence[Document]:
        """The rows that are still fetched at that version, and nobody else's meanwhile."""
        rows = await self._database.fetch(_READ, *_columns(keys))
        if soon := [(row["id"], row["version"]) for row in rows if row["due_soon"]]:
            held = {row["id"] for row in await self._database.fetch(_HOLD, *_columns(sorted(soon)))}
            rows = [row for row in rows if not row["due_soon"] or row["id"] in held]
        return [
            Document(row["id"], row["version"], row["raw"] if row["raw"] is not None else row["ubl_data"].encode())
            for row in rows
        ]

    async def moved_before(self, keys: Sequence[Key]) -> Sequence[Moved]:
        """The rows that stand where this service left them."""
        if not keys:
            return []
        return [to_moved(row) for row in await self._database.fetch(_MOVED_BEFORE, *_columns(keys))]

    async def set_aside(self, keys: Sequence[Key]) -> Sequence[Key]:
        """Count that each ended a worker alone and let the sweeper take it next; those that did so too often."""
        async with self._database.transaction() as connection:
            deaths = await mark(connection, [id_ for id_, _ in keys])
            over = [key for key in keys if deaths[key[0]] >= DEATHS]
            await forget(connection, [id_ for id_, _ in over])
            await connection.execute(_NEXT, *_columns(sorted(keys)))
        return over

    async def apply(self, moves: Sequence[Move]) -> Sequence[Moved]:
        """Move rows in one statement."""
        async with self._database.connection() as connection:
            return await apply_moves(connection, moves, actor="validator")


def _columns(keys: Sequence[Key]) -> tuple[list[object], list[int]]:
    return [id_ for id_, _ in keys], [version for _, version in keys]
