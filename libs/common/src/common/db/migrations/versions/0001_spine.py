"""The seed's five tables with every column and index it lists, and ours.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEED = """
CREATE TABLE users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    username VARCHAR(255) UNIQUE NOT NULL,
    email VARCHAR(255) UNIQUE NOT NULL,
    password_hash VARCHAR(255) NOT NULL,
    role VARCHAR(50) NOT NULL DEFAULT 'user',
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT users_role CHECK (role IN ('user', 'operator', 'admin'))
);

CREATE TABLE jobs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    job_type VARCHAR(50) NOT NULL,
    status VARCHAR(50) NOT NULL,
    triggered_by UUID REFERENCES users(id),
    started_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    error_message TEXT,
    metadata JSONB,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    version INTEGER NOT NULL DEFAULT 1,
    correlation_id TEXT,
    invoice_ids TEXT[],
    force_processing BOOLEAN NOT NULL DEFAULT FALSE,
    reason TEXT,
    lease_token UUID,
    cursor TEXT,
    page INTEGER NOT NULL DEFAULT 0,
    since TIMESTAMPTZ,
    source_clock TIMESTAMPTZ,
    listed_at TIMESTAMPTZ,
    cancelled_at TIMESTAMPTZ,
    error JSONB,
    results JSONB,
    wake_at TIMESTAMPTZ,
    CONSTRAINT jobs_status CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    CONSTRAINT jobs_job_type CHECK (job_type IN ('scheduled', 'manual'))
);

