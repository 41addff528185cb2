"""What waits for a person is found by itself, however many rows there are: on held rows alone, so no other move pays.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX invoices_held ON invoices (id) WHERE status = 'held'")


def downgrade() -> None:
    op.execute("DROP INDEX invoices_held")
