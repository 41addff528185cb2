"""Claims and settlements: each one statement, through the one door for moves."""

from collections.abc import Sequence
from datetime import timedelta

import orjson

from common.clock import SYSTEM_CLOCK, Clock
from common.db.alerts import ON_OPEN_ALERT
from common.db.moves import MOVED, OUTCOME_COLUMNS, move_core, to_moved
from common.db.pool import Database, Row
from common.db.sweeper import Key
from common.invoice.move import Moved
from common.invoice.stage import Stage
from sender.domain import Claim, Settlement
from sender.domain.evidence import Rules

_UNCLEAR = "(a.outcome IS NULL OR a.outcome IN ('unknown', 'exists', 'expired'))"

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
    ORDER BY i.wake_at LIMIT 1) <= now() - $1::interval
"""

# The key is looked up after the limit: as a join it makes the planner read and sort all that waits (measured: 25 ms at
# 4,000 waiting rows instead of 1). A row that lost its key, or has no reference, cannot be sent; it is put
# aside so that it blocks nobody.
#
# What a row waited beyond its own timer was others' doing: its own clock leaves it out.
_OVERDUE = """paused_seconds = i.paused_seconds
    + CASE WHEN i.first_failed_at IS NULL THEN 0 ELSE extract(epoch FROM now() - i.wake_at) END"""
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
{move_core(_OVERDUE)},
attempted AS (
    INSERT INTO attempts (invoice_id, number, version, reference, lease_until)
    SELECT id, attempt, version, reference, wake_at FROM moved
)
SELECT moved.*, i.ubl_data, i.raw, i.direction, i.kind,
    i.failures, i.maybe_sent,
    extract(epoch FROM i.wake_at - i.first_failed_at)::float8 - i.paused_seconds AS failing_seconds,
    CASE WHEN i.maybe_sent THEN (
        SELECT extract(epoch FROM now() - min(a.started_at))::float8 FROM attempts a
        WHERE a.invoice_id = moved.id AND a.reference = moved.reference AND {_UNCLEAR}
    ) END AS unclear_seconds,
    (SELECT a.uuid FROM attempts a WHERE a.invoice_id = moved.id AND a.outcome = 'accepted' LIMIT 1) AS found,
    CASE WHEN i.kind = 'credit_note' THEN (
        SELECT a.credit_note_journal FROM administrations a WHERE a.enterprise_number = i.dossier) END AS journal
FROM moved JOIN invoices i ON i.id = moved.id
"""

# A row's own clock: it starts with its first own failure, others' waits stop it, its end or a person's turn clears it.
OWN_CLOCK = (
    "failures = CASE WHEN n.over THEN 0 ELSE i.failures + n.own_failure::int END",
    """first_failed_at = CASE WHEN n.over THEN NULL WHEN n.own_failure THEN coalesce(i.first_failed_at, now())
        ELSE i.first_failed_at END""",
    """paused_seconds = CASE WHEN n.over OR i.first_failed_at IS NULL THEN 0
        WHEN n.own_failure THEN i.paused_seconds ELSE i.paused_seconds + coalesce(n.paused, 0) END""",
)
SETTLED = "greatest(0, extract(epoch FROM a.lease_until + {settle} - now()))::float8"
"""The seconds until an attempt `a` is over at the destination too, and a lookup may conclude."""

