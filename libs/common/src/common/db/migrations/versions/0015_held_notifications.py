"""Notifications that are told later, together: in quiet hours, or where a channel has digests only.

Revision ID: 0015
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The window of the digest that will tell it; its row then has no `wake_at`, and stays `waiting` until that one is sent.
HELD = "ALTER TABLE notifications ADD COLUMN held_for TEXT"
BY_DIGEST = """
CREATE INDEX notifications_held ON notifications (channel, held_for) WHERE held_for IS NOT NULL AND status = 'waiting'
"""


def upgrade() -> None:
    op.execute(HELD)
    op.execute(BY_DIGEST)


def downgrade() -> None:
    op.execute("UPDATE notifications SET wake_at = now() WHERE held_for IS NOT NULL AND status = 'waiting'")
    op.execute("ALTER TABLE notifications DROP COLUMN held_for")
