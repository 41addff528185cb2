"""What the services that speak with the outside found when they last asked how it is.

Revision ID: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# `ok` is null where the question cannot be asked of that peer.
REACHABILITY = """
CREATE TABLE reachability (
    name TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    ok BOOLEAN,
    why TEXT,
    checked_at TIMESTAMPTZ NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    op.execute(REACHABILITY)


def downgrade() -> None:
    op.execute("DROP TABLE reachability")
