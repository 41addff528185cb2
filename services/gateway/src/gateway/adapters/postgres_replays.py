"""Replays in PostgreSQL: placed with their frozen items, rehearsed, controlled."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal
from uuid import UUID

from common.db.pool import Connection, Database
from gateway.adapters.failure_selection import everything
from gateway.adapters.postgres_audit import write_audit
from gateway.adapters.replay_records import record_json
from gateway.domain.access import Caller, User
from gateway.domain.failures import Selection
from gateway.domain.faults import IdempotencyKeyReused, NotAllowedNow
from gateway.domain.replays import MOST_ITEMS, PlacedReplay, ReplayReceipt, Terms, Window
from gateway.replay.ports import ReadRecord
from gateway.replay.topics import subject

_INSERT = """
INSERT INTO replays (id, state, selection, reason, user_id, idempotency_key, fingerprint, total, canary,
    canary_seconds, rate, abort_share)
VALUES ($1, 'running', $2, $3, $4, $5, $6, 0, $7, $8, $9, $10)
"""
_FREEZE = """
INSERT INTO replay_items (replay_id, position, kind, item_id, version)
SELECT {replay}, row_number() OVER (ORDER BY at, id) - 1, kind, id, version FROM ({chosen}) AS chosen
ORDER BY at, id LIMIT {limit}
"""
_COLUMNS = (
    "id, 'invoice' AS kind, version, processed_at AS at",
    "id, 'record' AS kind, version, created_at AS at",
)
_MISSING = """
INSERT INTO replay_items (replay_id, position, kind, item_id, version)
SELECT $1, $3 + row_number() OVER (ORDER BY t.id) - 1, 'invoice', t.id, 0 FROM unnest($2::uuid[]) AS t(id)
WHERE NOT EXISTS (SELECT FROM replay_items i WHERE i.replay_id = $1 AND i.item_id = t.id)
"""
_FREEZE_RECORDS = """
INSERT INTO replay_items (replay_id, position, kind, item_id, version, record)
SELECT $1, t.place - 1, 'announcement', t.id, t.version, t.record::jsonb
FROM unnest($2::uuid[], $3::int[], $4::text[]) WITH ORDINALITY AS t(id, version, record, place)
"""
_TOTAL = (
    "UPDATE replays SET total = (SELECT count(*) FROM replay_items WHERE replay_id = $1) WHERE id = $1 RETURNING total"
)
_CONTROL = """
UPDATE replays SET state = $2, note = $3, lease_token = NULL, lease_until = NULL, updated_at = now(),
    ended_at = CASE WHEN $2 = 'cancelled' THEN now() END
WHERE id = $1 AND state = ANY($4::text[]) RETURNING id
"""
_FROM = {"running": ["paused"], "paused": ["running"], "cancelled": ["running", "paused"]}
_ACTIONS = {"running": "replays.resume", "paused": "replays.pause", "cancelled": "replays.cancel"}


class PostgresReplays:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(self, placed: PlacedReplay) -> ReplayReceipt:
        assert isinstance(placed.order.source, Selection)  # noqa: S101 - the story tells the two apart
        async with self._database.transaction() as connection:
            if (earlier := await _earlier(connection, placed)) is not None:
                return earlier
            await _insert(connection, placed)
            await _freeze(connection, placed, placed.order.source)
            return await _finish(connection, placed)

    async def place_window(self, placed: PlacedReplay, records: Sequence[ReadRecord]) -> ReplayReceipt:
        window = placed.order.source
        assert isinstance(window, Window)  # noqa: S101 - the story tells the two apart
        async with self._database.transaction() as connection:
            if (earlier := await _earlier(connection, placed)) is not None:
                return earlier
            await _insert(connection, placed)
            known = [(record, found) for record in records if (found := subject(record)) is not None]
            await connection.execute(
                _FREEZE_RECORDS,
                placed.id,
                [found.id for _, found in known],
                [found.version for _, found in known],
                [record_json(record, window.topic) for record, _ in known],
            )
            return await _finish(connection, placed)

    async def control(
        self, replay_id: UUID, to: Literal["running", "paused", "cancelled"], *, reason: str, user: User, caller: Caller
    ) -> bool:
        async with self._database.transaction() as connection:
            if await connection.fetchval(_CONTROL, replay_id, to, reason, _FROM[to]) is None:
                return False
            await write_audit(
                connection,
                action=_ACTIONS[to],
                user_id=user.id,
                caller=caller,
                resource=("replay", replay_id),
                details={"reason": reason},
            )
            return True


async def _earlier(connection: Connection, placed: PlacedReplay) -> ReplayReceipt | None:
    """The replay of an earlier request with this key; two with one key take turns from here to their commit."""
    if (key := placed.idempotency_key) is None:
        return None
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", f"{placed.user.id}/{key}")
    row = await connection.fetchrow(
        "SELECT id, total, fingerprint FROM replays WHERE user_id = $1 AND idempotency_key = $2", placed.user.id, key
    )
    if row is None:
        return None
    if row["fingerprint"] != placed.order.fingerprint:
        raise IdempotencyKeyReused
    return ReplayReceipt(row["id"], row["total"], replayed=True)


async def _insert(connection: Connection, placed: PlacedReplay) -> None:
    order, terms = placed.order, placed.order.terms
    await connection.execute(
        _INSERT,
        placed.id,
        order.selection,
        order.reason,
        placed.user.id,
        placed.idempotency_key,
        order.fingerprint,
        terms.canary,
        terms.canary_seconds,
        terms.rate,
        terms.abort_share,
    )


async def _freeze(connection: Connection, placed: PlacedReplay, chosen: Selection) -> None:
    values: list[Any] = []
    sql = everything(chosen, values, columns=_COLUMNS)
    values += [placed.id, placed.order.limit or MOST_ITEMS + 1]
    freeze = _FREEZE.format(chosen=sql, replay=f"${len(values) - 1}::uuid", limit=f"${len(values)}")
    await connection.execute(freeze, *values)
    if chosen.ids is not None:  # what is not there is an item too, whose outcome says so
        await connection.execute(_MISSING, placed.id, list(chosen.ids), len(chosen.ids))


async def _finish(connection: Connection, placed: PlacedReplay) -> ReplayReceipt:
    total = await connection.fetchval(_TOTAL, placed.id)
    refuse_size(total)
    await write_audit(
        connection,
        action="replays.start",
        user_id=placed.user.id,
        caller=placed.caller,
        resource=("replay", placed.id),
        details={
            "reason": placed.order.reason,
            "selection": placed.order.selection,
            "terms": asdict(placed.order.terms),
            "total": total,
        },
    )
    return ReplayReceipt(placed.id, total)


def refuse_size(total: int) -> None:
    """Raise NotAllowedNow for nothing at all, and for more than one replay takes."""
    if total == 0:
        raise NotAllowedNow("Nothing fits this selection: there is nothing to replay")
    if total > MOST_ITEMS:
        raise NotAllowedNow(f"More than {MOST_ITEMS} items fit; narrow the selection or give a limit")


def terms_of(row: Any) -> Terms:
    """The terms of a row of `replays`."""
    return Terms(row["canary"], row["canary_seconds"], row["rate"], row["abort_share"])
