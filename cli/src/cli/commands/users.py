"""Users: who may sign in and do what. For admins."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from cli.show import moment, print_json, print_more, print_table
from cli.surroundings import USAGE, AsJson, Surroundings, Url, fail, gateway, here
from client import GatewayClient, User

users = typer.Typer(no_args_is_help=True, help="Who may sign in and do what.")


class Role(StrEnum):
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"


_Who = Annotated[str, typer.Argument(help="Username or id.")]
_Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
_MOST = 200


@users.command("list")
def list_users(
    context: typer.Context,
    *,
    role: Annotated[Role | None, typer.Option(help="Only these.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Only who may (not) sign in.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List users by name."""
    with gateway(context, url) as client:
        page = client.users(role=role, is_active=active, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    _show(here(context), page.items)
    print_more(page.next_cursor)


@users.command("add")
def add_user(
    context: typer.Context,
    username: Annotated[str, typer.Argument(help="3 to 200 letters, digits and . _ @ + -")],
    *,
    email: Annotated[str, typer.Option(help="Where they are reached.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.USER,
    password_stdin: _Stdin = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Add a user; the password is asked for, 12 to 256 characters without the username."""
    password = _password(from_stdin=password_stdin)
    with gateway(context, url) as client:
        added = client.add_user(username, email, password, role=role)
    _tell(added, f"added: {added.username} ({added.role})", as_json=as_json)


@users.command("change")
def change_user(
    context: typer.Context,
    who: _Who,
    *,
    role: Annotated[Role | None, typer.Option(help="What they may do.")] = None,
    email: Annotated[str | None, typer.Option(help="Where they are reached.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether they may sign in.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change role, address or whether they may sign in; it counts from their next request on."""
    if role is None and email is None and active is None:
        fail("what is to change? give --role, --email, --active or --inactive", USAGE)
    with gateway(context, url) as client:
        changed = client.change_user(_find(client, who), role=role, email=email, is_active=active)
    state = "active" if changed.is_active else "inactive"
    _tell(changed, f"changed: {changed.username} ({changed.role}, {state}, {changed.email})", as_json=as_json)


@users.command("password")
def set_password(
    context: typer.Context, who: _Who, *, password_stdin: _Stdin = False, url: Url = None, as_json: AsJson = False
) -> None:
    """Give a user a new password."""
    password = _password(from_stdin=password_stdin)
    with gateway(context, url) as client:
        changed = client.set_password(_find(client, who), password)
    _tell(changed, f"{changed.username} has a new password; tokens that exist have ended", as_json=as_json)


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


def _find(client: GatewayClient, who: str) -> UUID:
    """By id or exact username; ends the program where there is none."""
    try:
        return UUID(who)
    except ValueError:
        pass
    cursor: str | None = None
    while True:
        page = client.users(limit=_MOST, cursor=cursor)
        for user in page.items:
            if user.username == who:
                return user.id
        cursor = page.next_cursor
        if cursor is None:
            fail(f"there is no user {who!r}; see: clearfacts users list")


def _tell(user: User, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(user)
    else:
        typer.echo(what)


def _show(surroundings: Surroundings, items: Sequence[User]) -> None:
    columns = [("Username", 24), ("Role", 8), ("Active", 6), ("Email", 28), ("Changed", 11)]
    rows = [
        (user.username, user.role, "yes" if user.is_active else "no", user.email, moment(user.updated_at, short=True))
        for user in items
    ]
    print_table(surroundings.console, columns, rows)
