"""Users in PostgreSQL."""

from collections.abc import Collection, Mapping
from uuid import UUID

from common.clock import SYSTEM_CLOCK, Clock
from common.db.pool import Database, Row
from gateway.adapters.gathered import Gathered
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.access import Account, Caller, Role, User

LATELY = 1.0
"""Seconds for which who only reads is taken for who they were; what changes something asks each time."""
MOST_REMEMBERED = 1024
_COLUMNS = "id, username, email, role, coalesce(is_active, false) AS is_active, token_generation"
_SYSTEM = Caller(ip=None, user_agent=None, correlation_id="bootstrap")
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7326021)"
_FIRST_ADMIN = """
INSERT INTO users (username, email, password_hash, role)
SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM users WHERE role = 'admin')
ON CONFLICT DO NOTHING RETURNING id
"""


class PostgresUsers:
    def __init__(self, database: Database, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._gathered: Gathered[UUID, User] = Gathered(self._users)
        self._lately: dict[UUID, tuple[User, float]] = {}
        self._clock = clock

    async def account(self, username: str) -> Account | None:
        sql = f"SELECT {_COLUMNS}, password_hash FROM users WHERE username = $1"
        row = await self._database.fetchrow(sql, username)
        return Account(_user(row), row["password_hash"]) if row else None

    async def user(self, user_id: UUID) -> User | None:
        return await self._gathered(user_id)

    async def lately(self, user_id: UUID) -> User | None:
        now = self._clock.monotonic()
        user, until = self._lately.get(user_id, (None, now))
        if now >= until:
            user = await self._gathered(user_id)
            self._remember(user_id, user, now + LATELY)
        return user

    def _remember(self, user_id: UUID, user: User | None, until: float) -> None:
        self._lately.pop(user_id, None)
        if user is not None:
            self._lately[user_id] = user, until
            if len(self._lately) > MOST_REMEMBERED:
                del self._lately[next(iter(self._lately))]

    async def _users(self, ids: Collection[UUID]) -> Mapping[UUID, User]:
        rows = await self._database.fetch(f"SELECT {_COLUMNS} FROM users WHERE id = ANY($1)", ids)
        return {row["id"]: _user(row) for row in rows}

    async def signed_in(self, user: User, caller: Caller, *, new_hash: str | None) -> None:
        async with self._database.transaction() as connection:
            if new_hash is not None:
                await connection.execute(
                    """UPDATE users SET password_hash = $2, updated_at = now()
                       WHERE id = $1 AND token_generation = $3""",
                    user.id,
                    new_hash,
                    user.token_generation,
                )
            await write_audit(
                connection, action="auth.login", user_id=user.id, caller=caller, resource=("user", user.id)
            )

    async def sign_in_failed(self, username: str, user: User | None, caller: Caller) -> None:
        # A name that is nobody's is not kept: people type passwords into the wrong field.
        details = {"username": username} if user else {"username": None}
        async with self._database.connection() as connection:
            await write_audit(
                connection,
                action="auth.login_failed",
                user_id=user.id if user else None,
                caller=caller,
                resource=("user", user.id if user else None),
                details=details,
            )

    async def create_first_admin(self, username: str, password_hash: str) -> bool:
        email = username if "@" in username else f"{username}@clearfacts.invalid"
        async with self._database.transaction() as connection:
            await connection.execute(_ONE_AT_A_TIME)
            user_id = await connection.fetchval(_FIRST_ADMIN, username, email, password_hash, Role.ADMIN.value)
            if user_id is None:
                return False
            await write_audit(
                connection, action="users.bootstrap", user_id=None, caller=_SYSTEM, resource=("user", user_id)
            )
            return True


def _user(row: Row) -> User:
    return User(row["id"], row["username"], row["email"], Role(row["role"]), row["is_active"], row["token_generation"])
