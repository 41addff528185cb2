"""The fetcher's share of due rows: ends that were not announced, and conflicts that may be gone."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from common.db.corrections import note_corrections
from common.db.moves import OUTCOME_COLUMNS, apply_moves, to_moved
from common.db.pool import Connection, Database
from common.db.sweeper import Key, Sweep
from common.errors import ClearfactsError
from common.invoice.move import Move, Moved
from common.invoice.stage import FAILED_AT_SENDING, WORKED_WHILE_HELD, Reason, Stage
from fetcher.adapters.postgres_keys import explain, lock_holder, take_over
from fetcher.domain import DuplicateOf, ForceRefused, Fresh, Held, judge
from ubl.identity import reference

log = structlog.get_logger()

LOOK_AGAIN_EVERY = timedelta(seconds=5)
"""How often a conflicting version is judged anew, while its holder is on its way."""

Announce = Callable[[Sequence[Moved]], Awaitable[None]]


def _any_but(reasons: Iterable[Reason]) -> str:
    named = ", ".join(f"'{reason}'" for reason in sorted(reasons))
    return f"reason IS NULL OR reason NOT IN ({named})"


# Locked first: who takes over a key must still be there to use it.
_ROW = """
SELECT i.dossier, i.dedupe_key, i.content_sha256, j.cancelled_at IS NOT NULL AS cancelled
FROM invoices i LEFT JOIN jobs j ON j.id = i.job_id WHERE i.id = $1 AND i.version = $2 FOR UPDATE OF i
"""
_GOES_ON = "UPDATE invoices SET generation = $2, reference = $3, duplicate_of = NULL WHERE id = $1"
_DUPLICATE = "UPDATE invoices SET duplicate_of = $2 WHERE id = $1"


class FetcherSweeps:
    def __init__(self, database: Database, announce: Announce) -> None:
        self._database = database
        self._announce = announce

    def all(self) -> Sequence[Sweep]:
        conflicting = f"reason = '{Reason.CONFLICTING_VERSION}'"
        return (
            Sweep(Stage.FAILED, self.announce_again, _any_but(FAILED_AT_SENDING)),
            Sweep(Stage.DUPLICATE, self.announce_again),
            Sweep(Stage.HELD, self.announce_again, _any_but(WORKED_WHILE_HELD)),
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
            try:
                async with self._database.transaction() as connection:
                    moved += await self._judge_again(connection, row_id, version)
            except ClearfactsError as error:  # the others need not wait for it
                log.warning("not_judged_again", invoice=str(row_id), error=str(error))
        await self._announce(moved)

    async def _judge_again(self, connection: Connection, row_id: UUID, version: int) -> list[Moved]:
        row = await connection.fetchrow(_ROW, row_id, version)
        if row is None:
            return []
        key = (row["dossier"], row["dedupe_key"])
        move: Move
        match judge(row["content_sha256"], await lock_holder(connection, key), force=False):
            case Fresh() if row["cancelled"]:
                move = Move(row_id, version, Stage.HELD, Stage.FAILED, Reason.CANCELLED, "its job was cancelled")
            case Fresh(generation=generation):
                await take_over(connection, key, row_id, generation)
                new = reference(key[0], key[1], generation, row["content_sha256"])
                await connection.execute(_GOES_ON, row_id, generation, new)
                move = Move(row_id, version, Stage.HELD, Stage.FETCHED)
            case DuplicateOf(holder=holder):
                await connection.execute(_DUPLICATE, row_id, holder)
                move = Move(row_id, version, Stage.HELD, Stage.DUPLICATE)
            case Held(reason=Reason.CHANGED_AFTER_SENT as reason):
                move = Move(row_id, version, Stage.HELD, Stage.HELD, reason, explain(reason))
            case Held() | ForceRefused():
                return []
        if move.to is not Stage.HELD:
            await note_corrections(connection, [row_id])
        return await apply_moves(connection, [move], actor="fetcher")
