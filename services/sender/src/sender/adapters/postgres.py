"""Claims and settlements: each one statement, through the one door for moves."""

from collections.abc import Sequence
from datetime import timedelta

import orjson

from common.clock import SYSTEM_CLOCK, Clock
from common.db.moves import MOVE, MOVED, OUTCOME_COLUMNS, to_moved
from common.db.pool import Database, Row
from common.db.sweeper import Key
from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Claim, Settlement

# A loose index scan: one probe of the claim's index per dossier, however many rows wait.
_DOSSIERS_DUE = """
WITH RECURSIVE due AS (
    (SELECT dossier FROM invoices WHERE stage = 'validated' ORDER BY dossier LIMIT 1)
    UNION ALL
    SELECT (SELECT i.dossier FROM invoices i WHERE i.stage = 'validated' AND i.dossier > due.dossier
            ORDER BY i.dossier LIMIT 1)
    FROM due WHERE due.dossier IS NOT NULL
)
SELECT dossier FROM due WHERE dossier IS NOT NULL AND (
    SELECT i.wake_at FROM invoices i WHERE i.stage = 'validated' AND i.dossier = due.dossier
    ORDER BY i.wake_at LIMIT 1) <= now()
"""

# The key is looked up after the limit: as a join it makes the planner read and sort all that waits (measured: 25 ms at
# 4,000 waiting rows instead of 1). A row that lost its key, or has no reference, cannot be sent; it is put
# aside so that it blocks nobody.
_CLAIM = f"""
WITH picked AS MATERIALIZED (
    SELECT i.id, i.version, d.place, i.reference,
        (SELECT k.holder FROM invoice_keys k WHERE k.dossier = i.dossier AND k.dedupe_key = i.dedupe_key) AS holder
    FROM unnest($1::text[]) WITH ORDINALITY AS d(dossier, place)
    CROSS JOIN LATERAL (
        SELECT i.id, i.version, i.dossier, i.dedupe_key, i.reference FROM invoices i
        WHERE i.stage = 'validated' AND i.dossier = d.dossier AND i.wake_at <= now()
        ORDER BY i.wake_at, i.id LIMIT $3 FOR UPDATE OF i SKIP LOCKED
    ) AS i
),
keyless AS (
    UPDATE invoices i SET version = i.version + 1, wake_at = now() + interval '1 minute'
    FROM picked WHERE i.id = picked.id AND (picked.holder IS DISTINCT FROM picked.id OR picked.reference IS NULL)
),
due AS MATERIALIZED (
    SELECT id, version FROM picked WHERE holder = id AND reference IS NOT NULL ORDER BY place LIMIT $2
),
move_input AS (
    SELECT id, version, 'sending' AS stage, NULL::text AS reason, NULL::text AS error,
        extract(epoch FROM $4::interval)::float8 AS wake_seconds, NULL::bool AS maybe_sent, NULL::jsonb AS response,
        NULL::jsonb AS findings, nextval('attempt_number') AS attempt, NULL::text AS uuid, 'sender'::text AS actor,
        NULL::jsonb AS details
    FROM due
),
{MOVE},
attempted AS (
    INSERT INTO attempts (invoice_id, number, version, reference, lease_until)
    SELECT id, attempt, version, reference, wake_at FROM moved
)
SELECT moved.*, i.ubl_data, i.raw, i.direction, i.kind,
    (SELECT count(*) FROM attempts a WHERE a.invoice_id = moved.id AND a.outcome = 'not_accepted') AS attempts_before,
    (SELECT a.uuid FROM attempts a WHERE a.invoice_id = moved.id AND a.outcome = 'accepted' LIMIT 1) AS found,
    CASE WHEN i.kind = 'credit_note' THEN (
        SELECT a.credit_note_journal FROM administrations a WHERE a.enterprise_number = i.dossier) END AS journal
FROM moved JOIN invoices i ON i.id = moved.id
"""

# The attempt gets its outcome whatever became of its row meanwhile. A row leaves `sending` only at the version of this
# claim; an acceptance, of this or of any other attempt, also ends a row that was given up as unknown.
_SETTLE = f"""
WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::float8[], $9::bool[], $10::text[], $11::text[])
        AS t(id, version, attempt, outcome, stage, reason, error, wake_seconds, maybe_sent, uuid, response)
),
evidence AS (
    UPDATE attempts a SET outcome = n.outcome, uuid = n.uuid, response = n.response::jsonb, ended_at = now()
    FROM input n
    WHERE a.invoice_id = ANY ($1) AND a.number = ANY ($3) AND a.invoice_id = n.id AND a.number = n.attempt
),
standing AS (
    SELECT n.*, i.version AS row_version, i.stage AS row_stage, i.maybe_sent AS row_maybe_sent, accepted.uuid AS found
    FROM input n JOIN invoices i ON i.id = n.id
    LEFT JOIN LATERAL (
        SELECT a.uuid FROM attempts a WHERE a.invoice_id = n.id AND a.outcome = 'accepted' ORDER BY a.number LIMIT 1
    ) AS accepted ON true
),
move_input AS (
    SELECT id, row_version AS version,
        CASE WHEN found IS NULL THEN stage ELSE 'sent' END AS stage,
        CASE WHEN found IS NULL THEN reason END AS reason,
        CASE WHEN found IS NULL THEN error END AS error,
        CASE WHEN found IS NULL THEN wake_seconds END AS wake_seconds,
        CASE WHEN found IS NULL THEN maybe_sent ELSE false END AS maybe_sent,
        response::jsonb AS response, NULL::jsonb AS findings, attempt, coalesce(uuid, found) AS uuid,
        'sender'::text AS actor, jsonb_strip_nulls(jsonb_build_object('attempt', attempt, 'outcome', outcome,
            'uuid', coalesce(uuid, found), 'error', error)) AS details
    FROM standing
    WHERE (row_stage = 'sending' AND row_version = version)
       OR (outcome = 'accepted' AND row_maybe_sent AND row_stage IN ('unknown', 'held'))
),
{MOVE}
{MOVED}
"""

