"""Rows with which alone in hand a process ended: counted, so that the third end is the last.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE suspects (
    invoice_id UUID PRIMARY KEY,
    deaths INTEGER NOT NULL DEFAULT 0,
    begun_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE suspects")
