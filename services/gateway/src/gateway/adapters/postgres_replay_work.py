"""The worker's side of replays: leases, and the one transaction in which items move."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from common.db.corrections import note_corrections
from common.db.pool import Connection, Database
from common.errors import RowFault
from gateway.adapters.postgres_replays import terms_of
from gateway.adapters.replay_items import Item, Taken, mark, read_items, take
from gateway.adapters.replay_records import to_letter
from gateway.domain.replays import ItemRefusal, Outcome, Progress, Stop
from gateway.replay.ports import Leased, LeaseLost, Letter, Started, Unplaced
from ubl.identity import Identity
from ubl.placing import Ours
from ubl.safe import MalformedDocument

WATCHED = 500
"""The latest items whose ends decide whether a replay goes on."""

_LEASE = """
UPDATE replays SET lease_token = $1, lease_until = now() + $2, updated_at = now()
WHERE id = (
    SELECT id FROM replays WHERE state = 'running' AND (lease_until IS NULL OR lease_until < now())
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, user_id, reason, canary, canary_seconds, rate, abort_share
"""
_HOLD = """
UPDATE replays SET lease_until = now() + $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'
RETURNING canary_passed_at
"""
# A record has no row to look at: it is well where no new dead letter has come back within five seconds.
_PROGRESS = f"""
WITH latest AS MATERIALIZED (
    SELECT t.kind, t.item_id, t.moved_version, t.done_at FROM replay_items t
    WHERE t.replay_id = $1 AND t.outcome IN ('moved', 'republished') ORDER BY t.position DESC LIMIT {WATCHED}
),
looked AS MATERIALIZED (
    SELECT latest.done_at,
        again.id IS NOT NULL OR (i.version > latest.moved_version AND i.status = 'failed') AS failed,
        CASE latest.kind WHEN 'invoice' THEN i.version > latest.moved_version AND i.status <> 'pending'
            ELSE again.id IS NOT NULL OR latest.done_at < now() - interval '5 seconds' END AS ended
    FROM latest
    LEFT JOIN invoices i ON latest.kind = 'invoice' AND i.id = latest.item_id
    LEFT JOIN LATERAL (
        SELECT d.id FROM dead_letters d WHERE latest.kind = 'record' AND d.headers ? 'x-replay-of'
            AND d.headers->>'x-replay-of' = latest.item_id::text AND d.headers->>'x-replay-id' = $1::uuid::text LIMIT 1
    ) AS again ON true
)
SELECT
    (SELECT count(*) FROM replay_items WHERE replay_id = $1 AND state = 'waiting') AS waiting,
    (SELECT count(*) FROM replay_items WHERE replay_id = $1 AND outcome IN ('moved', 'republished')) AS moved,
    count(*) FILTER (WHERE NOT ended) AS open, count(*) FILTER (WHERE ended) AS ended,
    count(*) FILTER (WHERE failed) AS failed_again, max(done_at) AS canary_began_at
FROM looked
"""
_UNPLACED = """
SELECT i.id, i.invoice_id, i.ubl_data, i.raw FROM (
    SELECT kind, item_id FROM replay_items WHERE replay_id = $1 AND state = 'waiting' ORDER BY position LIMIT $2
) AS t
JOIN invoices i ON i.id = t.item_id
WHERE t.kind = 'invoice' AND i.stage = 'failed' AND (i.dossier IS NULL OR i.dedupe_key IS NULL)
"""
_HALF_DONE = """
SELECT t.position, t.item_id, t.record, d.topic, d.record_key, d.value, d.headers
FROM replay_items t LEFT JOIN dead_letters d ON t.kind = 'record' AND d.id = t.item_id
WHERE t.replay_id = $1 AND t.state = 'started' ORDER BY t.position
"""
_PUBLISHED = """
WITH letters AS (
    UPDATE dead_letters SET status = 'replayed', version = version + 1, updated_at = now()
    WHERE id = ANY($2::uuid[]) AND replay_id = $1 AND status = 'replaying'
)
UPDATE replay_items SET state = 'done', outcome = 'republished', done_at = now()
WHERE replay_id = $1 AND position = ANY($3::int[]) AND state = 'started'
"""
_STOP = """
UPDATE replays SET state = $3, note = $4, lease_token = NULL, lease_until = NULL, updated_at = now(),
    canary_passed_at = CASE WHEN $5 THEN now() ELSE canary_passed_at END,
    ended_at = CASE WHEN $3 = 'paused' THEN NULL ELSE now() END
WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING id
"""


class PostgresReplayWork:
    def __init__(self, database: Database, *, lease: timedelta) -> None:
        self._database = database
        self._lease = lease

    async def lease(self, token: UUID) -> Leased | None:
        row = await self._database.fetchrow(_LEASE, token, self._lease)
        return Leased(row["id"], token, row["user_id"], row["reason"], terms_of(row)) if row else None

    async def progress(self, leased: Leased) -> Progress:
        async with self._database.connection() as connection:
            passed = await self._hold(connection, leased)
            row = await connection.fetchrow(_PROGRESS, leased.id)
            assert row is not None  # noqa: S101 - counts are one row
            return Progress(**dict(row), canary_passed=passed)

    async def unplaced(self, leased: Leased, most: int) -> Sequence[Unplaced]:
        rows = await self._database.fetch(_UNPLACED, leased.id, most)
        return [
            Unplaced(row["id"], row["invoice_id"], row["raw"] if row["raw"] is not None else row["ubl_data"].encode())
            for row in rows
        ]

    async def start(
        self, leased: Leased, most: int, places: Mapping[UUID, Identity | MalformedDocument], ours: Ours
    ) -> Started:
        items = await read_items(self._database, leased.id, most)
        try:
            return await self._start(leased, items, places, ours)
        except RowFault as fault:
            if len(items) == 1:
                return await self._refuse(leased, items[0], fault)
        done = [await self.start(leased, 1, places, ours) for _ in items]
        return Started(
            [moved for one in done for moved in one.moved], [letter for one in done for letter in one.letters]
        )

    async def _start(
        self,
        leased: Leased,
        items: Sequence[Item],
        places: Mapping[UUID, Identity | MalformedDocument],
        ours: Ours,
    ) -> Started:
        async with self._database.transaction() as connection:
            taken = await take(connection, leased, items, places, ours)
            await mark(connection, leased.id, taken)
            await note_corrections(connection, [moved.id for moved in taken.moved])
            await self._hold(connection, leased)  # rows first, then their replay: whoever lost it takes all back
        return Started(taken.moved, taken.letters)

    async def _refuse(self, leased: Leased, item: Item, fault: RowFault) -> Started:
        refusal = ItemRefusal(item.item_id, Outcome.REFUSED, f"the database refuses it: {fault}"[:500])
        async with self._database.transaction() as connection:
            await mark(connection, leased.id, Taken(refused={item.position: refusal}))
            await self._hold(connection, leased)
        return Started()

    async def half_done(self, leased: Leased) -> Sequence[Letter]:
        return [
            to_letter(row["position"], row["item_id"], row["record"])
            if row["record"] is not None
            else Letter(row["position"], row["item_id"], row["topic"], row["record_key"], row["value"], row["headers"])
            for row in await self._database.fetch(_HALF_DONE, leased.id)
        ]

    async def published(self, leased: Leased, letters: Sequence[Letter]) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                _PUBLISHED, leased.id, [letter.item_id for letter in letters], [letter.position for letter in letters]
            )
            await self._hold(connection, leased)

    async def pass_canary(self, leased: Leased) -> None:
        await self._database.execute(
            "UPDATE replays SET canary_passed_at = now() WHERE id = $1 AND lease_token = $2", leased.id, leased.token
        )

    async def stop(self, leased: Leased, step: Stop) -> None:
        values = leased.id, leased.token, step.state, step.note, step.canary_passed
        if await self._database.fetchval(_STOP, *values) is None:
            raise LeaseLost

    async def _hold(self, connection: Connection, leased: Leased) -> bool:
        """Renew the lease; whether the canary has passed. Raises LeaseLost."""
        row = await connection.fetchrow(_HOLD, leased.id, leased.token, self._lease)
        if row is None:
            raise LeaseLost
        return row["canary_passed_at"] is not None
