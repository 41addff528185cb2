"""Giving rows back: what was told against what is there, decided by the rules and written in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.amnesia import LastClaims, look
from common.db.pool import Connection, Database
from common.invoice.stage import Reason, Stage, parse_stage
from gateway.adapters import recovery_sql as sql
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.access import Caller, User
from gateway.recovery.hearing import Told
from gateway.recovery.remedies import Remedy, Standing, Treatment, treat
from gateway.recovery.story import Compared, Treated

LONGEST_LEASE = timedelta(minutes=10)
"""How long after its claim was told an attempt counts as ours: more than any lease of a sender."""
UNKNOWN = "the database had forgotten this sending; whether Clearfacts accepted it is not known"


class PostgresRecovery:
    def __init__(self, database: Database, last_claims: LastClaims) -> None:
        self._database = database
        self._last_claims = last_claims

    async def compare(self) -> Compared:
        """Raises InfrastructureError."""
        found = await look(self._database, self._last_claims)
        return Compared(found.last, found.highest, found.forgotten)

    async def diagnose(self, told: Sequence[Told]) -> Treated:
        """What `treat` would do; keys are not counted."""
        async with self._database.transaction() as connection:
            treatments = await _treatments(connection, told)
        return _counted(treatments)

    async def treat(self, told: Sequence[Told], *, actor: str) -> Treated:
        """Write rows, moves, attempts and keys."""
        async with self._database.transaction() as connection:
            await connection.execute(sql.ONE_AT_A_TIME)
            treatments = await _treatments(connection, told)
            await _insert(connection, [t for t in treatments if t.remedy.inserts], actor)
            moving = [t for t in treatments if t.remedy in {Remedy.MOVE_TO_SENT, Remedy.MOVE_TO_UNKNOWN}]
            await _move(connection, moving, actor)
            await _add_attempts(connection, treatments)
            changed = [t for t in treatments if t.remedy is not Remedy.NOTHING]
            done = _counted(treatments)
            done.keys = await _take_keys(connection, changed, actor)
        return done

    async def count_on(self, number: int) -> None:
        """The sequence never goes back."""
        await self._database.execute(sql.COUNT_ON, number)

    async def note(self, action: str, user: User, caller: Caller, details: Mapping[str, Any]) -> None:
        async with self._database.transaction() as connection:
            await write_audit(
                connection,
                action=action,
                user_id=user.id,
                caller=caller,
                resource=("recovery", None),
                details=details,
            )


async def _treatments(connection: Connection, told: Sequence[Told]) -> list[Treatment]:
    ids = [row.latest.id for row in told]
    rows = await connection.fetch(sql.STANDING, ids)
    attempts: dict[UUID, dict[int, str | None]] = {}
    for row in await connection.fetch(sql.ATTEMPTS, ids):
        attempts.setdefault(row["invoice_id"], {})[row["number"]] = row["outcome"]
    standing = {row["id"]: Standing(parse_stage(row["stage"]), row["maybe_sent"]) for row in rows}
    return [treat(row, standing.get(row.latest.id), attempts.get(row.latest.id, {})) for row in told]


def _counted(treatments: Sequence[Treatment]) -> Treated:
    return Treated(Counter(t.remedy for t in treatments), sum(len(t.attempts) for t in treatments))


async def _insert(connection: Connection, treatments: Sequence[Treatment], actor: str) -> None:
    if not treatments:
        return
    latest = [t.told.latest for t in treatments]
    await connection.execute(
        sql.INSERT,
        [t.id for t in treatments],
        [event.source_id for event in latest],
        [t.remedy.to.value for t in treatments],
        [_reason(t) for t in treatments],
        [_error(t) for t in treatments],
        [event.version for event in latest],
        [event.dossier for event in latest],
        [event.dedupe_key for event in latest],
        [bytes.fromhex(event.content_sha256) if event.content_sha256 else None for event in latest],
        [event.generation for event in latest],
        [event.reference for event in latest],
        [t.told.uuid for t in treatments],
        actor,
    )


async def _move(connection: Connection, treatments: Sequence[Treatment], actor: str) -> None:
    if not treatments:
        return
    ids = [t.id for t in treatments]
    await connection.execute(sql.FENCE, ids, [t.told.latest.version for t in treatments])
    await connection.execute(
        sql.MOVE_ON,
        ids,
        [t.remedy.to.value for t in treatments],
        [_reason(t) for t in treatments],
        [_error(t) for t in treatments],
        [t.told.uuid for t in treatments],
        [max(t.told.attempts, default=None) for t in treatments],
        actor,
    )


def _reason(treatment: Treatment) -> str | None:
    reasons = {Stage.UNKNOWN: Reason.UNKNOWN_OUTCOME, Stage.FAILED: Reason.ABANDONED}
    return reasons.get(treatment.remedy.to)


def _error(treatment: Treatment) -> str | None:
    return UNKNOWN if treatment.remedy.to is Stage.UNKNOWN else None


async def _add_attempts(connection: Connection, treatments: Sequence[Treatment]) -> None:
    added = [(t, attempt) for t in treatments for attempt in t.attempts]
    if not added:
        return
    await connection.execute(
        sql.ADD_ATTEMPTS,
        [t.id for t, _ in added],
        [attempt.number for _, attempt in added],
        [t.told.latest.version for t, _ in added],
        [attempt.reference for _, attempt in added],
        [attempt.at for _, attempt in added],
        [attempt.fate.value for _, attempt in added],
        [attempt.uuid for _, attempt in added],
        LONGEST_LEASE,
    )


async def _take_keys(connection: Connection, treatments: Sequence[Treatment], actor: str) -> int:
    if not treatments:
        return 0
    latest = [t.told.latest for t in treatments]
    taken = await connection.fetch(
        sql.TAKE_KEYS,
        [event.id for event in latest],
        [event.dossier for event in latest],
        [event.dedupe_key for event in latest],
        [event.generation for event in latest],
    )
    by = {row["displaced"]: row["holder"] for row in taken if row["displaced"] is not None}
    moved = [row["id"] for row in await connection.fetch(sql.DISPLACE, list(by), list(by.values()), actor)]
    await connection.execute(sql.POINT, moved, [by[row_id] for row_id in moved])
    return len(by)
