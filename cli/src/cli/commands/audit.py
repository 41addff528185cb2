"""The audit log. For admins."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.show import moment, plain, print_json, print_more, print_table
from cli.surroundings import AsJson, Url, gateway, here
from client import AuditEntry

audit = typer.Typer(no_args_is_help=True, help="Who did what.")

_Time = typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S"], help="In UTC.")


@audit.command("list")
def list_entries(
    context: typer.Context,
    *,
    actor: Annotated[str | None, typer.Option(help="A username.")] = None,
    action: Annotated[str | None, typer.Option(help="Exactly, such as users.change.")] = None,
    resource_type: Annotated[str | None, typer.Option(help="Such as user, job, switch, configuration.")] = None,
    resource_id: Annotated[str | None, typer.Option(help="The id of what it was done to.")] = None,
    since: Annotated[datetime | None, _Time] = None,
    until: Annotated[datetime | None, _Time] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List who did what, newest first; --json has all of it."""
    with gateway(context, url) as client:
        page = client.audit(
            actor=actor, action=action, resource_type=resource_type, resource_id=resource_id, since=_utc(since),
            until=_utc(until), limit=limit, cursor=cursor,
        )  # fmt: skip
    if as_json:
        print_json(page)
        return
    columns = [("At", 11), ("Who", 14), ("Action", 24), ("Why or what", 40)]
    rows = [(moment(one.at, short=True), one.username or "-", one.action, _why(one)) for one in page.items]
    print_table(here(context).console, columns, rows)
    print_more(page.next_cursor)


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def _why(entry: AuditEntry) -> str:
    details = entry.details or {}
    told = details.get("reason") or ", ".join(
        f"{name} {value}" for name, value in details.items() if name != "correlation_id"
    )
    return plain(told or entry.resource_id or "")
