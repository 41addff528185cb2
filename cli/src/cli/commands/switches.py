"""Pausing and resuming what the machine does by itself."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from cli.show import moment, plain, print_json, print_table
from cli.surroundings import AsJson, Surroundings, Url, gateway, here
from client import Flipped, Pause

switches = typer.Typer(no_args_is_help=True, help="What is paused.")


class Service(StrEnum):
    SENDER = "sender"


_Service = Annotated[Service, typer.Argument(help="What to pause: sender.")]
_Administration = Annotated[
    str | None, typer.Option(help="Only for this administration (enterprise number); without it for all.")
]
_Reason = Annotated[str, typer.Option(help="Why; it is shown, told and kept.")]


def pause(
    context: typer.Context, service: _Service, *, reason: _Reason, administration: _Administration = None,
    url: Url = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Pause sending within two seconds, for all or for one administration; what is on its way arrives."""
    with gateway(context, url) as client:
        flipped = client.pause(service, reason=reason, administration=_digits(administration))
    _say(here(context), flipped, "paused" if flipped.changed else "it was paused already", as_json=as_json)


def resume(
    context: typer.Context, service: _Service, *, reason: _Reason, administration: _Administration = None,
    url: Url = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Resume sending. A pause of all and one of an administration are apart: each needs its own."""
    with gateway(context, url) as client:
        flipped = client.resume(service, reason=reason, administration=_digits(administration))
    _say(here(context), flipped, "resumed" if flipped.changed else "that was not paused", as_json=as_json)


@switches.command("list")
def list_switches(context: typer.Context, *, url: Url = None, as_json: AsJson = False) -> None:
    """List what is paused, since when, by whom and why."""
    with gateway(context, url) as client:
        paused = client.switches()
    if as_json:
        print_json(paused)
    else:
        _show(here(context), paused.items)


def describe(pause: Pause) -> str:
    """One line."""
    return plain(f"{pause.service} ({_whose(pause)}) since {moment(pause.at)} by {pause.actor}: {pause.reason}")


def _digits(administration: str | None) -> str | None:
    """`BE 0123.456.749` is what people write; the gateway judges what is left."""
    return re.sub(r"^BE|[ .]", "", administration.strip().upper()) if administration is not None else None


def _whose(pause: Pause) -> str:
    return pause.administration or "all"


def _say(surroundings: Surroundings, flipped: Flipped, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(flipped)
        return
    typer.echo(what)
    _show(surroundings, flipped.items)


def _show(surroundings: Surroundings, items: Sequence[Pause]) -> None:
    if not items:
        typer.echo("nothing is paused")
        return
    columns = [("Paused", 8), ("Of", 10), ("Since", 11), ("By", 16), ("Reason", 30)]
    rows = [(item.service, _whose(item), moment(item.at, short=True), item.actor, item.reason) for item in items]
    print_table(surroundings.console, columns, rows)
