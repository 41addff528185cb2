"""`python -m gateway first-admin`: makes the first admin, once. There is no default password."""

import argparse
import secrets
import sys
from collections.abc import Sequence
from typing import NoReturn

import uvloop

from common.db.pool import connect
from common.errors import ClearfactsError, ConfigurationError
from common.settings import exit_with, load_settings
from gateway.adapters.argon2_passwords import Argon2Passwords
from gateway.adapters.postgres_users import PostgresUsers
from gateway.domain.faults import FieldRefused
from gateway.domain.users import refuse_weak
from gateway.settings import FirstAdminSettings
from gateway.use_cases import CreateFirstAdmin

COMMAND = "first-admin"
_RANDOM_BYTES = 18


def run(arguments: Sequence[str]) -> None:
    """Exit code 1 with one line where there is an admin, the password is weak, or the database does not answer."""
    given = _parser().parse_args(arguments)
    typed = sys.stdin.readline().rstrip("\r\n") if given.password_stdin else None
    password = secrets.token_urlsafe(_RANDOM_BYTES) if typed is None else typed
    try:
        refuse_weak(password, given.username)
        settings = load_settings(FirstAdminSettings)
        created = uvloop.run(_create(settings.database_url.get_secret_value(), given.username, password))
    except ConfigurationError as error:
        exit_with(error)
    except FieldRefused as error:
        _fail(error.details["errors"][0]["message"])
    except ClearfactsError as error:
        _fail(str(error))
    if not created:
        _fail("there is an admin already, or a user of that name; an admin makes others: clearfacts users add")
    sys.stdout.write(f"the admin {given.username} is made\n")
    if typed is None:
        sys.stdout.write(f"one-time password, shown only now; change it after signing in: {password}\n")


async def _create(database_url: str, username: str, password: str) -> bool:
    database = await connect(database_url, application="first-admin", connections=1)
    try:
        return await CreateFirstAdmin(PostgresUsers(database), Argon2Passwords())(username, password)
    finally:
        await database.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m gateway {COMMAND}", description="Make the first admin, once.")
    parser.add_argument("--username", default="admin")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    return parser


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(1)
