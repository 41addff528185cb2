"""Users as admins change them, in PostgreSQL."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from asyncpg import UniqueViolationError

from common.db.pool import Connection, Database, Row
from gateway.adapters.conditions import Conditions
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.access import Permission, Role
from gateway.domain.faults import NotAllowedNow, NotFound, NotPermitted
from gateway.domain.users import By, NewUser, UserChange, UserFilter, UserReading, differences, refuse_without_admin

_COLUMNS = "id, username, email, role, coalesce(is_active, false) AS is_active, created_at, updated_at"

# In the order of ids, so that two admins who change each other wait for one another instead of locking each other out;
# a row that changed meanwhile is read again, so the second one counts what the first has left.
_LOCK = f"""
SELECT {_COLUMNS} FROM users WHERE id = ANY($1::uuid[]) OR (role = 'admin' AND is_active) ORDER BY id FOR UPDATE
"""
# Names are compared as they are written, at sign-in too; but nobody is to be taken for somebody else in the audit log.
# Creators take turns: each holds the active admins.
_LOOKALIKE = "SELECT EXISTS (SELECT FROM users WHERE lower(username) = lower($1))"
_INSERT = f"INSERT INTO users (username, email, password_hash, role) VALUES ($1, $2, $3, $4) RETURNING {_COLUMNS}"
_NEW_HASH = """
UPDATE users SET password_hash = $2, token_generation = token_generation + 1, updated_at = now() WHERE id = $1
"""
_UPDATE = f"""
UPDATE users SET role = coalesce($2, role), email = coalesce($3, email), is_active = coalesce($4, is_active),
    token_generation = token_generation + ($4 IS FALSE)::int, updated_at = now()
WHERE id = $1 RETURNING {_COLUMNS}
"""


class PostgresUserAccounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def one(self, user_id: UUID) -> UserReading | None:
        row = await self._database.fetchrow(f"SELECT {_COLUMNS} FROM users WHERE id = $1", user_id)
        return _reading(row) if row else None

    async def all(self, chosen: UserFilter, *, after: str | None, limit: int) -> Sequence[UserReading]:
        where = Conditions()
        where.equal("role", chosen.role)
        where.equal("coalesce(is_active, false)", chosen.is_active)
        if after is not None:
            where.add("username > {}", after)
        sql = f"SELECT {_COLUMNS} FROM users {where.sql} ORDER BY username LIMIT {limit:d}"
        return [_reading(row) for row in await self._database.fetch(sql, *where.values)]

    async def create(self, new: NewUser, password_hash: str, by: By) -> UserReading:
        async with self._changing([], by) as (connection, _):
            if await connection.fetchval(_LOOKALIKE, new.username):
                raise NotAllowedNow("Another user has this username", {"field": "username"})
            row = await connection.fetchrow(_INSERT, new.username, new.email, password_hash, new.role.value)
            created = _reading(_present(row))
            await _audit(connection, "users.create", created.id, by, {"username": new.username, "role": new.role})
        return created

    async def change(self, user_id: UUID, change: UserChange, by: By) -> UserReading:
        async with self._changing([user_id], by) as (connection, locked):
            before = _find(locked, user_id)
            refuse_without_admin(before, change, sum(one.role is Role.ADMIN and one.is_active for one in locked))
            row = await connection.fetchrow(
                _UPDATE, user_id, change.role.value if change.role else None, change.email, change.is_active
            )
            after = _reading(_present(row))
            await _audit(connection, "users.change", user_id, by, differences(before, after))
        return after

    async def set_password(self, user_id: UUID, password_hash: str, by: By) -> None:
        async with self._changing([user_id], by) as (connection, locked):
            _find(locked, user_id)
            await connection.execute(_NEW_HASH, user_id, password_hash)
            await _audit(connection, "users.password", user_id, by, {})

    @asynccontextmanager
    async def _changing(
        self, targets: Sequence[UUID], by: By
    ) -> AsyncGenerator[tuple[Connection, list[UserReading]], None]:
        """A transaction that holds the targets, all active admins and `by`, who must still be one of these."""
        async with self._database.transaction() as connection:
            locked = [_reading(row) for row in await connection.fetch(_LOCK, [*targets, by.user.id])]
            actor = next((one for one in locked if one.id == by.user.id), None)
            if actor is None or actor.role is not Role.ADMIN or not actor.is_active:
                raise NotPermitted(Permission.USERS_WRITE, actor.role if actor else by.user.role)
            try:
                yield connection, locked
            except UniqueViolationError as error:
                raise _taken(error) from None


def _taken(error: UniqueViolationError) -> NotAllowedNow:
    field = "email" if "email" in str(getattr(error, "constraint_name", "")) else "username"
    return NotAllowedNow(f"Another user has this {field}", {"field": field})


async def _audit(connection: Connection, action: str, user_id: UUID, by: By, details: dict[str, Any]) -> None:
    await write_audit(
        connection, action=action, user_id=by.user.id, caller=by.caller, resource=("user", user_id), details=details
    )


def _find(locked: Sequence[UserReading], user_id: UUID) -> UserReading:
    found = next((one for one in locked if one.id == user_id), None)
    if found is None:
        raise NotFound("user", str(user_id))
    return found


def _present(row: Row | None) -> Row:
    if row is None:
        raise AssertionError("a locked row is there, and an insert returns one")
    return row


def _reading(row: Row) -> UserReading:
    values: dict[str, Any] = {**dict(row), "role": Role(row["role"])}
    return UserReading(**values)
