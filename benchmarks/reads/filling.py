"""Rows as the services leave them, made by the database itself: jobs, invoices, their events and attempts.

Indexes that are no keys are built when all rows are there: ten times as fast as row by row.
"""

import asyncio

from common.db.pool import Database

JOBS = 5_000
"""Or one for each invoice, where there are fewer."""
_STEP = 50_000
_TABLES = ("invoices", "invoice_events", "attempts")

# One row in a hundred failed, one in two hundred is a duplicate, one in five thousand is held: all of them older than
# the newest tenth, so that a walk from the newest row would have to pass a hundred thousand others first.
_INVOICES = """
INSERT INTO invoices (id, job_id, invoice_id, ubl_data, status, stage, reason, error_message, processed_at, created_at,
    updated_at, raw_sha256, content_sha256, dossier, direction, kind, number, issue_date, supplier, supplier_name,
    customer, customer_name, currency, amount, dedupe_key, reference, clearfacts_response, version)
SELECT uuidv7(make_interval(secs => -s.n * 0.5)), j.id, 'SRC-' || s.n,
    rpad(format('<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>INV-%s</ID><IssueDate>%s'
        '</IssueDate><Supplier>%s</Supplier><Customer>%s</Customer><Payable currencyID="EUR">%s</Payable><Note>%s',
        s.n, t.at::date, p.supplier, p.customer, p.amount, repeat(md5((s.n + $4)::text), 20)), 983)
        || '</Note></Invoice>',
    e.stage, e.stage, CASE e.stage WHEN 'failed' THEN 'invalid' WHEN 'held' THEN 'unknown_outcome' END,
    CASE WHEN e.stage = 'failed' THEN 'BR-CO-15: the total of INV-' || s.n || ' is not the sum of its parts' END,
    t.at, t.at, t.at, decode(md5(s.n::text), 'hex'), decode(md5(s.n::text), 'hex'), lpad(p.dossier::text, 10, '0'),
    CASE WHEN s.n % 3 = 0 THEN 'PURCHASE' ELSE 'SALE' END,
    CASE WHEN s.n % 20 = 0 THEN 'credit_note' ELSE 'invoice' END, 'INV-' || s.n, t.at::date,
    lpad(p.supplier::text, 10, '0'), 'Supplier ' || p.supplier, lpad(p.customer::text, 10, '0'),
    'Customer ' || p.customer, 'EUR', p.amount, 'key-' || s.n, md5(s.n::text)::uuid,
    CASE WHEN e.stage = 'sent' THEN jsonb_build_object('uuid', md5(s.n::text), 'result', 'ok') END, 4
FROM generate_series($1::int, $2::int) AS s(n)
CROSS JOIN LATERAL (SELECT now() - make_interval(secs => s.n * 0.5) AS at) AS t
CROSS JOIN LATERAL (SELECT (s.n + $4) % 500 AS dossier, (s.n * 31 + $4) % 1000 AS supplier,
    (s.n * 17 + $4) % 7919 AS customer, (((s.n::bigint * 7919 + $4) % 1000000) / 100.0)::numeric(12, 2) AS amount) AS p
CROSS JOIN LATERAL (SELECT CASE
    WHEN s.n > $3 / 10 AND s.n % 100 = 0 THEN 'failed'
    WHEN s.n > $3 / 10 AND s.n % 200 = 1 THEN 'duplicate'
    WHEN s.n > $3 / 10 AND s.n % 5000 = 2 THEN 'held' ELSE 'sent' END AS stage) AS e
JOIN (SELECT id, row_number() OVER (ORDER BY created_at DESC) - 1 AS place FROM jobs) AS j
    ON j.place = s.n::bigint * $5::int / ($3 + 1)
"""
_EVENTS = """
INSERT INTO invoice_events (invoice_id, version, at, stage, actor, details)
SELECT i.id, v.version, i.created_at + make_interval(secs => v.version * 0.2),
    CASE WHEN v.version = 4 THEN i.stage ELSE v.stage END, v.actor, v.details::jsonb
FROM invoices i
CROSS JOIN (VALUES (1, 'fetched', 'fetcher', NULL), (3, 'sending', 'sender', NULL), (4, '', 'sender', NULL),
    (2, 'validated', 'validator', '{"ruleset": "basic", "valid": true}')) AS v(version, stage, actor, details)
"""
_ATTEMPTS = """
INSERT INTO attempts (invoice_id, number, version, reference, started_at, lease_until, ended_at, outcome, uuid,
    response)
SELECT id, nextval('attempt_number'), 3, reference, created_at, created_at, created_at, 'accepted',
    clearfacts_response->>'uuid', clearfacts_response
FROM invoices WHERE stage = 'sent'
"""
_JOBS = """
INSERT INTO jobs (job_type, status, created_at, started_at, listed_at, completed_at, correlation_id, error_message,
    results)
SELECT CASE WHEN n % 10 = 0 THEN 'manual' ELSE 'scheduled' END,
    CASE WHEN n % 50 = 49 THEN 'failed' ELSE 'completed' END, t.at, t.at, t.at,
    t.at + make_interval(secs => $1 / (2.0 * $2)), md5(n::text),
    CASE WHEN n % 50 = 49 THEN 'the source did not answer' END,
    jsonb_build_object('total_invoices', $1 / $2, 'processed', $1 / $2)
FROM generate_series(0, $2::int - 1) AS s(n)
CROSS JOIN LATERAL (SELECT now() - make_interval(secs => (n + 1) * ($1::int / (2.0 * $2))) AS at) AS t
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS sql
FROM pg_index WHERE indrelid = 'invoices'::regclass AND NOT indisprimary
"""


async def fill(database: Database, rows: int, seed: int = 1) -> None:
    """`rows` invoices, half a second apart, newest now."""
    jobs = min(JOBS, rows)
    await database.execute(_JOBS, rows, jobs)
    indexes = await database.fetch(_INDEXES)
    for index in indexes:
        await database.execute(f"DROP INDEX {index['name']}")
    for start in range(1, rows + 1, _STEP):
        await database.execute(_INVOICES, start, min(rows, start + _STEP - 1), rows, seed, jobs)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_slowly(database, _EVENTS, _ATTEMPTS))
        tasks.create_task(_slowly(database, *(index["sql"] for index in indexes)))
    for table in _TABLES:
        await _slowly(database, f"VACUUM (ANALYZE) {table}")
    await _slowly(database, "VACUUM (ANALYZE) jobs", "CHECKPOINT")


async def _slowly(database: Database, *statements: str) -> None:
    """Statements that may take longer than a service would wait."""
    async with database.connection() as connection:
        await connection.execute("SET statement_timeout = 0; SET transaction_timeout = 0; SET lock_timeout = 0")
        for sql in statements:
            await connection.execute(sql, timeout=600)
