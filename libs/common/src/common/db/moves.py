"""The one door through which an invoice row changes its stage.

A move is a compare-and-set on (id, version); it adds one to the version, writes the seed's status beside the stage,
sets the row's only timer and appends to `invoice_events`, all in one statement. A move that does not apply returns
no row. `MOVE` is that statement's core for the callers who decide and move in one statement (the sender's claim).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from common.db.pool import Connection, Row
from common.invoice.stage import OUTCOMES, STATUS, WAKE, Reason, Stage, may_move

_STAGES = ", ".join(
    f"('{stage}', '{STATUS[stage]}', {WAKE[stage].total_seconds()}, {stage in OUTCOMES})" for stage in Stage
)

MOVE = f"""
locked AS MATERIALIZED (
    SELECT i.id FROM invoices i JOIN move_input n ON i.id = n.id AND i.version = n.version
    ORDER BY i.id FOR UPDATE OF i
),
moved AS (
    UPDATE invoices i SET
        stage = n.stage, status = s.status, reason = n.reason, error_message = n.error, version = i.version + 1,
        wake_at = now() + make_interval(secs => coalesce(n.wake_seconds, s.wake_seconds)),
        maybe_sent = coalesce(n.maybe_sent, i.maybe_sent),
        clearfacts_response = coalesce(n.response, i.clearfacts_response),
        findings = coalesce(n.findings, i.findings),
        processed_at = CASE WHEN s.is_outcome THEN now() ELSE i.processed_at END, updated_at = now()
    FROM move_input n
    JOIN locked l ON l.id = n.id
    JOIN (VALUES {_STAGES}) AS s(stage, status, wake_seconds, is_outcome) ON s.stage = n.stage
    WHERE i.id = n.id AND i.version = n.version
    RETURNING i.id, i.version, i.stage, i.reason, i.job_id, i.invoice_id, i.dossier, i.dedupe_key, i.generation,
        i.content_sha256, i.reference, i.created_at, i.wake_at, n.attempt, n.uuid, n.actor, n.details
),
logged AS (
    INSERT INTO invoice_events (invoice_id, version, stage, reason, actor, details)
    SELECT id, version, stage, reason, actor, details FROM moved
)
"""
"""Two common table expressions over `move_input(id, version, stage, reason, error, wake_seconds, maybe_sent,
response, findings, attempt, uuid, actor, details)`; `moved` has the new versions."""

MOVED = "SELECT * FROM moved"

_APPLY = f"""
WITH move_input AS (
    SELECT id, version, stage, reason, error, wake_seconds, maybe_sent, response::jsonb AS response,
        findings::jsonb AS findings, details::jsonb AS details,
        NULL::bigint AS attempt, NULL::text AS uuid, $11::text AS actor
    FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::bool[],
        $8::text[], $9::text[], $10::text[])
        AS t(id, version, stage, reason, error, wake_seconds, maybe_sent, response, findings, details)
),
{MOVE}
{MOVED}
"""


class IllegalMoveError(ValueError):
    """A move that is not in the state machine: a programming error, never data."""


@dataclass(frozen=True, slots=True)
class Move:
    """One wish: the row `id`, read at `version` in stage `from_`, shall stand at `to`."""

    id: UUID
    version: int
    from_: Stage
    to: Stage
    reason: Reason | None = None
    error: str | None = None
    wake: timedelta | None = None
    maybe_sent: bool | None = None
    response: Mapping[str, Any] | None = None
    findings: Sequence[Any] | None = None
    details: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not may_move(self.from_, self.to):
            raise IllegalMoveError(f"{self.from_} -> {self.to} is not in the state machine")


@dataclass(frozen=True, slots=True)
class Moved:
    """A row as it stands after its move: what its announcement needs."""

    id: UUID
    version: int
    stage: Stage
    reason: str | None
    job_id: UUID | None
    source_id: str
    dossier: str | None
    dedupe_key: str | None
    generation: int
    content_sha256: bytes | None
    reference: UUID | None
    attempt: int | None = None
    uuid: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> "Moved":
        """Build from a row of `moved`, or of `OUTCOME_COLUMNS`."""
        return cls(
            id=row["id"],
            version=row["version"],
            stage=Stage(row["stage"]),
            reason=row["reason"],
            job_id=row["job_id"],
            source_id=row["invoice_id"],
            dossier=row["dossier"],
            dedupe_key=row["dedupe_key"],
            generation=row["generation"],
            content_sha256=row["content_sha256"],
            reference=row["reference"],
            attempt=row["attempt"],
            uuid=row["uuid"],
        )


OUTCOME_COLUMNS = """i.id, i.version, i.stage, i.reason, i.job_id, i.invoice_id, i.dossier, i.dedupe_key, i.generation,
    i.content_sha256, i.reference, NULL::bigint AS attempt, i.clearfacts_response->>'uuid' AS uuid"""
"""What `Moved.from_row` needs, from `invoices i`, for rows that are announced again."""


async def apply_moves(connection: Connection, moves: Sequence[Move], *, actor: str) -> list[Moved]:
    """Move the rows that still stand at their version; the others are left alone and not returned."""
    if not moves:
        return []
    ordered = sorted(moves, key=lambda move: move.id)
    rows = await connection.fetch(
        _APPLY,
        [m.id for m in ordered],
        [m.version for m in ordered],
        [m.to.value for m in ordered],
        [m.reason.value if m.reason else None for m in ordered],
        [m.error for m in ordered],
        [m.wake.total_seconds() if m.wake is not None else None for m in ordered],
        [m.maybe_sent for m in ordered],
        [_json(m.response) for m in ordered],
        [_json(m.findings) for m in ordered],
        [_json(m.details) for m in ordered],
        actor,
    )
    return [Moved.from_row(row) for row in rows]


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, default=str).decode()


async def clear_wake(connection: Connection, announced: Sequence[tuple[UUID, int]]) -> None:
    """An end that was announced needs nobody any more; a row that moved on meanwhile keeps its timer."""
    if announced:
        await connection.execute(
            """UPDATE invoices i SET wake_at = NULL
               FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
               WHERE i.id = t.id AND i.version = t.version""",
            [id_ for id_, _ in announced],
            [version for _, version in announced],
        )
