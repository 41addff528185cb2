"""The rows that the validator works."""

from collections.abc import Sequence

from common.db.moves import OUTCOME_COLUMNS, apply_moves, to_moved
from common.db.pool import Database
from common.invoice.move import Move, Moved
from validator.domain import Document
from validator.ports import Key

_READ = """
SELECT i.id, i.version, i.ubl_data, i.raw
FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
JOIN invoices i ON i.id = t.id AND i.version = t.version
WHERE i.stage = 'fetched'
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
        """The rows that are still fetched at that version."""
        rows = await self._database.fetch(_READ, *_columns(keys))
        return [
            Document(row["id"], row["version"], row["raw"] if row["raw"] is not None else row["ubl_data"].encode())
            for row in rows
        ]

    async def moved_before(self, keys: Sequence[Key]) -> Sequence[Moved]:
        """The rows that stand where this service left them."""
        if not keys:
            return []
        return [to_moved(row) for row in await self._database.fetch(_MOVED_BEFORE, *_columns(keys))]

    async def apply(self, moves: Sequence[Move]) -> Sequence[Moved]:
        """Move rows in one statement."""
        async with self._database.connection() as connection:
            return await apply_moves(connection, moves, actor="validator")


def _columns(keys: Sequence[Key]) -> tuple[list[object], list[int]]:
    return [id_ for id_, _ in keys], [version for _, version in keys]
