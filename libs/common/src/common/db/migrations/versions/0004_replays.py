"""Failures grouped by cause, replays with their frozen items, versions of edited documents.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0001"
branch_labels = None
depends_on = None

# `gateway.domain.causes` has the same masks in Python; a test holds the two together.
CAUSES = r"""
CREATE FUNCTION failure_mask(message TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        left(coalesce(message, ''), 500),
        '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}', '<id>', 'g'),
        '"[^"]*"', '<value>', 'g'),
        '(^|[^A-Za-z0-9''])''[^'']*''', '\1<value>', 'g'),
        '0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}', '<hex>', 'g'),
        '[0-9]+([.,][0-9]+)*', '<n>', 'g'),
        '[ \t\r\n]+', ' ', 'g')
$$;

-- The code of a rule ("BR-CO-15: ...") is kept as it is: its number tells one cause from another.
CREATE FUNCTION failure_cause(message TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(substring(left(message, 500) from '^[A-Z][A-Z0-9_-]{1,39}: '), '') || public.failure_mask(
        substr(left(message, 500), 1 + length(coalesce(substring(left(message, 500) from '^[A-Z][A-Z0-9_-]{1,39}: '), ''))))
$$;

-- Not in SQL, and dear: inlined it would look free to the planner, who then masks all messages to find one cause.
CREATE FUNCTION failure_fingerprint(reason TEXT, message TEXT) RETURNS TEXT
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
BEGIN
    RETURN left(md5(coalesce(reason, '') || ' ' || public.failure_cause(message)), 16);
END $$;
"""

# Every index is on failed rows alone: a move that does not fail writes to none of them.
INVOICES = """
ALTER TABLE invoices ADD COLUMN archived_at TIMESTAMPTZ;

CREATE INDEX invoices_failed ON invoices (processed_at, id) WHERE status = 'failed' AND archived_at IS NULL;
CREATE INDEX invoices_failed_cause ON invoices (failure_fingerprint(reason, error_message), processed_at, id)
    WHERE status = 'failed' AND archived_at IS NULL;
CREATE INDEX invoices_failed_reason ON invoices (reason, processed_at, id)
    WHERE status = 'failed' AND archived_at IS NULL;
CREATE INDEX invoices_failed_job ON invoices (job_id, processed_at, id)
    WHERE status = 'failed' AND archived_at IS NULL;
CREATE INDEX invoices_failed_dossier ON invoices (dossier, processed_at, id)
    WHERE status = 'failed' AND archived_at IS NULL;
CREATE INDEX invoices_archived ON invoices (processed_at, id) WHERE status = 'failed' AND archived_at IS NOT NULL;
"""

LETTERS = """
ALTER TABLE dead_letters
    ADD COLUMN status TEXT NOT NULL DEFAULT 'dead',
    ADD COLUMN version INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN replay_id UUID,
    ADD COLUMN resolution JSONB,
    ADD COLUMN updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    ADD COLUMN fingerprint TEXT GENERATED ALWAYS AS (failure_fingerprint('unreadable', topic || ': ' || cause)) STORED,
    ADD CONSTRAINT dead_letters_status CHECK (status IN ('dead', 'replaying', 'replayed', 'archived'));

CREATE INDEX dead_letters_waiting ON dead_letters (created_at, id) WHERE status = 'dead';
CREATE INDEX dead_letters_cause ON dead_letters (fingerprint, created_at, id) WHERE status = 'dead';
CREATE INDEX dead_letters_topic ON dead_letters (topic, created_at, id) WHERE status = 'dead';
CREATE INDEX dead_letters_archived ON dead_letters (created_at, id) WHERE status = 'archived';
CREATE INDEX dead_letters_again ON dead_letters ((headers->>'x-replay-of')) WHERE headers ? 'x-replay-of';
"""

REPLAYS = """
CREATE TABLE replays (
    id UUID PRIMARY KEY DEFAULT uuidv7(),
    state TEXT NOT NULL,
    selection JSONB NOT NULL,
    reason TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users(id),
    idempotency_key TEXT,
    fingerprint BYTEA NOT NULL,
    total INTEGER NOT NULL,
    canary INTEGER NOT NULL,
    canary_seconds INTEGER NOT NULL,
    rate DOUBLE PRECISION NOT NULL,
    abort_share DOUBLE PRECISION NOT NULL,
    canary_passed_at TIMESTAMPTZ,
    note TEXT,
    lease_token UUID,
    lease_until TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    ended_at TIMESTAMPTZ,
    CONSTRAINT replays_state CHECK (state IN ('running', 'paused', 'completed', 'cancelled', 'failed')),
    UNIQUE (user_id, idempotency_key)
);
CREATE INDEX replays_running ON replays (created_at) WHERE state = 'running';

-- `version` is the item's version when the list was frozen: an item that moved since is not moved again.
CREATE TABLE replay_items (
    replay_id UUID NOT NULL REFERENCES replays(id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    item_id UUID NOT NULL,
    version INTEGER NOT NULL,
    record JSONB,
    state TEXT NOT NULL DEFAULT 'waiting',
    outcome TEXT,
    details JSONB,
    moved_version INTEGER,
    done_at TIMESTAMPTZ,
    PRIMARY KEY (replay_id, position),
    CONSTRAINT replay_items_kind CHECK (kind IN ('invoice', 'record', 'announcement')),
    CONSTRAINT replay_items_state CHECK (state IN ('waiting', 'started', 'done'))
);
CREATE INDEX replay_items_waiting ON replay_items (replay_id, position) WHERE state <> 'done';
CREATE INDEX replay_items_item ON replay_items (item_id);

-- Number 0 is the document as it came.
CREATE TABLE document_versions (
    item_id UUID NOT NULL,
    number INTEGER NOT NULL,
    content BYTEA NOT NULL,
    diff TEXT,
    user_id UUID REFERENCES users(id),
    reason TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (item_id, number)
);
"""


def upgrade() -> None:
    for script in (CAUSES, INVOICES, LETTERS, REPLAYS):
        _execute_script(script)


def _execute_script(script: str) -> None:
    # asyncpg prepares one statement at a time; its simple query protocol takes a script
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(script))


def downgrade() -> None:
    raise RuntimeError("replays are a history that must not be dropped; restore a backup instead")
