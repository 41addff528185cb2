"""Tokens of a user end with a new password and with being disabled: each token names the generation that it belongs to.

A number instead of an instant, since tokens count whole seconds: one made in the second of the change would be neither.

Revision ID: 0013
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN token_generation INTEGER NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP COLUMN token_generation")
