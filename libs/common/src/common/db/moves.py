"""The one door through which an invoice row changes its stage.

A move is a compare-and-set on (id, version); it adds one to the version, writes the seed's status beside the stage,
sets the row's only timer and appends to `invoice_events`, all in one statement. A move that does not apply returns
no row. `MOVE` is that statement's core for the callers who decide and move in one statement (the sender's claim).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from common.db.pool import Connection, Row
from common.invoice.move import Move, Moved
from common.invoice.stage import OUTCOMES, STATUS, WAKE, Stage

_STAGES = ", ".join(
    f"('{stage}', '{STATUS[stage]}', {WAKE[stage].total_seconds()}, {stage in OUTCOMES})" for stage in Stage
)


def move_core(*also: str) -> str:
    """`MOVE` with further assignments to columns of the mover's own, over further columns of its `move_input`."""
    own = "".join(f", {assignment}" for assignment in also)
    return f"""
locked AS MATERIALIZED (
    SELECT n.* FROM move_input n JOIN invoices i ON i.id = n.id AND i.version = n.version
    ORDER BY i.id FOR UPDATE OF i
),
moved AS (
    UPDATE invoices i SET
        stage = n.stage, status = s.status, reason = n.reason, error_message = n.error, version = i.version + 1,
        wake_at = now() + make_interval(secs => coalesce(n.wake_seconds, s.wake_seconds)),
        maybe_sent = coalesce(n.maybe_sent, i.maybe_sent),
        clearfacts_response = coalesce(n.response, i.clearfacts_response),
        findings = coalesce(n.findings, i.findings),
        processed_at = CASE WHEN s.is_outcome THEN now() ELSE i.processed_at END, updated_at = now(){own}
    FROM locked n
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


MOVE = move_core()
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


OUTCOME_COLUMNS = """i.id, i.version, i.stage, i.reason, i.job_id, i.invoice_id, i.dossier, i.dedupe_key, i.generation,
    i.content_sha256, i.reference, NULL::bigint AS attempt, i.clearfacts_response->>'uuid' AS uuid"""
"""What `to_moved` needs, from `invoices i`, for rows that are announced again."""


def to_moved(row: Row) -> Moved:
    """A row of `moved`, or of `OUTCOME_COLUMNS`."""
    return Moved(
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
    return [to_moved(row) for row in rows]


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
