"""What a job would do, in tables of its own: nothing that sends, sweeps, reports or counts jobs knows them.

Revision ID: 0011
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# `twin` is the row or item that has an item's place; it refers to nothing, since neither may hold the other back.
# `dedupe_key` is set on items only that would have taken their key. A document is there while nobody has judged it.
DRY_RUNS = """
CREATE TABLE dry_runs (
    id UUID PRIMARY KEY,
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    triggered_by UUID NOT NULL REFERENCES users(id),
    idempotency_key TEXT,
    fingerprint BYTEA NOT NULL,
    correlation_id TEXT,
    invoice_ids TEXT[],
    force_processing BOOLEAN NOT NULL,
    reason TEXT,
    estimated_completion TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    listed_at TIMESTAMPTZ,
    cancelled_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    version INTEGER NOT NULL DEFAULT 1,
    wake_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    lease_token UUID,
    cursor TEXT,
    page INTEGER NOT NULL DEFAULT 0,
    since TIMESTAMPTZ,
    error JSONB,
    counts JSONB,
    UNIQUE (triggered_by, idempotency_key)
);
CREATE INDEX dry_runs_open ON dry_runs (created_at) WHERE status IN ('pending', 'running');
CREATE INDEX dry_runs_listed ON dry_runs (created_at, id);
CREATE INDEX dry_runs_expiring ON dry_runs (expires_at);

CREATE TABLE dry_run_items (
    dry_run_id UUID NOT NULL REFERENCES dry_runs(id) ON DELETE CASCADE,
    id UUID NOT NULL,
    source_id TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    error TEXT,
    twin UUID,
    document BYTEA,
    deaths INTEGER NOT NULL DEFAULT 0,
    wake_at TIMESTAMPTZ,
    dossier TEXT,
    direction TEXT,
    kind TEXT,
    number TEXT,
    issue_date DATE,
    supplier TEXT,
    supplier_name TEXT,
    customer TEXT,
    customer_name TEXT,
    currency TEXT,
    amount NUMERIC,
    dedupe_key TEXT,
    content_sha256 BYTEA,
    generation INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (dry_run_id, id),
    UNIQUE (dry_run_id, source_id, sha256),
    CHECK (document IS NULL OR outcome = 'open'),
    CHECK (wake_at IS NULL OR outcome = 'open')
);
CREATE INDEX dry_run_items_due ON dry_run_items (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX dry_run_items_keys ON dry_run_items (dry_run_id, dossier, dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX dry_run_items_by_outcome ON dry_run_items (dry_run_id, outcome, id);

-- {"would_go": {"invoices": 3, "amounts": {"EUR": "12.30"}}, ...}; outcomes that no item has are left out.
CREATE FUNCTION dry_run_counts(run UUID) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_object_agg(outcome, jsonb_build_object('invoices', invoices, 'amounts', amounts)), '{}')
    FROM (
        SELECT outcome, sum(invoices)::bigint AS invoices,
            coalesce(jsonb_object_agg(currency, amount::text)
                FILTER (WHERE currency IS NOT NULL AND amount IS NOT NULL), '{}') AS amounts
        FROM (
            SELECT outcome, currency, count(*) AS invoices, sum(amount) AS amount
            FROM dry_run_items WHERE dry_run_id = run GROUP BY outcome, currency
        ) of_currency
        GROUP BY outcome
    ) of_outcome
$$;
"""


def upgrade() -> None:
    # asyncpg prepares one statement at a time; its simple query protocol takes a script
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(DRY_RUNS))


def downgrade() -> None:
    op.execute("DROP TABLE dry_run_items, dry_runs")
    op.execute("DROP FUNCTION dry_run_counts(UUID)")
