"""Webhooks as people read them."""

from collections.abc import Sequence

import typer
from rich.console import Console

from cli.show import moment, print_table
from client import Delivery, Webhook, WebhookSecret

_WIDE = 120
_WHY = {"by_admin": "by an admin", "gone": "it answered 410", "failing": "it only fails"}


def describe(one: Webhook) -> str:
    """The state, and why it is not active."""
    return one.state if one.why is None else f"{one.state}, {_WHY.get(one.why, one.why)}"


def show_secret(what: str, made: WebhookSecret) -> None:
    typer.echo(what)
    if made.secret is None:
        typer.echo("its secret was shown before; lost it? clearfacts webhooks rotate")
    else:
        typer.echo(f"secret, shown this once: {made.secret}")


def show_deliveries(console: Console, items: Sequence[Delivery]) -> None:
    """Where there is room also when, how long it took and what was answered."""
    columns = [("Id", 36), ("Type", 17), ("Status", 9), ("Tries", -5), ("Answer", -6)]
    more = [("ms", -6), ("Outcome", 11), ("Said", 60)] if console.width >= _WIDE else []
    print_table(console, [*columns, *more], [_row(one)[: len(columns) + len(more)] for one in items])


def _row(one: Delivery) -> Sequence[object]:
    shown = (one.id, one.type, one.status, one.attempts)
    outcome, last = moment(one.occurred_at, short=True), one.last
    if last is None:
        return (*shown, "", "", outcome, "")
    return (*shown, last.response_code or "none", last.latency_ms, outcome, last.error or last.excerpt or "")