# The attempt gets its outcome whatever became of its row meanwhile; an acceptance is never written over. A row leaves
# `sending` only at the version of this claim; an acceptance, of this or of any other attempt, also ends a row that was
# given up. Two acceptances with different ids are one document sent twice: somebody has to look.
_SETTLE = f"""
WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::float8[], $9::bool[], $10::text[], $11::text[], $12::bool[])
        AS t(id, version, attempt, outcome, stage, reason, error, wake_seconds, maybe_sent, uuid, response, own_failure)
),
evidence AS (
    UPDATE attempts a SET outcome = n.outcome, uuid = n.uuid, response = n.response::jsonb, ended_at = now()
    FROM input n
    WHERE a.invoice_id = ANY ($1) AND a.number = ANY ($3) AND a.invoice_id = n.id AND a.number = n.attempt
      AND a.outcome IS DISTINCT FROM 'accepted'
),
standing AS (
    SELECT n.*, i.version AS row_version, i.stage AS row_stage, accepted.uuid AS found
    FROM input n JOIN invoices i ON i.id = n.id
    LEFT JOIN LATERAL (
        SELECT a.uuid FROM attempts a WHERE a.invoice_id = n.id AND a.outcome = 'accepted' ORDER BY a.number LIMIT 1
    ) AS accepted ON true
),
suspected AS (
    INSERT INTO alerts (kind, subject, severity, details)
    SELECT 'duplicate_suspected', s.id::text, 'critical', jsonb_build_object('uuids', others.uuids || s.uuid)
    FROM standing s
    CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT a.uuid) AS uuids FROM attempts a
        WHERE a.invoice_id = s.id AND a.outcome = 'accepted' AND a.uuid <> s.uuid
    ) AS others
    WHERE s.outcome = 'accepted' AND s.found IS NOT NULL AND others.uuids IS NOT NULL
    {ON_OPEN_ALERT}
),
move_input AS (
    SELECT id, row_version AS version,
        CASE WHEN found IS NULL THEN stage ELSE 'sent' END AS stage,
        CASE WHEN found IS NULL THEN reason END AS reason,
        CASE WHEN found IS NULL THEN error END AS error,
        CASE WHEN found IS NULL THEN coalesce(wake_seconds, CASE WHEN stage = 'unknown' THEN (
            SELECT {SETTLED.format(settle="$13::interval")} FROM attempts a
            WHERE a.invoice_id = standing.id AND a.number = standing.attempt
        ) END) END AS wake_seconds,
        CASE WHEN found IS NULL THEN maybe_sent ELSE false END AS maybe_sent,
        CASE WHEN outcome = 'not_accepted' THEN wake_seconds END AS paused, own_failure, stage = 'failed' AS over,
        response::jsonb AS response, NULL::jsonb AS findings, attempt, coalesce(uuid, found) AS uuid,
        'sender'::text AS actor, jsonb_strip_nulls(jsonb_build_object('attempt', attempt, 'outcome', outcome,
            'uuid', coalesce(uuid, found), 'error', error)) AS details
    FROM standing
    WHERE (row_stage = 'sending' AND row_version = version)
       OR (outcome = 'accepted' AND row_stage IN ('unknown', 'held', 'validated', 'failed'))
),
{move_core(*OWN_CLOCK)}
{MOVED}
"""

# A row whose attempt nobody ends any more: what the attempts prove decides, else it goes to the stage that is given.
_GIVE_UP = f"""
WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::int[]) AS t(id, version)
),
standing AS (
    SELECT n.id, n.version, last.number AS attempt, last.settled, accepted.uuid AS found
    FROM input n
    LEFT JOIN LATERAL (
        SELECT a.number, {SETTLED.format(settle="$5::interval")} AS settled
        FROM attempts a WHERE a.invoice_id = n.id ORDER BY a.number DESC LIMIT 1
    ) AS last ON true
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
        CASE WHEN found IS NULL AND $3 = 'unknown' THEN settled END AS wake_seconds,
        found IS NULL AS maybe_sent, NULL::jsonb AS response, NULL::jsonb AS findings,
        attempt, found AS uuid, 'sender'::text AS actor, jsonb_build_object('attempt', attempt) AS details,
        false AS own_failure, NULL::float8 AS paused, $3 = 'held' AS over
    FROM standing
),
{move_core(*OWN_CLOCK)}
{MOVED}
"""

_AGAIN = f"""
SELECT {OUTCOME_COLUMNS} FROM invoices i
JOIN unnest($1::uuid[], $2::int[]) AS t(id, version) ON i.id = t.id AND i.version = t.version
"""


