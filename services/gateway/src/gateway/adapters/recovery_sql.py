"""The statements of a recovery: set-based, over arrays, and harmless when they are repeated."""

from common.db.moves import MOVE, MOVED
from common.invoice.stage import STATUS, Stage

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7326014)"

STANDING = """
SELECT i.id, i.stage, i.maybe_sent FROM invoices i WHERE i.id = ANY ($1::uuid[]) ORDER BY i.id FOR UPDATE
"""

ATTEMPTS = "SELECT invoice_id, number, outcome FROM attempts WHERE invoice_id = ANY ($1::uuid[])"

ADD_ATTEMPTS = """
INSERT INTO attempts (invoice_id, number, version, reference, started_at, lease_until, ended_at, outcome, uuid)
SELECT t.invoice_id, t.number, t.version, t.reference, t.at, t.at + $8::interval, now(), t.outcome, t.uuid
FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[])
    AS t(invoice_id, number, version, reference, at, outcome, uuid)
ON CONFLICT (invoice_id, number) DO UPDATE SET outcome = excluded.outcome, uuid = excluded.uuid, ended_at = now()
WHERE excluded.outcome = 'accepted' AND attempts.outcome IS DISTINCT FROM 'accepted'
"""

_STATUSES = ", ".join(f"('{stage}', '{status}')" for stage, status in STATUS.items())

# Its version is past everything that was told about it: what a process still holds of the time before applies nowhere.
# No job: what it listed then is not in `job_pages` any more, and a balance must add up.
INSERT = f"""
WITH made AS (
    INSERT INTO invoices (id, invoice_id, ubl_data, raw_sha256, status, stage, reason, error_message, version, wake_at,
        processed_at, maybe_sent, dossier, dedupe_key, content_sha256, generation, reference, clearfacts_response)
    SELECT t.id, t.source_id, '', ''::bytea, s.status, t.stage, t.reason, t.error, t.version + 1,
        CASE WHEN t.stage = 'unknown' THEN now() END, CASE WHEN t.stage <> 'unknown' THEN now() END,
        t.stage <> 'sent', t.dossier, t.dedupe_key, t.content_sha256, t.generation, t.reference,
        CASE WHEN t.uuid IS NOT NULL THEN jsonb_build_object('uuid', t.uuid) END
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
        $9::bytea[], $10::int[], $11::uuid[], $12::text[])
        AS t(id, source_id, stage, reason, error, version, dossier, dedupe_key, content_sha256, generation, reference,
            uuid)
    JOIN (VALUES {_STATUSES}) AS s(stage, status) ON s.stage = t.stage
    ON CONFLICT (id) DO NOTHING
    RETURNING id, version, stage, reason
)
INSERT INTO invoice_events (invoice_id, version, stage, reason, actor, details)
SELECT id, version, stage, reason, $13, '{{"recovered": true}}'::jsonb FROM made
"""

FENCE = """
UPDATE invoices i SET version = greatest(i.version, t.version)
FROM unnest($1::uuid[], $2::int[]) AS t(id, version) WHERE i.id = t.id
"""

MOVE_ON = f"""
WITH move_input AS (
    SELECT i.id, i.version, t.stage, t.reason, t.error, NULL::float8 AS wake_seconds, t.stage <> 'sent' AS maybe_sent,
        CASE WHEN t.uuid IS NOT NULL THEN jsonb_build_object('uuid', t.uuid) END AS response, NULL::jsonb AS findings,
        t.attempt, t.uuid, $7::text AS actor, '{{"recovered": true}}'::jsonb AS details
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
        AS t(id, stage, reason, error, uuid, attempt)
    JOIN invoices i ON i.id = t.id
),
{MOVE}
{MOVED}
"""

# A key belongs to what was sent, or may have been. Whoever else took it meanwhile has sent nothing under it, or it is
# a later generation's.
TAKE_KEYS = f"""
WITH given AS (
    SELECT DISTINCT ON (t.dossier, t.dedupe_key) t.*
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[]) AS t(id, dossier, dedupe_key, generation)
    WHERE t.dossier IS NOT NULL AND t.dedupe_key IS NOT NULL
    ORDER BY t.dossier, t.dedupe_key, t.generation DESC, t.id
),
before AS (
    SELECT k.* FROM invoice_keys k JOIN given g ON k.dossier = g.dossier AND k.dedupe_key = g.dedupe_key
),
taken AS (
    INSERT INTO invoice_keys (dossier, dedupe_key, holder, generation)
    SELECT dossier, dedupe_key, id, generation FROM given
    ON CONFLICT (dossier, dedupe_key) DO UPDATE SET holder = excluded.holder, generation = excluded.generation
    WHERE invoice_keys.holder <> excluded.holder AND (
        excluded.generation > invoice_keys.generation OR NOT EXISTS (
            SELECT FROM invoices h WHERE h.id = invoice_keys.holder
            AND (h.maybe_sent OR h.stage IN ('{Stage.SENT}', '{Stage.SENDING}', '{Stage.UNKNOWN}'))))
    RETURNING dossier, dedupe_key, holder
)
SELECT taken.holder, before.holder AS displaced FROM taken
LEFT JOIN before ON before.dossier = taken.dossier AND before.dedupe_key = taken.dedupe_key
"""

# Rows that were listed again before the recovery: what they would have been, had the database known.
DISPLACE = f"""
WITH move_input AS (
    SELECT d.id, d.version, CASE WHEN same.content THEN 'duplicate' ELSE 'held' END AS stage,
        CASE WHEN NOT same.content THEN 'changed_after_sent' END AS reason, NULL::text AS error,
        NULL::float8 AS wake_seconds, NULL::bool AS maybe_sent, NULL::jsonb AS response, NULL::jsonb AS findings,
        NULL::bigint AS attempt, NULL::text AS uuid, $3::text AS actor,
        jsonb_build_object('holder', h.id, 'recovered', true) AS details
    FROM unnest($1::uuid[], $2::uuid[]) AS t(displaced, holder)
    JOIN invoices d ON d.id = t.displaced JOIN invoices h ON h.id = t.holder
    CROSS JOIN LATERAL (SELECT d.content_sha256 IS NOT DISTINCT FROM h.content_sha256 AS content) AS same
    WHERE d.stage IN ('fetched', 'validated')
),
{MOVE}
{MOVED}
"""

POINT = """
UPDATE invoices i SET duplicate_of = t.holder FROM unnest($1::uuid[], $2::uuid[]) AS t(displaced, holder)
WHERE i.id = t.displaced
"""

COUNT_ON = "SELECT setval('attempt_number', $1::bigint) FROM attempt_number WHERE last_value < $1"
