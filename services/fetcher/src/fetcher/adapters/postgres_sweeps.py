"""The fetcher's share of due rows: ends that were not announced, and conflicts that may be gone."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from common.db.moves import OUTCOME_COLUMNS, apply_moves, to_moved
from common.db.pool import Connection, Database
from common.db.sweeper import Key, Sweep
from common.invoice.move import Move, Moved
from common.invoice.stage import Reason, Stage
from fetcher.adapters.postgres_keys import lock_holder, take_over
from fetcher.domain import DuplicateOf, ForceRefused, Fresh, Held, judge
from ubl.identity import reference

LOOK_AGAIN_EVERY = timedelta(seconds=15)
"""How often a conflicting version is judged anew, while its holder is on its way."""

Announce = Callable[[Sequence[Moved]], Awaitable[None]]

_ROW = "SELECT version, dossier, dedupe_key, content_sha256, reason FROM invoices WHERE id = $1 AND version = $2"
_REFERENCE = "UPDATE invoices SET generation = $2, reference = $3 WHERE id = $1"


class FetcherSweeps:
    def __init__(self, database: Database, announce: Announce) -> None:
        self._database = database
        self._announce = announce

    def all(self) -> Sequence[Sweep]:
        conflicting = f"reason = '{Reason.CONFLICTING_VERSION}'"
        return (
            Sweep(Stage.FAILED, self.announce_again, f"reason IS DISTINCT FROM '{Reason.REFUSED}'"),
            Sweep(Stage.DUPLICATE, self.announce_again),
            Sweep(Stage.HELD, self.announce_again, f"NOT ({conflicting})"),
            Sweep(Stage.HELD, self.look_again, conflicting, lease=LOOK_AGAIN_EVERY),
        )

    async def announce_again(self, keys: Sequence[Key]) -> None:
        """Announce ends whose first announcement may not have been heard."""
        rows = await self._database.fetch(
            f"""SELECT {OUTCOME_COLUMNS} FROM invoices i
                JOIN unnest($1::uuid[], $2::int[]) AS t(id, version) ON i.id = t.id AND i.version = t.version""",
            [id_ for id_, _ in keys],
            [version for _, version in keys],
        )
        await self._announce([to_moved(row) for row in rows])

    async def look_again(self, keys: Sequence[Key]) -> None:
        """Judge conflicting versions anew: their holder may have failed or been sent since."""
        moved: list[Moved] = []
        for row_id, version in keys:
            async with self._database.transaction() as connection:
                moved += await self._judge_again(connection, row_id, version)
        await self._announce(moved)

    async def _judge_again(self, connection: Connection, row_id: UUID, version: int) -> list[Moved]:
        row = await connection.fetchrow(_ROW, row_id, version)
        if row is None:
            return []
        key = (row["dossier"], row["dedupe_key"])
        holder = await lock_holder(connection, key)
        match judge(row["content_sha256"], holder, force=False):
            case Fresh(generation=generation):
                await take_over(connection, key, row_id, generation)
                new = reference(key[0], key[1], generation, row["content_sha256"])
                await connection.execute(_REFERENCE, row_id, generation, new)
                move = Move(row_id, version, Stage.HELD, Stage.FETCHED)
            case DuplicateOf():
                move = Move(row_id, version, Stage.HELD, Stage.DUPLICATE)
            case Held(reason=Reason.CHANGED_AFTER_SENT):
                move = Move(row_id, version, Stage.HELD, Stage.HELD, Reason.CHANGED_AFTER_SENT,
                            "another version of this invoice was already sent")  # fmt: skip
            case Held() | ForceRefused():
                return []
        return await apply_moves(connection, [move], actor="fetcher")