class PostgresClaims:
    def __init__(self, database: Database, rules: Rules, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._rules = rules
        self._settle = rules.settle if rules.lookup else timedelta(0)
        self._clock = clock

    async def dossiers_due(self, since: timedelta = timedelta(0)) -> Sequence[str]:
        """The dossiers with rows that may be sent, for at least `since`."""
        return [row["dossier"] for row in await self._database.fetch(_DOSSIERS_DUE, since)]

    async def claim(self, dossiers: Sequence[str], limit: int, lease: timedelta) -> Sequence[tuple[Claim, Moved]]:
        """Claim up to `limit` due rows that hold their key, shared fairly over `dossiers`."""
        now = self._clock.monotonic()  # before the claim: our lease ends first
        each = -(-limit // max(1, len(dossiers)))
        rows = await self._database.fetch(_CLAIM, list(dossiers), limit, each, lease)
        return [(_claim(row, now, lease, self._rules), to_moved(row)) for row in rows]

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Moved]:
        """Write outcomes to their attempts and move the rows."""
        moved: list[Moved] = []
        for batch in _one_of_each_row(settlements):
            moved += await self._settle_rows(batch)
        return moved

    async def _settle_rows(self, settlements: Sequence[Settlement]) -> list[Moved]:
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
            [s.own_failure for s in ordered],
            self._settle,
        )
        return [to_moved(row) for row in rows]

    async def give_up(self, keys: Sequence[Key], to: Stage, error: str) -> Sequence[Moved]:
        """Attempts that nobody ends any more: to `to` as unknown, or sent where an acceptance was written."""
        ids, versions = [id_ for id_, _ in keys], [version for _, version in keys]
        rows = await self._database.fetch(_GIVE_UP, ids, versions, to.value, error, self._settle)
        return [to_moved(row) for row in rows]

    async def read(self, keys: Sequence[Key]) -> Sequence[Moved]:
        """Rows as they are announced again."""
        rows = await self._database.fetch(_AGAIN, [id_ for id_, _ in keys], [version for _, version in keys])
        return [to_moved(row) for row in rows]


def _one_of_each_row(settlements: Sequence[Settlement]) -> list[Sequence[Settlement]]:
    """One statement sees what was written before it, never what it writes: two ends of a row go one after the other."""
    first = {settlement.claim.id: settlement for settlement in reversed(settlements)}
    if len(first) == len(settlements):
        return [settlements]
    rest = [settlement for settlement in settlements if first[settlement.claim.id] is not settlement]
    return [list(first.values()), *_one_of_each_row(rest)]


def _claim(row: Row, now: float, lease: timedelta, rules: Rules) -> Claim:
    lease_ends = now + lease.total_seconds()
    key_ends = now + _key_left(row, rules) if row["maybe_sent"] else lease_ends
    return Claim(
        id=row["id"],
        version=row["version"],
        attempt=row["attempt"],
        reference=row["reference"],
        source_id=row["invoice_id"],
        dossier=row["dossier"],
        direction=row["direction"],
        kind=row["kind"],
        journal=row["journal"],
        content=row["raw"] if row["raw"] is not None else row["ubl_data"].encode(),
        lease_ends=min(lease_ends, key_ends),
        failures=row["failures"],
        failing_for=timedelta(seconds=max(0.0, row["failing_seconds"] or 0.0)),
        maybe_sent=row["maybe_sent"],
        too_late=key_ends < lease_ends,
        found=row["found"],
        job_id=row["job_id"],
    )


def _key_left(row: Row, rules: Rules) -> float:
    """Seconds for which the destination surely knows the key of an earlier attempt; none where that is not known."""
    if rules.resend_within is None or row["unclear_seconds"] is None:
        return 0.0
    left: float = rules.resend_within.total_seconds() - row["unclear_seconds"]
    return max(0.0, left)