# A row whose attempt nobody ends any more: what the attempts prove decides, else it goes to the stage that is given.
_GIVE_UP = f"""
WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
),
standing AS (
    SELECT n.id, n.version, last.number AS attempt, accepted.uuid AS found
    FROM input n
    LEFT JOIN LATERAL (SELECT a.number FROM attempts a WHERE a.invoice_id = n.id ORDER BY a.number DESC LIMIT 1)
        AS last ON true
    LEFT JOIN LATERAL (SELECT a.uuid FROM attempts a WHERE a.invoice_id = n.id AND a.outcome = 'accepted' LIMIT 1)
        AS accepted ON true
),
evidence AS (
    UPDATE attempts a SET outcome = 'expired', ended_at = now() FROM standing s
    WHERE a.invoice_id = s.id AND a.number = s.attempt AND a.outcome IS NULL
),
move_input AS (
    SELECT id, version, CASE WHEN found IS NULL THEN $3::text ELSE 'sent' END AS stage,
        CASE WHEN found IS NULL THEN 'unknown_outcome' END AS reason,
        CASE WHEN found IS NULL THEN $4::text END AS error,
        NULL::float8 AS wake_seconds, found IS NULL AS maybe_sent, NULL::jsonb AS response, NULL::jsonb AS findings,
        attempt, found AS uuid, 'sender'::text AS actor, jsonb_build_object('attempt', attempt) AS details
    FROM standing
),
{MOVE}
{MOVED}
"""

_AGAIN = f"""
SELECT {OUTCOME_COLUMNS} FROM invoices i
JOIN unnest($1::uuid[], $2::int[]) AS t(id, version) ON i.id = t.id AND i.version = t.version
"""


class PostgresClaims:
    def __init__(self, database: Database, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._clock = clock

    async def dossiers_due(self) -> Sequence[str]:
        """The dossiers with rows that may be sent now."""
        return [row["dossier"] for row in await self._database.fetch(_DOSSIERS_DUE)]

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Claim, Moved]]:
        """Claim up to `limit` due rows that hold their key, shared fairly over `dossiers`."""
        lease_ends = self._clock.monotonic() + lease.total_seconds()  # before the claim: ours ends first
        each = -(-limit // max(1, len(dossiers)))
        rows = await self._database.fetch(_CLAIM, list(dossiers), limit, each, lease)
        return [(_claim(row, lease_ends), to_moved(row)) for row in rows]

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Moved]:
        """Write outcomes to their attempts and move the rows."""
        ordered = sorted(settlements, key=lambda s: s.claim.id)
        rows = await self._database.fetch(
            _SETTLE,
            [s.claim.id for s in ordered],
            [s.claim.version for s in ordered],
            [s.claim.attempt for s in ordered],
            [s.outcome.value for s in ordered],
            [s.to.value for s in ordered],
            [s.reason.value if s.reason else None for s in ordered],
            [s.error for s in ordered],
            [s.wake.total_seconds() if s.wake is not None else None for s in ordered],
            [s.maybe_sent for s in ordered],
            [s.uuid for s in ordered],
            [orjson.dumps(s.response).decode() if s.response is not None else None for s in ordered],
        )
        return [to_moved(row) for row in rows]

    async def give_up(self, keys: Sequence[Key], to: Stage, error: str) -> Sequence[Moved]:
        """Attempts that nobody ends any more: to `to` as unknown, or sent where an acceptance was written."""
        rows = await self._database.fetch(_GIVE_UP, [id_ for id_, _ in keys], [v for _, v in keys], to.value, error)
        return [to_moved(row) for row in rows]

    async def read(self, keys: Sequence[Key]) -> Sequence[Moved]:
        """Rows as they are announced again."""
        rows = await self._database.fetch(_AGAIN, [id_ for id_, _ in keys], [version for _, version in keys])
        return [to_moved(row) for row in rows]


def _claim(row: Row, lease_ends: float) -> Claim:
    return Claim(
        id=row["id"],
        version=row["version"],
        attempt=row["attempt"],
        attempts_before=row["attempts_before"],
        reference=row["reference"],
        source_id=row["invoice_id"],
        dossier=row["dossier"],
        direction=row["direction"],
        kind=row["kind"],
        journal=row["journal"],
        content=row["raw"] if row["raw"] is not None else row["ubl_data"].encode(),
        lease_ends=lease_ends,
        found=row["found"],
    )
