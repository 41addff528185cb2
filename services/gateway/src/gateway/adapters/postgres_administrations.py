"""Whose documents are ours, read anew each time: it is asked for by people and by replays only."""

from common.db.pool import Database
from ubl.identity import Direction
from ubl.placing import Ours


class PostgresAdministrations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> Ours:
        rows = await self._database.fetch("SELECT enterprise_number FROM administrations")
        return Ours(frozenset(row["enterprise_number"] for row in rows), None, Direction.SALE)
