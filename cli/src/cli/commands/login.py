"""Signing in."""

import sys
from typing import Annotated

import typer

from cli.sessions import Session
from cli.show import print_json
from cli.surroundings import AsJson, Url, fail, gateway, here
from client import Profile


def login(
    context: typer.Context,
    *,
    username: Annotated[str, typer.Option("--username", "-u", prompt="Username")],
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Sign in and remember it, for this user of this machine only."""
    surroundings = here(context)
    address = surroundings.resolve_url(url)
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else typer.prompt("Password", hide_input=True)
    with gateway(context, address) as client:
        token = client.login(username, password)
        profile = client.me()
    try:
        path = surroundings.sessions.keep(Session(address, token.access_token, username))
    except OSError as error:
        fail(f"signed in, but cannot remember it: {error.filename}: {error.strerror}")
    _tell(profile, address, str(path), as_json=as_json)


def _tell(profile: Profile, address: str, path: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"url": address, **profile.model_dump(mode="json")})
    else:
        typer.echo(f"signed in at {address} as {profile.username} ({profile.role}); kept in {path}")
