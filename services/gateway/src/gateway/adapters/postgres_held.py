"""Held invoices in PostgreSQL: reading them, and the one transaction that resolves one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.db.corrections import note_corrections
from common.db.moves import apply_moves
from common.db.pool import Connection, Database, Row
from common.invoice.move import Moved
from common.invoice.stage import STATUS, Stage
from gateway.adapters.conditions import Conditions
from gateway.adapters.invoice_versions import HOLDER, Versions
from gateway.adapters.postgres_audit import write_audit
from gateway.adapters.postgres_invoices import (
    ATTEMPTS,
    EVENTS,
    MOST_ENTRIES,
    SUMMARY,
    read_attempt,
    read_event,
    summary,
)
from gateway.adapters.ubl_comparison import Comparing
from gateway.domain.faults import IdempotencyKeyReused, NotAllowedNow, NotFound
from gateway.domain.held import (
    Decision,
    Evidence,
    HeldDetail,
    HeldFilter,
    HeldSummary,
    Resolution,
    Resolved,
    choices,
    move,
    objection,
)

_HELD_COLUMNS = f"""{", ".join(f"i.{name}" for name in SUMMARY)}, i.error_message, i.maybe_sent,
    coalesce(i.processed_at, i.updated_at) AS held_since,
    greatest(0, extract(epoch FROM now() - coalesce(i.processed_at, i.updated_at)))::bigint AS age_seconds"""

_EVIDENCE = f"""now() AS at,
    {HOLDER} AS holder,
    (SELECT max(a.lease_until) FROM attempts a WHERE a.invoice_id = i.id) AS last_lease,
    (SELECT a.uuid FROM attempts a WHERE a.invoice_id = i.id AND a.outcome = 'accepted' LIMIT 1) AS accepted"""

_ONE = f"""
SELECT {_HELD_COLUMNS}, i.version, i.generation, i.reference, i.duplicate_of, {_EVIDENCE}
FROM invoices i WHERE i.id = $1 AND i.status = 'held'
"""

# Locked, so that nothing moves it between the look and the move.
_LOCKED = f"""
SELECT i.id, i.version, i.status, i.stage, i.reason, i.maybe_sent, {_EVIDENCE}
FROM invoices i WHERE i.id = $1 FOR UPDATE OF i
"""

_EARLIER = """
SELECT version, stage, reason, details FROM invoice_events
WHERE invoice_id = $1 AND details->>'idempotency_key' = $2 AND actor = $3
ORDER BY version DESC LIMIT 1
"""

_FRESH_CLOCK = "UPDATE invoices SET failures = 0, first_failed_at = NULL, paused_seconds = 0 WHERE id = $1"


class PostgresHeld:
    """`settle`: how long after a claim's lease its document may still arrive, as the sender has it."""

    def __init__(self, database: Database, compare: Comparing, *, settle: timedelta) -> None:
        self._database = database
        self._versions = Versions(database, compare)
        self._settle = settle

    async def held(self, chosen: HeldFilter, *, after: UUID | None, limit: int) -> Sequence[HeldSummary]:
        where = Conditions()
        where.add("i.status = 'held'")
        where.equal("i.reason", chosen.reason)
        where.equal("i.dossier", chosen.dossier)
        where.equal("i.job_id", chosen.job_id)
        if after is not None:
            where.add("i.id > {}", after)
        sql = f"SELECT {_HELD_COLUMNS} FROM invoices i {where.sql} ORDER BY i.id LIMIT {limit:d}"
        return [HeldSummary(**_summary(row)) for row in await self._database.fetch(sql, *where.values)]

    async def one(self, row_id: UUID) -> HeldDetail | None:
        row = await self._database.fetchrow(_ONE, row_id)
        if row is None:
            return None
        other = await self._versions.other(row_id, holder=row["holder"], duplicate_of=row["duplicate_of"])
        attempts = await self._database.fetch(ATTEMPTS, row_id, MOST_ENTRIES)
        events = await self._database.fetch(EVENTS, row_id, MOST_ENTRIES)
        return HeldDetail(
            **_summary(row),
            version=row["version"],
            generation=row["generation"],
            reference=row["reference"],
            attempts=[read_attempt(attempt) for attempt in reversed(attempts)],
            history=[read_event(event) for event in reversed(events)],
            other=other,
            difference=await self._versions.difference(other, row_id) if other else None,
            choices=choices(_evidence(row), row_id, settle=self._settle),
        )

    async def resolve(self, row_id: UUID, decision: Decision) -> tuple[Resolved, Moved | None]:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_LOCKED, row_id)
            if row is None:
                raise NotFound("held invoice", str(row_id))
            if (earlier := await _earlier(connection, row_id, decision)) is not None:
                return earlier, None
            self._check(row, decision)
            [moved] = await apply_moves(
                connection, [move(row_id, row["version"], decision)], actor=str(decision.user.id)
            )
            if decision.resolution is Resolution.NOT_THERE:
                await connection.execute(_FRESH_CLOCK, row_id)
            if moved.stage is not Stage.HELD:
                await note_corrections(connection, [row_id])
            await _audit(connection, row, decision)
        return _resolved(row_id, decision, moved.stage, moved.reason, moved.version), moved

    def _check(self, row: Row, decision: Decision) -> None:
        standing = {name: row[name] for name in ("status", "stage", "reason", "version")}
        if row["status"] != "held":
            raise NotAllowedNow(f"It is not held any more: it stands at {row['stage']}", standing)
        no = objection(decision.resolution, _evidence(row), row["id"], settle=self._settle)
        if no is not None:
            raise NotAllowedNow(f"{no.why[0].upper()}{no.why[1:]}", {**standing, **no.details})


async def _earlier(connection: Connection, row_id: UUID, decision: Decision) -> Resolved | None:
    """What the request that used this key did."""
    if decision.idempotency_key is None:
        return None
    row = await connection.fetchrow(_EARLIER, row_id, decision.idempotency_key, str(decision.user.id))
    if row is None:
        return None
    if row["details"]["fingerprint"] != decision.fingerprint:
        raise IdempotencyKeyReused
    return _resolved(row_id, decision, Stage(row["stage"]), row["reason"], row["version"], replayed=True)


async def _audit(connection: Connection, row: Row, decision: Decision) -> None:
    await write_audit(
        connection,
        action="held.resolve",
        user_id=decision.user.id,
        caller=decision.caller,
        resource=("invoice", row["id"]),
        details={**decision.details, "held_for": row["reason"]},
    )


def _resolved(
    row_id: UUID, decision: Decision, stage: Stage, reason: str | None, version: int, *, replayed: bool = False
) -> Resolved:
    return Resolved(row_id, decision.resolution, STATUS[stage].value, stage.value, reason, version, replayed)


def _summary(row: Row) -> dict[str, Any]:
    return summary(row) | {name: row[name] for name in ("maybe_sent", "held_since", "age_seconds")}


def _evidence(row: Row) -> Evidence:
    return Evidence(**{name: row[name] for name in Evidence.__slots__})
