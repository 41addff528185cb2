"""What the configuration was, who changed it and why. A key's version is the number of its newest entry.

Revision ID: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Values are JSON, as in `configuration`; null where the key was, or is, not set.
VERSIONS = """
CREATE TABLE configuration_versions (
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    old_value TEXT,
    new_value TEXT,
    user_id UUID NOT NULL REFERENCES users(id),
    reason TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (key, version)
);
CREATE TRIGGER configuration_versions_append_only BEFORE UPDATE OR DELETE ON configuration_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER configuration_versions_no_truncate BEFORE TRUNCATE ON configuration_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    # asyncpg prepares one statement at a time; its simple query protocol takes a script
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(VERSIONS))


def downgrade() -> None:
    raise RuntimeError("who changed what must not be forgotten by a downgrade; restore a backup instead")
