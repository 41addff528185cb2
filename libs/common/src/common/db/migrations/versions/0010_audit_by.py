"""The audit log by who, by what kind and by which one, the newest first (measured at 300,000 entries: 148 ms for the
entries of somebody quiet without it). An entry is what a person did: no invoice's move writes one.

Revision ID: 0010
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX audit_logs_actor ON audit_logs (user_id, created_at, id)")
    op.execute("CREATE INDEX audit_logs_kind ON audit_logs (resource_type, created_at, id)")
    op.execute(
        "CREATE INDEX audit_logs_resource ON audit_logs (resource_id, created_at, id) WHERE resource_id IS NOT NULL"
    )


def downgrade() -> None:
    for name in ("actor", "kind", "resource"):
        op.execute(f"DROP INDEX audit_logs_{name}")
