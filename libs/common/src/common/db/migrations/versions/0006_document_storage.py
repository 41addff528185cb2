"""Documents are compressed by LZ4 where the server has it, else not at all.

PostgreSQL's own compression is a fifth of what it does for an invoice. New rows only; older ones are read as they are.

Revision ID: 0006
"""

from alembic import op

revision = "0006"
down_revision = "0002"
branch_labels = None
depends_on = None

CHANGE = """
DO $$ BEGIN
    ALTER TABLE invoices ALTER COLUMN ubl_data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE invoices ALTER COLUMN ubl_data SET STORAGE EXTERNAL;
END $$
"""


def upgrade() -> None:
    op.execute(CHANGE)


def downgrade() -> None:
    op.execute("ALTER TABLE invoices ALTER COLUMN ubl_data SET COMPRESSION default")
    op.execute("ALTER TABLE invoices ALTER COLUMN ubl_data SET STORAGE EXTENDED")
