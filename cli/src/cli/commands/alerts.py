"""Alerts: what asks for a person, and saying that it is dealt with."""

from typing import Annotated

import typer

from cli.show import moment, plain, print_json, print_more, print_table
from cli.surroundings import AsJson, Url, gateway, here
from client import Alert

alerts = typer.Typer(no_args_is_help=True, help="What asks for a person.")


@alerts.command("list")
def list_alerts(
    context: typer.Context,
    *,
    state: Annotated[str, typer.Option(help="open, closed or all")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first."""
    with gateway(context, url) as client:
        page = client.alerts(state=state, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    console = here(context).console
    columns = [("Id", 36), ("Severity", 8), ("Since", 11), ("Kind", 20)]
    rows = [(alert.id, alert.severity, moment(alert.opened_at, short=True), alert.kind) for alert in page.items]
    print_table(console, columns, rows)
    print_more(page.next_cursor)


@alerts.command("close")
def close_alert(
    context: typer.Context,
    alert_id: Annotated[str, typer.Argument(help="The alert's id.")],
    *,
    reason: Annotated[str, typer.Option(help="What was done about it: for the audit log.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Close an alert of something past (duplicate_suspected, retention_gap); the others close by themselves."""
    with gateway(context, url) as client:
        closed = client.close_alert(alert_id, reason=reason)
    if as_json:
        print_json(closed)
    else:
        typer.echo(f"closed: {describe(closed)}")


def describe(alert: Alert) -> str:
    """One line: what, about whom, since when, and why where that is known."""
    why = next((alert.details[name] for name in ("why", "reason", "cause") if alert.details.get(name)), None)
    told = f"{alert.severity}: {alert.kind} ({alert.subject}) since {moment(alert.opened_at)}"
    return plain(f"{told}: {why}" if why else told)
