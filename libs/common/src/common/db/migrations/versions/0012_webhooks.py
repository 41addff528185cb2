"""Endpoints of integrators, what is delivered to them, and how far outcomes were read.

Nothing here is written by a move of an invoice; the one index on a table that exists is on jobs that have ended.

Revision ID: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# No secret: it is derived from a key that the database does not have (docs/architecture/webhooks.md).
ENDPOINTS = """
CREATE TABLE webhook_endpoints (
    id UUID PRIMARY KEY DEFAULT uuidv7(),
    url TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    events TEXT[] NOT NULL,
    key_id TEXT NOT NULL,
    secret_number INTEGER NOT NULL DEFAULT 1,
    previous_until TIMESTAMPTZ,
    since TIMESTAMPTZ NOT NULL DEFAULT now(),
    enabled_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    disabled_at TIMESTAMPTZ,
    removed_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE webhook_health (
    endpoint_id UUID PRIMARY KEY REFERENCES webhook_endpoints(id),
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since TIMESTAMPTZ,
    quiet_until TIMESTAMPTZ,
    stopped_at TIMESTAMPTZ,
    why TEXT,
    delivered_at TIMESTAMPTZ,
    CONSTRAINT webhook_health_why CHECK (why IN ('gone', 'failing'))
);

CREATE TABLE webhook_requests (
    user_id UUID NOT NULL REFERENCES users(id),
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    answer JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
"""

DELIVERIES = """
CREATE TABLE webhook_deliveries (
    id UUID PRIMARY KEY DEFAULT uuidv7(),
    endpoint_id UUID NOT NULL REFERENCES webhook_endpoints(id),
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    invoice_id UUID,
    job_id UUID,
    body TEXT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    wake_at TIMESTAMPTZ,
    give_up_at TIMESTAMPTZ NOT NULL,
    lease_token UUID,
    log JSONB NOT NULL DEFAULT '[]',
    finished_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    UNIQUE (endpoint_id, event_id),
    CONSTRAINT webhook_deliveries_status CHECK (status IN ('waiting', 'delivered', 'failed'))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX webhook_deliveries_listed ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_occurred ON webhook_deliveries (endpoint_id, occurred_at);

CREATE TABLE webhook_reader (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    mark TIMESTAMPTZ NOT NULL DEFAULT now()
);
INSERT INTO webhook_reader DEFAULT VALUES;
CREATE INDEX jobs_completed ON jobs (completed_at) WHERE completed_at IS NOT NULL;
"""


def upgrade() -> None:
    for script in (ENDPOINTS, DELIVERIES):
        _execute_script(script)


def _execute_script(script: str) -> None:
    # asyncpg prepares one statement at a time; its simple query protocol takes a script
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(script))


def downgrade() -> None:
    raise RuntimeError("who was told what must not be forgotten by a downgrade; restore a backup instead")
