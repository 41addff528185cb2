"""What the replicas of the sender know together about a destination, and the switches of the night shift.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0006"
branch_labels = None
depends_on = None

# One row per destination and token (its fingerprint). `version` guards the breaker; the floor of a Retry-After and the
# tokens of the bucket change without it.
DESTINATIONS = """
CREATE TABLE destinations (
    destination TEXT NOT NULL,
    token TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    open BOOLEAN NOT NULL DEFAULT FALSE,
    level INTEGER NOT NULL DEFAULT 0,
    probe_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    why TEXT,
    opened_at TIMESTAMPTZ,
    closed_at TIMESTAMPTZ,
    held_until TIMESTAMPTZ NOT NULL DEFAULT now(),
    tokens DOUBLE PRECISION NOT NULL DEFAULT 0,
    refilled_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (destination, token)
);
"""

# A row is a pause: of all (`*`) or of one administration.
SWITCHES = """
CREATE TABLE switches (
    service TEXT NOT NULL,
    scope TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (service, scope)
);
"""


def upgrade() -> None:
    for script in (DESTINATIONS, SWITCHES):
        _execute_script(script)


def _execute_script(script: str) -> None:
    # asyncpg prepares one statement at a time; its simple query protocol takes a script
    op.get_bind().connection.dbapi_connection.run_async(lambda raw: raw.execute(script))


def downgrade() -> None:
    raise RuntimeError("a pause must not be forgotten by a downgrade; restore a backup instead")
