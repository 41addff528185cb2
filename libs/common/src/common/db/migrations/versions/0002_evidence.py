"""The clock of a row's own failures, what lookups found, and alerts.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0004"
branch_labels = None
depends_on = None

FAILURES = """
ALTER TABLE invoices
    ADD COLUMN failures INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN first_failed_at TIMESTAMPTZ,
    ADD COLUMN paused_seconds DOUBLE PRECISION NOT NULL DEFAULT 0;
"""

EVIDENCE = """
ALTER TABLE attempts
    ADD COLUMN absent INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN looked_up_at TIMESTAMPTZ;
"""

ALERTS = """
CREATE TABLE alerts (
    id UUID PRIMARY KEY DEFAULT uuidv7(),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    details JSONB NOT NULL DEFAULT '{}',
    opened_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    closed_at TIMESTAMPTZ,
    CONSTRAINT alerts_severity CHECK (severity IN ('critical', 'warning', 'info'))
);
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject) WHERE closed_at IS NULL;
CREATE INDEX alerts_opened ON alerts (opened_at);
"""


def upgrade() -> None:
    for script in (FAILURES, EVIDENCE, ALERTS):
        _execute_script(script)


def _execute_script(script: str) -> None:
    # asyncpg prepares one statement at a time; its simple query protocol takes a script
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(script))


def downgrade() -> None:
    raise RuntimeError("what was found out about unknown outcomes must not be dropped; restore a backup instead")