CREATE TABLE invoices (
    id UUID NOT NULL DEFAULT uuidv7(),
    job_id UUID REFERENCES jobs(id),
    invoice_id VARCHAR(255) NOT NULL,
    ubl_data TEXT NOT NULL,
    status VARCHAR(50) NOT NULL,
    clearfacts_response JSONB,
    error_message TEXT,
    processed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    stage TEXT NOT NULL,
    reason TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    wake_at TIMESTAMPTZ,
    maybe_sent BOOLEAN NOT NULL DEFAULT FALSE,
    raw BYTEA,
    raw_sha256 BYTEA NOT NULL,
    modified_at TIMESTAMPTZ,
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
    reference UUID,
    duplicate_of UUID,
    findings JSONB,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE TABLE audit_logs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id UUID REFERENCES users(id),
    action VARCHAR(100) NOT NULL,
    resource_type VARCHAR(50) NOT NULL,
    resource_id UUID,
    details JSONB,
    ip_address INET,
    user_agent TEXT,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE configuration (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    key VARCHAR(255) UNIQUE NOT NULL,
    value TEXT NOT NULL,
    description TEXT,
    is_encrypted BOOLEAN DEFAULT FALSE,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_jobs_status ON jobs(status);
CREATE INDEX idx_jobs_created_at ON jobs(created_at);
CREATE INDEX idx_jobs_job_type ON jobs(job_type);
CREATE INDEX idx_invoices_job_id ON invoices(job_id);
CREATE INDEX idx_invoices_status ON invoices(status);
CREATE INDEX idx_invoices_invoice_id ON invoices(invoice_id);
CREATE INDEX idx_invoices_processed_at ON invoices(processed_at);
CREATE INDEX idx_audit_logs_user_id ON audit_logs(user_id);
CREATE INDEX idx_audit_logs_action ON audit_logs(action);
CREATE INDEX idx_audit_logs_created_at ON audit_logs(created_at);
CREATE INDEX idx_configuration_key ON configuration(key);
"""

OURS = """
-- The closer asks by status: an index on stages here would be read whole by the claim (measured: 9 ms instead of 0.5).
CREATE INDEX invoices_open ON invoices (job_id) WHERE status = 'pending';
CREATE INDEX invoices_claim ON invoices (dossier, wake_at, id) WHERE stage = 'validated';
CREATE INDEX invoices_due ON invoices (stage, wake_at) WHERE wake_at IS NOT NULL AND stage <> 'validated';
CREATE INDEX invoices_number ON invoices (number);
CREATE INDEX jobs_due ON jobs (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE invoice_events (
    invoice_id UUID NOT NULL,
    version INTEGER NOT NULL,
    at TIMESTAMPTZ NOT NULL DEFAULT now(),
    stage TEXT NOT NULL,
    reason TEXT,
    actor TEXT NOT NULL,
    details JSONB,
    PRIMARY KEY (invoice_id, version)
) PARTITION BY RANGE (invoice_id);

CREATE SEQUENCE attempt_number;

CREATE TABLE attempts (
    invoice_id UUID NOT NULL,
    number BIGINT NOT NULL,
    version INTEGER NOT NULL,
    reference UUID NOT NULL,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    lease_until TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    outcome TEXT,
    uuid TEXT,
    response JSONB,
    PRIMARY KEY (invoice_id, number)
) PARTITION BY RANGE (invoice_id);

CREATE TABLE job_pages (
    job_id UUID NOT NULL REFERENCES jobs(id),
    page INTEGER NOT NULL,
    cursor TEXT,
    next_cursor TEXT,
    source_total INTEGER,
    source_ids TEXT[] NOT NULL,
    raw_sha256 BYTEA[] NOT NULL,
    fates TEXT[] NOT NULL,
    invoices UUID[] NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, page)
);

CREATE TABLE administrations (
    enterprise_number TEXT PRIMARY KEY,
    name TEXT,
    credit_note_journal TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE invoice_keys (
    dossier TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    holder UUID NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (dossier, dedupe_key)
);

CREATE TABLE dead_letters (
    id UUID PRIMARY KEY DEFAULT uuidv7(),
    cluster TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    record_offset BIGINT NOT NULL,
    consumer_group TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    record_key BYTEA,
    value BYTEA NOT NULL,
    headers JSONB,
    cause TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (cluster, topic, partition, record_offset, consumer_group, sha256)
);

CREATE TABLE notifications (
    id UUID PRIMARY KEY DEFAULT uuidv7(),
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    window_key TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    wake_at TIMESTAMPTZ,
    lease_token UUID,
    error TEXT,
    body JSONB,
    sent_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (channel, kind, subject, window_key),
    CONSTRAINT notifications_status CHECK (status IN ('waiting', 'sent', 'abandoned'))
);
CREATE INDEX notifications_due ON notifications (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE idempotency_keys (
    user_id UUID NOT NULL REFERENCES users(id),
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    job_id UUID NOT NULL REFERENCES jobs(id),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);

CREATE TABLE watermarks (
    source TEXT PRIMARY KEY,
    modified_since TIMESTAMPTZ NOT NULL,
    full_listing_at TIMESTAMPTZ NOT NULL,
    job_id UUID NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON audit_logs
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_events_append_only BEFORE UPDATE OR DELETE ON invoice_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_events_no_truncate BEFORE TRUNCATE ON invoice_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# Ids are UUIDv7, so a month of ids is a month of rows; anything else lands in the default partition.
PARTITIONS = """
CREATE FUNCTION uuidv7_floor(at TIMESTAMPTZ) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

CREATE FUNCTION ensure_partitions(months_ahead INTEGER) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    parent TEXT;
    month TIMESTAMPTZ;
    child TEXT;
BEGIN
    PERFORM pg_advisory_xact_lock(7326002);
    FOREACH parent IN ARRAY ARRAY['invoices', 'invoice_events', 'attempts'] LOOP
        FOR ahead IN 0..months_ahead LOOP
            month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead)) AT TIME ZONE 'UTC';
            child := parent || to_char(month AT TIME ZONE 'UTC', '_YYYYMM');
            IF to_regclass('public.' || child) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L) WITH (
                        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
                        autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 2000)',
                    child, parent, uuidv7_floor(month),
                    uuidv7_floor((date_trunc('month', month AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC'));
                IF parent = 'invoice_events' THEN  -- a partition has its own TRUNCATE; old months go by DROP TABLE
                    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', child);
                END IF;
            END IF;
        END LOOP;
    END LOOP;
END $$;

CREATE TABLE invoices_other PARTITION OF invoices DEFAULT;
CREATE TABLE invoice_events_other PARTITION OF invoice_events DEFAULT;
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON invoice_events_other FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE attempts_other PARTITION OF attempts DEFAULT;
SELECT ensure_partitions(2);
"""


def upgrade() -> None:
    for script in (SEED, OURS, APPEND_ONLY, PARTITIONS):
        _execute_script(script)


def _execute_script(script: str) -> None:
    # asyncpg prepares one statement at a time; its simple query protocol takes a script
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(script))


def downgrade() -> None:
    raise RuntimeError("the first schema has nothing before it; restore a backup instead")
