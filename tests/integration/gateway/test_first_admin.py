"""The first admin, made by the command on the real PostgreSQL."""

import asyncio
import os
import subprocess
import sys

import pytest

from common.db.pool import Database
from gateway.adapters.argon2_passwords import Argon2Passwords
from gateway.adapters.postgres_users import PostgresUsers

pytestmark = pytest.mark.stack


async def first_admin(database_url: str, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "first-admin", *words]
    environment = {**os.environ, "DATABASE_URL": database_url}  # noqa: TID251
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, input=typed, capture_output=True, text=True, check=False, timeout=60
    )


async def test_it_is_made_once_with_a_password_that_is_shown_once(database: Database, database_url: str) -> None:
    made = await first_admin(database_url)
    assert made.returncode == 0, made.stderr
    password = made.stdout.split()[-1]
    account = await PostgresUsers(database).account("admin")
    assert account is not None
    assert account.user.role == "admin"
    assert await Argon2Passwords().matches(account.password_hash, password)
    again = await first_admin(database_url, "--username", "eve")
    assert (again.returncode, again.stdout) == (1, "")
    assert "there is an admin already" in again.stderr
    assert await database.fetchval("SELECT count(*) FROM users") == 1
    assert await database.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'users.bootstrap'") == 1


async def test_a_password_may_be_typed_and_is_not_repeated(database: Database, database_url: str) -> None:
    made = await first_admin(database_url, "--username", "ann", "--password-stdin", typed="a long enough secret\n")
    assert made.stdout.splitlines()[-1] == "the admin ann is made"
    account = await PostgresUsers(database).account("ann")
    assert account is not None
    assert await Argon2Passwords().matches(account.password_hash, "a long enough secret")


@pytest.mark.parametrize("typed", ["short\n", "\n", "x admin but long\n"])
async def test_a_weak_password_makes_nobody(database: Database, database_url: str, typed: str) -> None:
    made = await first_admin(database_url, "--password-stdin", typed=typed)
    assert (made.returncode, len(made.stderr.splitlines())) == (1, 1)
    assert await database.fetchval("SELECT count(*) FROM users") == 0


async def test_of_two_at_once_one_is_made(database: Database) -> None:
    users = PostgresUsers(database)
    assert sorted(await asyncio.gather(*(users.create_first_admin(f"a-{n}", "hash") for n in range(4)))) == [
        False, False, False, True,
    ]  # fmt: skip


async def test_it_says_what_it_needs() -> None:
    lost = await first_admin("")
    assert (lost.returncode, "DATABASE_URL" in lost.stderr) == (2, True)
